#ifndef BROKER_EXCHANGE_EXCHANGE_REPLY_H
#define BROKER_EXCHANGE_EXCHANGE_REPLY_H

#include "io/client/http_client.h"
#include "protocol/reply/token_response.h"

/*
 * What the HTTP client brought, as protocol wants to judge it: the two layers do not know each other. Borrowed
 * throughout.
 */
static inline struct provider_reply exchange_reply(const struct http_client_result *result)
{
    return (struct provider_reply){
        .status = result->http_status,
        .content_type = result->content_type,
        .retry_after = result->retry_after,
        .body = result->body,
        .length = result->length,
        .too_large = result->too_large,
    };
}

#endif
