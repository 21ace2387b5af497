#ifndef PROTOCOL_SECRET_SEARCH_H
#define PROTOCOL_SECRET_SEARCH_H

#include <jansson.h>
#include <stdbool.h>

#include "protocol/grant_context.h"

/*
 * True when text holds any secret of the iClient, the connection or the request, as it is (case ignored) or
 * percent-encoded, or a token that body (the parsed reply, may be NULL) has at its paths. In doubt true: when memory
 * runs out.
 */
bool secret_search(const struct grant_context *context, const json_t *body, const char *text);

#endif
