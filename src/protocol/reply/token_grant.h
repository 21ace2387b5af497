#ifndef PROTOCOL_REPLY_TOKEN_GRANT_H
#define PROTOCOL_REPLY_TOKEN_GRANT_H

#include "base/error.h"
#include "model/reply/token_set.h"
#include "protocol/request/grant_context.h"
#include "protocol/request/token_request.h"

/*
 * The token set that a 2xx reply grants. ERR_INVALID when it has no usable access token, with what is wrong;
 * ERR_NO_MEMORY. On success *ret_error may carry a remark (its status OK), such as a refresh token that could not be
 * read; else its message is empty.
 */
enum status token_grant_read(enum token_exchange exchange, const struct grant_context *context,
                             const struct reply_document *body, struct token_set **ret_tokens, struct error *ret_error);

#endif
