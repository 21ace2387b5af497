#ifndef PROTOCOL_REPLY_BODY_H
#define PROTOCOL_REPLY_BODY_H

#include <jansson.h>

#include "base/error.h"
#include "protocol/token_response.h"

/* What a reply's body turned out to be. */
enum reply_body {
    REPLY_BODY_EMPTY,
    REPLY_BODY_READ,    /* an object or array; form text became an object of strings */
    REPLY_BODY_FOREIGN, /* HTML, text, broken JSON, cut off: perhaps not from the endpoint at all */
};

/* ret_body: set for REPLY_BODY_READ alone. ERR_NO_MEMORY. */
enum status reply_body_read(const struct provider_reply *reply, enum reply_body *ret_kind, json_t **ret_body);

#endif
