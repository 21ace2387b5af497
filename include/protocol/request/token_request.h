#ifndef PROTOCOL_REQUEST_TOKEN_REQUEST_H
#define PROTOCOL_REQUEST_TOKEN_REQUEST_H

#include "base/error.h"
#include "base/http_request.h"
#include "protocol/request/grant_context.h"

/* The exchanges that a token endpoint takes. */
enum token_exchange {
    TOKEN_EXCHANGE_CODE,               /* RFC 6749 §4.1.3 with RFC 7636 §4.5 */
    TOKEN_EXCHANGE_PASSWORD,           /* RFC 6749 §4.3.2 */
    TOKEN_EXCHANGE_CLIENT_CREDENTIALS, /* RFC 6749 §4.4.2 */
    TOKEN_EXCHANGE_JWT_BEARER,         /* RFC 7523 §2.1 */
    TOKEN_EXCHANGE_REFRESH,            /* RFC 6749 §6 */
};
/* "authorization_code", "password", … for logs and metrics. */
const char *token_exchange_name(enum token_exchange exchange);

/*
 * Builds the request as the iClient says: URI, method (GET puts the parameters into the query), default parameters or
 * the rendered body, tokenParams/refreshParams and the connection's params, client authentication in exactly one
 * place, form or JSON on the wire, headers (with Accept: application/json unless given). The URL is checked against
 * validDomainNames after rendering. ERR_DENIED, ERR_NOT_FOUND (a template), ERR_INVALID (a forbidden value; no
 * client id), ERR_CRYPTO (a JWT could not be signed), ERR_TOO_LARGE.
 */
enum status token_request_create(enum token_exchange exchange, const struct grant_context *context,
                                 struct http_request **ret_request, struct error *ret_error);

#endif
