#ifndef BROKER_LOGIN_LOGIN_EXCHANGE_H
#define BROKER_LOGIN_LOGIN_EXCHANGE_H

#include <stdbool.h>

#include "protocol/request/grant_context.h"

/* Where a browser login meets the token exchange: the coordinator has token_fetch exchange the code of a session. */
struct token_entry;
struct authorization_session;

/*
 * The configuration that the login began under (held for the caller) and its code, redirect URI, verifier and callback,
 * all borrowed from the session.
 */
void login_exchange_fill(struct authorization_session *session, struct connection **ret_connection,
                         struct grant_context *ret_input);
/* The exchange ended. message: why not, for a person. */
void login_exchange_end(struct authorization_session *session, bool is_granted, const char *message);

#endif
