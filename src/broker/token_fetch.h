#ifndef BROKER_TOKEN_FETCH_H
#define BROKER_TOKEN_FETCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "broker/broker.h"

/*
 * The one exchange that an entry may have in flight, from the decision which to run to the commit of what it brought
 * (single flight). Its steps for a refresh: journal durable, request sent, reply judged, new pair committed, then
 * served.
 */
struct token_entry;
struct token_fetch;
struct authorization_session;

/* Whether the entry could get a token without a person: a refresh token, or a grant that needs nobody. */
bool token_fetch_is_possible(const struct token_entry *entry);
/*
 * Whether an exchange that needs nobody would bring what the configuration asks for now: not when only a login could
 * bring the scope.
 */
bool token_fetch_can_renew(const struct token_entry *entry);
/*
 * Starts one, or finds one in flight. False: none is; the entry's state says why (a login is needed, the iClient is refused, the
 * request could not be made …).
 */
bool token_fetch_begin(struct token_entry *entry, bool background);
/*
 * The same in the foreground, on a caller's account: TOKEN_PENDING; TOKEN_BUSY or TOKEN_OVERLOADED when there is no place for
 * it; else what the entry's state means.
 */
enum token_answer token_fetch_begin_for(struct token_entry *entry, uid_t caller);
/* Exchanges a login's code as soon as no other exchange is in flight; the session is told. */
void token_fetch_begin_code(struct token_entry *entry, struct authorization_session *session);
/* Ends it without any callback. Takes NULL. Only when the process ends: an answer on its way would be lost. */
void token_fetch_destroy(struct token_fetch *fetch);

/* Nothing is in flight any more: answers the waiters and starts what waited for its turn (a login's code, a revocation). */
void token_fetch_settle(struct token_entry *entry);

#endif
