#ifndef PROTOCOL_REQUEST_REQUEST_VALUES_H
#define PROTOCOL_REQUEST_REQUEST_VALUES_H

#include "base/error.h"
#include "base/text/text_buffer.h"

/*
 * A template_lookup for requests: context is a struct grant_context. Knows what grant_context_lookup() knows, and
 * iClient.jwt.token: the JWT of the iClient's "jwt" block, signed anew at each look-up.
 */
enum status request_values_lookup(const void *context, const char *path, struct text_buffer *value);

#endif
