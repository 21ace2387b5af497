#include "iclientctl/terminal/placeholder.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text/base64.h"
#include "base/json/json_read.h"
#include "base/random.h"
#include "model/catalog/document_secrets.h"

#define BASIC "Basic "

enum { DECODED_MAX = 256 * 1024 };

struct placeholder {
    char *value;
    char *shown;
};

struct placeholders {
    struct placeholder list[PLACEHOLDERS_MAX];
    size_t count;
};

struct placeholders *placeholders_create(void)
{
    return calloc(1, sizeof(struct placeholders));
}

size_t placeholders_count(const struct placeholders *placeholders)
{
    return placeholders->count;
}

void placeholders_truncate(struct placeholders *placeholders, size_t count)
{
    while (placeholders->count > count) {
        struct placeholder *last = &placeholders->list[--placeholders->count];
        free(last->value);
        free(last->shown);
    }
}

void placeholders_destroy(struct placeholders *placeholders)
{
    if (!placeholders)
        return;
    placeholders_truncate(placeholders, 0);
    free(placeholders);
}

const char *placeholder_add_value(struct placeholders *placeholders, const char *value, const char *shown)
{
    if (placeholders->count == PLACEHOLDERS_MAX)
        return NULL;
    struct placeholder added = {.value = strdup(value), .shown = strdup(shown)};
    if (!added.value || !added.shown) {
        free(added.value);
        free(added.shown);
        return NULL;
    }
    placeholders->list[placeholders->count++] = added;
    return added.value;
}

static const char *add_random(struct placeholders *placeholders, const char *shown, size_t length)
{
    unsigned char bytes[PLACEHOLDER_LENGTH];
    char value[PLACEHOLDER_LENGTH + 1] = "";
    if (random_bytes(bytes, sizeof bytes) != OK)
        return NULL;
    for (size_t i = 0; i < length; i++)
        value[i] = (char)('a' + bytes[i] % 26);
    return placeholder_add_value(placeholders, value, shown);
}

const char *placeholder_add(struct placeholders *placeholders, const char *shown)
{
    return add_random(placeholders, shown, PLACEHOLDER_LENGTH);
}

const char *placeholder_add_short(struct placeholders *placeholders, const char *shown)
{
    return add_random(placeholders, shown, PLACEHOLDER_SHORT_LENGTH);
}

/* ---- text ---- */

static const struct placeholder *find_at(const struct placeholders *placeholders, const char *text)
{
    for (size_t i = 0; i < placeholders->count; i++) {
        const struct placeholder *placeholder = &placeholders->list[i];
        if (strncmp(text, placeholder->value, strlen(placeholder->value)) == 0)
            return placeholder;
    }
    return NULL;
}

static bool show_plain(const struct placeholders *placeholders, const char *text, size_t length,
                       struct text_buffer *buffer)
{
    for (const char *at = text; at < text + length;) {
        const struct placeholder *placeholder = find_at(placeholders, at);
        if (placeholder)
            text_buffer_append_text(buffer, placeholder->shown);
        else
            text_buffer_append(buffer, at, 1);
        at += placeholder ? strlen(placeholder->value) : 1;
    }
    return !buffer->failed;
}

/* ---- JWTs: base64url(header) "." base64url(payload) "." base64url(signature) ---- */

/* One part up to its dot, decoded, with the placeholders in it shown. NULL when it is no JSON object. */
static json_t *decode_part(const struct placeholders *placeholders, const char *part, size_t length)
{
    AUTO_FINISH(text_buffer) decoded;
    AUTO_FINISH(text_buffer) shown;
    text_buffer_init(&decoded, DECODED_MAX);
    text_buffer_init(&shown, DECODED_MAX);
    json_t *value = NULL;
    if (base64url_decode(part, length, &decoded) != OK ||
        !show_plain(placeholders, text_buffer_text(&decoded), decoded.length, &shown) ||
        json_read_text(text_buffer_text(&shown), shown.length, &value, NULL) != OK)
        return NULL;
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static size_t span_base64url(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

/* The length of the JWT that text begins with, decoded into *ret_jwt; 0 when there is none. */
static size_t read_jwt(const struct placeholders *placeholders, const char *text, json_t **ret_jwt)
{
    const char *const header = text;
    const size_t header_length = span_base64url(header);
    if (strncmp(header, "eyJ", 3) != 0 || header[header_length] != '.')
        return 0;
    const char *const payload = header + header_length + 1;
    const size_t payload_length = span_base64url(payload);
    if (payload_length == 0 || payload[payload_length] != '.')
        return 0;
    const char *const signature = payload + payload_length + 1;
    AUTO_JSON decoded_header = decode_part(placeholders, header, header_length);
    AUTO_JSON decoded_payload = decode_part(placeholders, payload, payload_length);
    if (!decoded_header || !decoded_payload)
        return 0;
    *ret_jwt = json_pack("{s:O, s:O}", "header", decoded_header, "payload", decoded_payload);
    return (size_t)(signature + span_base64url(signature) - text);
}

bool placeholders_show(const struct placeholders *placeholders, const char *text, json_t *jwts,
                       struct text_buffer *buffer)
{
    const char *from = text;
    for (const char *at = strstr(text, "eyJ"); at; at = strstr(at, "eyJ")) {
        json_t *jwt = NULL;
        size_t length = read_jwt(placeholders, at, &jwt);
        if (length == 0) {
            at++;
            continue;
        }
        show_plain(placeholders, from, (size_t)(at - from), buffer);
        if (json_array_append_new(jwts, jwt) != 0)
            return false;
        text_buffer_append_format(buffer, "<JWT %zu>", json_array_size(jwts));
        at += length;
        from = at;
    }
    return show_plain(placeholders, from, strlen(from), buffer);
}

/* ---- Basic ---- */

/* RFC 4648 §4 to §5, which is the one that base decodes. */
static bool decode_base64(const char *text, struct text_buffer *ret_bytes)
{
    AUTO_TEXT copy = strdup(text);
    if (!copy)
        return false;
    for (char *at = copy; *at; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
    }
    return base64url_decode(copy, strcspn(copy, "="), ret_bytes) == OK;
}

static bool has_placeholder(const struct placeholders *placeholders, const char *text)
{
    for (; *text; text++) {
        if (find_at(placeholders, text))
            return true;
    }
    return false;
}

bool placeholders_show_header(const struct placeholders *placeholders, const char *value, json_t *jwts,
                              struct text_buffer *buffer)
{
    bool basic = strncasecmp(value, BASIC, strlen(BASIC)) == 0;
    if (!basic || has_placeholder(placeholders, value))
        return placeholders_show(placeholders, value, jwts, buffer);
    AUTO_FINISH(text_buffer) decoded;
    text_buffer_init(&decoded, DECODED_MAX);
    /* What was written into the document by hand has no placeholder in it, and is none the less a secret. */
    if (!decode_base64(value + strlen(BASIC), &decoded) || !has_placeholder(placeholders, text_buffer_text(&decoded)))
        return text_buffer_append_text(buffer, BASIC SECRET_MASK);
    text_buffer_append_text(buffer, BASIC "base64(");
    show_plain(placeholders, text_buffer_text(&decoded), decoded.length, buffer);
    return text_buffer_append_text(buffer, ")");
}
