#ifndef PROTOCOL_REQUEST_REVOKE_REQUEST_H
#define PROTOCOL_REQUEST_REVOKE_REQUEST_H

#include "base/error.h"
#include "base/http_request.h"
#include "protocol/request/grant_context.h"

/*
 * RFC 7009 §2.1 for context->token with context->token_type_hint: URI, method (POST, GET, DELETE), body and headers as
 * the iClient says, client authentication as for the token endpoint. ERR_UNSUPPORTED when the iClient has no revoke
 * URI; other errors as token_request_create().
 */
enum status revoke_request_create(const struct grant_context *context, struct http_request **ret_request,
                                  struct error *ret_error);

#endif
