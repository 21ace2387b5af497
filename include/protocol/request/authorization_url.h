#ifndef PROTOCOL_REQUEST_AUTHORIZATION_URL_H
#define PROTOCOL_REQUEST_AUTHORIZATION_URL_H

#include "base/error.h"
#include "protocol/request/grant_context.h"

/*
 * The authorization request (RFC 6749 §4.1.1): the iClient's auth URI with its own query kept, response_type=code,
 * client_id, redirect_uri, scope, state, code_challenge and code_challenge_method (RFC 7636 §4.3) from
 * context->code_verifier, then authParams. Checked against validDomainNames: ERR_DENIED; a template that resolves
 * to nothing: ERR_NOT_FOUND. ret_url: caller frees.
 */
enum status authorization_url_create(const struct grant_context *context, char **ret_url, struct error *ret_error);

#endif
