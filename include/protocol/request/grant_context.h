#ifndef PROTOCOL_REQUEST_GRANT_CONTEXT_H
#define PROTOCOL_REQUEST_GRANT_CONTEXT_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "model/connection/connection.h"
#include "model/iclient/iclient.h"
#include "model/reply/token_set.h"

/*
 * All that one request is made from, and the values that templates may name. Everything is borrowed for the call.
 * What does not apply is NULL, and its template then resolves to nothing.
 */
struct grant_context {
    const struct connection *connection; /* never NULL; it names the iClient */
    const struct token_set *tokens;      /* the current ones: refreshToken, accessToken, metadata.… */
    const char *code;                    /* authorization code */
    const char *redirect_uri;
    const char *code_verifier;
    const char *state;
    const json_t *callback;      /* object of the callback's parameters: callback.… */
    const struct secret *token;  /* revoke: the one being revoked */
    const char *token_type_hint; /* revoke: "refresh_token" or "access_token" */
    int64_t now;                 /* wall clock, seconds */
};

/*
 * A template_lookup: context is a struct grant_context. Knows iClient.…, connection.…, callback.…, metadata.…, the
 * names above, now and uuid. It does not know iClient.jwt.token, which request_values_lookup() adds.
 */
enum status grant_context_lookup(const void *context, const char *path, struct text_buffer *value);

#endif
