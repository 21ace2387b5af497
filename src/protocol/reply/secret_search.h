#ifndef PROTOCOL_REPLY_SECRET_SEARCH_H
#define PROTOCOL_REPLY_SECRET_SEARCH_H

#include <jansson.h>
#include <stdbool.h>

#include "protocol/request/grant_context.h"

/*
 * True when text holds any secret of the iClient, the connection or the request, or a token that body (the parsed
 * reply, may be NULL) has at its paths: as it is (case ignored), percent-encoded, in Base64, or escaped as HTML or
 * JSON, up to three times. In doubt true: when memory runs out.
 */
bool secret_search(const struct grant_context *context, const struct reply_document *body, const char *text);

#endif
