#ifndef PROTOCOL_REPLY_REPLY_BODY_H
#define PROTOCOL_REPLY_REPLY_BODY_H

#include "base/error.h"
#include "protocol/reply/token_response.h"

/* What a reply's body turned out to be. */
enum reply_body {
    REPLY_BODY_EMPTY,
    REPLY_BODY_READ,    /* JSON, an object or array; form text, which became an object of strings; XML */
    REPLY_BODY_FOREIGN, /* HTML, text, broken JSON, cut off: perhaps not from the endpoint at all */
};

/* ret_body: set for REPLY_BODY_READ alone. ERR_NO_MEMORY. */
enum status reply_body_read(const struct provider_reply *reply, enum reply_body *ret_kind,
                            struct reply_document *ret_body);

#endif
