#include "protocol/reply/secret_search.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/json/json_read.h"
#include "protocol/request/escaped_text.h"
#include "protocol/reply/token_paths.h"

/* A page that repeats JSON which repeats a form: nobody goes further. */
enum { PATH_MAX_LENGTH = 1024, ESCAPE_LAYERS_MAX = 3, ESCAPED_TEXT_MAX = 4 * 1024 * 1024 };

static bool holds_encoded(const char *text, const char *secret,
                          bool (*encode)(struct text_buffer *, const char *, size_t))
{
    AUTO_FINISH(text_buffer) encoded;
    text_buffer_init(&encoded, SECRET_MAX);
    /* What cannot be compared is taken for a match. */
    return !encode(&encoded, secret, strlen(secret)) || strcasestr(text, text_buffer_text(&encoded));
}

/* Without the padding, which some leave out. */
static bool append_base64(struct text_buffer *encoded, const char *secret, size_t length)
{
    base64_append(encoded, secret, length);
    while (encoded->length > 0 && encoded->data[encoded->length - 1] == '=')
        text_buffer_truncate(encoded, encoded->length - 1);
    return !encoded->failed;
}

static bool append_base64url(struct text_buffer *encoded, const char *secret, size_t length)
{
    return base64url_append(encoded, secret, length);
}

static bool holds_text(const char *text, const char *secret)
{
    if (!secret || *secret == '\0')
        return false;
    return strcasestr(text, secret) || holds_encoded(text, secret, text_buffer_append_percent) ||
           holds_encoded(text, secret, text_buffer_append_form) || holds_encoded(text, secret, append_base64) ||
           holds_encoded(text, secret, append_base64url);
}

static bool holds_secret(const char *text, const struct secret *secret)
{
    return holds_text(text, secret_reveal(secret));
}

/* One free object "encrypted": its masked form says which leaves there are, the lookup gives their values. */
struct leaves {
    const char *text;
    enum status (*look_up)(const struct leaves *leaves, struct text_buffer *value);
    const struct grant_context *context;
    struct text_buffer path;
};

static enum status look_up_iclient(const struct leaves *leaves, struct text_buffer *value)
{
    return iclient_lookup(connection_iclient(leaves->context->connection), text_buffer_text(&leaves->path), value);
}

static enum status look_up_connection(const struct leaves *leaves, struct text_buffer *value)
{
    return connection_lookup(leaves->context->connection, text_buffer_text(&leaves->path), value);
}

static bool holds_leaf(const struct leaves *leaves)
{
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, SECRET_MAX);
    enum status status = leaves->path.failed ? ERR_NO_MEMORY : leaves->look_up(leaves, &value);
    return status == OK ? holds_text(leaves->text, text_buffer_text(&value)) : status != ERR_NOT_FOUND;
}

static bool holds_member(struct leaves *leaves, const json_t *masked);

static bool holds_below(struct leaves *leaves, const char *step, const json_t *masked)
{
    size_t length = leaves->path.length;
    text_buffer_append_text(&leaves->path, ".");
    text_buffer_append_text(&leaves->path, step);
    bool held = holds_member(leaves, masked);
    text_buffer_truncate(&leaves->path, length);
    return held;
}

static bool holds_member(struct leaves *leaves, const json_t *masked)
{
    const char *name;
    size_t index;
    json_t *member;
    if (!json_is_object(masked) && !json_is_array(masked))
        return holds_leaf(leaves);
    json_object_foreach ((json_t *)(uintptr_t)masked, name, member) {
        if (holds_below(leaves, name, member))
            return true;
    }
    json_array_foreach (masked, index, member) {
        char step[24];
        snprintf(step, sizeof step, "%zu", index);
        if (holds_below(leaves, step, member))
            return true;
    }
    return false;
}

static bool holds_encrypted(struct leaves *leaves, const char *root, const json_t *masked)
{
    if (!masked)
        return false;
    text_buffer_init(&leaves->path, PATH_MAX_LENGTH);
    text_buffer_append_text(&leaves->path, root);
    bool held = holds_member(leaves, masked);
    text_buffer_finish(&leaves->path);
    return held;
}

static bool holds_iclient_secret(const char *text, const struct grant_context *context)
{
    const struct iclient *iclient = connection_iclient(context->connection);
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        if (iclient_field_row(field)->kind == FIELD_SECRET && holds_secret(text, iclient_secret(iclient, field)))
            return true;
    }
    struct leaves leaves = {.text = text, .look_up = look_up_iclient, .context = context};
    return holds_encrypted(&leaves, "oauth2.encrypted", iclient_json(iclient, ICLIENT_ENCRYPTED));
}

static bool holds_connection_secret(const char *text, const struct grant_context *context)
{
    if (holds_secret(text, connection_password(context->connection)))
        return true;
    AUTO_JSON document = connection_to_json(context->connection);
    struct leaves leaves = {.text = text, .look_up = look_up_connection, .context = context};
    return !document || holds_encrypted(&leaves, "encrypted", json_object_get(document, "encrypted"));
}

static bool holds_context_secret(const char *text, const struct grant_context *context)
{
    const struct token_set *tokens = context->tokens;
    return holds_text(text, context->code) || holds_text(text, context->code_verifier) ||
           holds_text(text, context->state) || holds_secret(text, context->token) ||
           (tokens && (holds_secret(text, tokens->access_token) || holds_secret(text, tokens->refresh_token)));
}

/* A token, or all that a path with "*" led to. */
static bool holds_value(const char *text, const json_t *value)
{
    size_t index;
    const json_t *element;
    json_array_foreach (value, index, element) {
        if (holds_text(text, json_string_value(element)))
            return true;
    }
    return holds_text(text, json_string_value(value));
}

static bool holds_reply_token(const char *text, const struct iclient *iclient, const struct reply_document *body)
{
    const struct reply_path *paths[] = {
        token_path_access(iclient, false),
        token_path_access(iclient, true),
        token_path_refresh(iclient, false),
        token_path_refresh(iclient, true),
    };
    if (!body)
        return false;
    AUTO_JSON id_token = reply_document_member(body, "id_token");
    if (holds_value(text, id_token))
        return true;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        AUTO_JSON token = reply_path_find(paths[i], body);
        if (holds_value(text, token))
            return true;
    }
    return false;
}

static bool holds_any(const struct grant_context *context, const struct reply_document *body, const char *text)
{
    return holds_context_secret(text, context) || holds_connection_secret(text, context) ||
           holds_iclient_secret(text, context) ||
           holds_reply_token(text, connection_iclient(context->connection), body);
}

bool secret_search(const struct grant_context *context, const struct reply_document *body, const char *text)
{
    AUTO_FINISH(text_buffer) decoded;
    text_buffer_init(&decoded, ESCAPED_TEXT_MAX);
    if (holds_any(context, body, text))
        return true;
    if (!strpbrk(text, "%&\\"))
        return false;
    for (unsigned layer = 0; layer < ESCAPE_LAYERS_MAX; layer++) {
        AUTO_FINISH(text_buffer) before = decoded;
        text_buffer_init(&decoded, ESCAPED_TEXT_MAX);
        /* What cannot be compared is taken for a match. */
        if (!escaped_text_decode(layer ? text_buffer_text(&before) : text, &decoded) ||
            holds_any(context, body, text_buffer_text(&decoded)))
            return true;
    }
    return false;
}
