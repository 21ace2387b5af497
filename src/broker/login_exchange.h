#ifndef BROKER_LOGIN_EXCHANGE_H
#define BROKER_LOGIN_EXCHANGE_H

#include <stdbool.h>

#include "protocol/grant_context.h"

/* Where a browser login meets the token exchange: token_fetch runs the code exchange that a session asks for. */
struct token_entry;
struct authorization_session;

/* Starts the code exchange of the entry's login when its code has arrived and waits for its turn. */
void login_exchange_start_pending(struct token_entry *entry);
/* The configuration that the login began under (held for the caller) and its code, redirect URI, verifier and callback, all borrowed from the session. */
void login_exchange_fill(struct authorization_session *session, struct connection **ret_connection,
                         struct grant_context *ret_input);
/* The exchange ended. message: why not, for a person. */
void login_exchange_end(struct authorization_session *session, bool is_granted, const char *message);

#endif
