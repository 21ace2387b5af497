#include "protocol/reply_quote.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "protocol/token_paths.h"

enum {
    TOKEN_RUN_MIN = 24,       /* longer than any word */
    TOKEN_RUN_DIGIT_MIN = 12, /* with a digit in it: longer than any error number or date */
    ENCRYPTED_MAX = 64 * 1024,
};

/* ---- does it hold a secret ---- */

static bool holds_encoded(const char *text, const char *secret,
                          bool (*encode)(struct text_buffer *, const char *, size_t))
{
    AUTO_FINISH(text_buffer) encoded;
    text_buffer_init(&encoded, SECRET_MAX);
    /* What cannot be compared is taken for a match. */
    return !encode(&encoded, secret, strlen(secret)) || strcasestr(text, text_buffer_text(&encoded));
}

static bool holds_text(const char *text, const char *secret)
{
    if (!secret || *secret == '\0')
        return false;
    return strcasestr(text, secret) || holds_encoded(text, secret, text_buffer_append_percent) ||
           holds_encoded(text, secret, text_buffer_append_form);
}

static bool holds_secret(const char *text, const struct secret *secret)
{
    return holds_text(text, secret_reveal(secret));
}

static bool holds_leaf(const char *text, const json_t *value)
{
    if (json_is_string(value))
        return holds_text(text, json_string_value(value));
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        if (holds_leaf(text, member))
            return true;
    }
    size_t index;
    json_array_foreach(value, index, member)
    {
        if (holds_leaf(text, member))
            return true;
    }
    return false;
}

/* The free objects "encrypted": whatever their templates may have sent. */
static bool holds_encrypted(const char *text, enum status found, const struct text_buffer *object)
{
    if (found == ERR_NOT_FOUND)
        return false;
    AUTO_JSON value = NULL;
    if (found != OK || json_read_text(text_buffer_text(object), object->length, &value, NULL) != OK)
        return true;
    return holds_leaf(text, value);
}

static bool holds_iclient_secret(const char *text, const struct iclient *iclient)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        if (iclient_field_row(field)->kind == FIELD_SECRET && holds_secret(text, iclient_secret(iclient, field)))
            return true;
    }
    AUTO_FINISH(text_buffer) encrypted;
    text_buffer_init(&encrypted, ENCRYPTED_MAX);
    return holds_encrypted(text, iclient_lookup(iclient, "oauth2.encrypted", &encrypted), &encrypted);
}

static bool holds_connection_secret(const char *text, const struct connection *connection)
{
    AUTO_FINISH(text_buffer) encrypted;
    text_buffer_init(&encrypted, ENCRYPTED_MAX);
    return holds_secret(text, connection_password(connection)) ||
           holds_encrypted(text, connection_lookup(connection, "encrypted", &encrypted), &encrypted);
}

static bool holds_context_secret(const char *text, const struct grant_context *context)
{
    const struct token_set *tokens = context->tokens;
    return holds_text(text, context->code) || holds_text(text, context->code_verifier) ||
           holds_text(text, context->state) || holds_secret(text, context->token) ||
           (tokens && (holds_secret(text, tokens->access_token) || holds_secret(text, tokens->refresh_token)));
}

static bool holds_reply_token(const char *text, const struct iclient *iclient, const json_t *body)
{
    const char *paths[] = {
        token_path_access(iclient, false),
        token_path_access(iclient, true),
        token_path_refresh(iclient, false),
        token_path_refresh(iclient, true),
        "id_token",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (holds_text(text, json_string_value(json_read_path(body, paths[i]))))
            return true;
    }
    return false;
}

static bool holds_any_secret(const struct grant_context *context, const json_t *body, const char *text)
{
    const struct iclient *iclient = connection_iclient(context->connection);
    return holds_context_secret(text, context) || holds_connection_secret(text, context->connection) ||
           holds_iclient_secret(text, iclient) || holds_reply_token(text, iclient, body);
}

/* ---- quoting ---- */

static size_t token_run(const char *text, bool *ret_has_digit)
{
    static const char token_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=%";
    size_t length = strspn(text, token_characters);
    *ret_has_digit = strcspn(text, "0123456789") < length;
    return length;
}

bool reply_quote(const struct grant_context *context, const json_t *body, const char *text, char *quoted, size_t size)
{
    static const char mask[] = "[...]", cut[] = "...";
    quoted[0] = '\0';
    if (holds_any_secret(context, body, text))
        return false;
    size_t length = 0;
    while (*text) {
        bool has_digit;
        size_t run = token_run(text, &has_digit);
        bool masked = run >= (has_digit ? TOKEN_RUN_DIGIT_MIN : TOKEN_RUN_MIN);
        size_t taken = run > 0 ? run : 1;
        size_t written = masked ? sizeof mask - 1 : taken;
        if (length + written + sizeof cut > size) {
            memcpy(quoted + length, cut, sizeof cut);
            return true;
        }
        if (masked)
            memcpy(quoted + length, mask, written);
        else if (run > 0)
            memcpy(quoted + length, text, written);
        else
            quoted[length] = *text >= ' ' && *text <= '~' ? *text : '?';
        length += written;
        text += taken;
    }
    quoted[length] = '\0';
    return true;
}

bool reply_quote_code(const struct grant_context *context, const json_t *body, const char *code, char *quoted,
                      size_t size)
{
    quoted[0] = '\0';
    size_t length = strlen(code);
    if (length == 0 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (code[i] < ' ' || code[i] > '~' || code[i] == '"' || code[i] == '\\')
            return false;
    }
    bool has_digit;
    if (token_run(code, &has_digit) >= TOKEN_RUN_MIN && has_digit)
        return false;
    if (holds_any_secret(context, body, code))
        return false;
    memcpy(quoted, code, length + 1);
    return true;
}
