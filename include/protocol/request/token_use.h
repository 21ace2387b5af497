#ifndef PROTOCOL_REQUEST_TOKEN_USE_H
#define PROTOCOL_REQUEST_TOKEN_USE_H

#include <stdbool.h>

#include "base/text/text_buffer.h"
#include "model/iclient/iclient.h"
#include "model/reply/token_set.h"

/*
 * How a service is to send the token to the API (RFC 6750 §2, and the iClient's accessTokenLocation, header name,
 * scheme and parameter name).
 */

/* "Bearer …", or the bare token where the scheme is empty. Appends. */
bool token_use_append_header_value(const struct iclient *iclient, const struct token_set *tokens,
                                   struct text_buffer *buffer);
/*
 * "Authorization: Bearer …": the whole header, for format=header. ERR_UNSUPPORTED when the API wants the token in the
 * URL or the body.
 */
enum status token_use_append_header(const struct iclient *iclient, const struct token_set *tokens,
                                    struct text_buffer *buffer, struct error *ret_error);
/* {"location":"header","name":"Authorization","value":"Bearer …"} as JSON text. Appends. */
bool token_use_append_json(const struct iclient *iclient, const struct token_set *tokens, struct text_buffer *buffer);

#endif
