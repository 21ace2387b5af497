#ifndef BROKER_EXCHANGE_TOKEN_FETCH_H
#define BROKER_EXCHANGE_TOKEN_FETCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "broker/broker.h"
#include "protocol/request/grant_context.h"

/*
 * The one exchange that an entry may have in flight, from the decision which to run to the commit of what it brought
 * (single flight). Its steps for a refresh: journal durable, request sent, reply judged, new pair committed, then
 * served.
 */
struct token_entry;
struct token_fetch;

/*
 * Starts one, or finds one in flight. False: none is; the entry's state says why (a login is needed, the iClient is
 * refused, the request could not be made …).
 */
bool token_fetch_begin(struct token_entry *entry, bool background);
/*
 * The same in the foreground, on a caller's account: TOKEN_PENDING; TOKEN_BUSY or TOKEN_OVERLOADED when there is no
 * place for it; else what the entry's state means.
 */
enum token_answer token_fetch_begin_for(struct token_entry *entry, uid_t caller);
/*
 * Exchanges a login's code, while nothing else is running. connection: what the login began under, held; input: its
 * code, redirect URI, verifier and callback, borrowed until done, which is told why not. done may run within the call.
 */
typedef void token_fetch_done(void *context, bool is_granted, const char *message);
void token_fetch_begin_code(struct token_entry *entry, const struct connection *connection,
                            const struct grant_context *input, token_fetch_done *done, void *context);
/* Ends it without any callback. Takes NULL. Only when the process ends: an answer on its way would be lost. */
void token_fetch_destroy(struct token_fetch *fetch);

#endif
