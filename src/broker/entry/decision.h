#ifndef BROKER_ENTRY_DECISION_H
#define BROKER_ENTRY_DECISION_H

#include "broker/broker.h"

/* What a request for a token gets, from the entry as it stands; nothing here changes anything. */

/* The code of a trouble that is nobody's but ours: a full queue, or no memory. */
#define DECISION_OVERLOADED "overloaded"

/* TOKEN_SERVED, or TOKEN_SERVED_SHORT when less than min_ttl is left. For entries with a usable token. */
enum token_answer decision_served(const struct token_entry *entry, int64_t min_ttl, int64_t now);
/* The answer that a state means when there is no token to serve. */
enum token_answer decision_trouble(const struct token_entry *entry);
/*
 * For a token with less than min_ttl left: true when the caller gets it all the same. No exchange would bring min_ttl,
 * or the token is so young that an exchange would bring hardly more; else a min_ttl of nearly the whole lifetime would
 * cost an exchange each second.
 */
bool decision_is_best_possible(const struct token_entry *entry, int64_t min_ttl, int64_t now);
/* True while no exchange may be started for a caller: back-off, a login needed, switched off. */
bool decision_is_blocked(const struct token_entry *entry, int64_t now);

#endif
