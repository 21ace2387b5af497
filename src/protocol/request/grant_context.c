#include "protocol/request/grant_context.h"

#include <inttypes.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/random.h"
#include "model/template/template.h"

static enum status append_bytes(const char *bytes, size_t length, struct text_buffer *value)
{
    if (!bytes)
        return ERR_NOT_FOUND;
    return text_buffer_append(value, bytes, length) ? OK : ERR_TOO_LARGE;
}

static enum status append_text(const char *text, struct text_buffer *value)
{
    return append_bytes(text, text ? strlen(text) : 0, value);
}

static enum status append_secret(const struct secret *secret, struct text_buffer *value)
{
    return append_bytes(secret_reveal(secret), secret_length(secret), value);
}

static enum status look_up_code(const struct grant_context *context, struct text_buffer *value)
{
    return append_text(context->code, value);
}

/* Some providers want it again at each refresh, where no login has chosen one. */
static enum status look_up_redirect_uri(const struct grant_context *context, struct text_buffer *value)
{
    const struct iclient *iclient = connection_iclient(context->connection);
    return append_text(context->redirect_uri ? context->redirect_uri : iclient_redirect_uri(iclient), value);
}

static enum status look_up_code_verifier(const struct grant_context *context, struct text_buffer *value)
{
    return append_text(context->code_verifier, value);
}

static enum status look_up_state(const struct grant_context *context, struct text_buffer *value)
{
    return append_text(context->state, value);
}

static enum status look_up_refresh_token(const struct grant_context *context, struct text_buffer *value)
{
    return append_secret(context->tokens ? context->tokens->refresh_token : NULL, value);
}

static enum status look_up_access_token(const struct grant_context *context, struct text_buffer *value)
{
    return append_secret(context->tokens ? context->tokens->access_token : NULL, value);
}

static enum status look_up_token(const struct grant_context *context, struct text_buffer *value)
{
    return append_secret(context->token, value);
}

static enum status look_up_token_type_hint(const struct grant_context *context, struct text_buffer *value)
{
    return append_text(context->token_type_hint, value);
}

static enum status look_up_now(const struct grant_context *context, struct text_buffer *value)
{
    return text_buffer_append_format(value, "%" PRId64, context->now) ? OK : ERR_TOO_LARGE;
}

static enum status look_up_uuid(const struct grant_context *context, struct text_buffer *value)
{
    (void)context;
    char uuid[RANDOM_UUID_SIZE];
    enum status status = random_uuid(uuid);
    return status == OK ? append_text(uuid, value) : status;
}

static const struct {
    const char *path;
    enum status (*look_up)(const struct grant_context *context, struct text_buffer *value);
} names[] = {
    {"accessToken", look_up_access_token},
    {"code", look_up_code},
    {"codeVerifier", look_up_code_verifier},
    {"now", look_up_now},
    {"redirectUri", look_up_redirect_uri},
    {"refreshToken", look_up_refresh_token},
    {"state", look_up_state},
    {"token", look_up_token},
    {"tokenTypeHint", look_up_token_type_hint},
    {"uuid", look_up_uuid},
};

enum status grant_context_lookup(const void *context, const char *path, struct text_buffer *value)
{
    const struct grant_context *grant = context;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].path, path) == 0)
            return names[i].look_up(grant, value);
    }
    const char *below = template_path_below(path, "iClient");
    if (below)
        return iclient_lookup(connection_iclient(grant->connection), below, value);
    below = template_path_below(path, "connection");
    if (below)
        return connection_lookup(grant->connection, below, value);
    below = template_path_below(path, "callback");
    if (below)
        return json_read_path_as_text(grant->callback, below, value);
    below = template_path_below(path, "metadata");
    return below && grant->tokens ? json_read_path_as_text(grant->tokens->metadata, below, value) : ERR_NOT_FOUND;
}
