#ifndef BROKER_ENTRY_FETCH_RULE_H
#define BROKER_ENTRY_FETCH_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/connection/connection.h"

struct token_entry;

/* Which exchanges could bring an entry a token, by its configuration and tokens alone. */

/* It has a refresh token that may still be used. */
bool fetch_rule_can_refresh(const struct token_entry *entry, int64_t now);
/* The connection's grant needs no person. */
bool fetch_rule_needs_nobody(const struct connection *connection);
/* It could get a token without a person: a refresh token, or a grant that needs nobody. */
bool fetch_rule_is_possible(const struct token_entry *entry);
/* A scope that is more or something else than what was granted is not for a refresh to ask for (RFC 6749 §6). */
bool fetch_rule_is_refresh_enough(const struct token_entry *entry);
/*
 * An exchange that needs nobody would bring what the configuration asks for now: not when only a login could bring the
 * scope.
 */
bool fetch_rule_can_renew(const struct token_entry *entry);

#endif
