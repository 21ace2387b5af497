#include "model/reply/token_set.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/json/json_flat.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

/* Far beyond every clamped expiry, and sums of two of them in milliseconds still fit. */
static const int64_t time_max = INT64_C(1) << 52;

static const struct {
    const char *name;
    size_t offset;
    int64_t min;
} times[] = {
    {"obtained_at", offsetof(struct token_set, obtained_at), 0},
    {"expires_at", offsetof(struct token_set, expires_at), 0},
    {"refresh_expires_at", offsetof(struct token_set, refresh_expires_at), 0},
    {"refreshes_left", offsetof(struct token_set, refreshes_left), -1},
};
enum { TIME_COUNT = sizeof times / sizeof times[0] };

/* UNKNOWN is left out, as it is by versions that did not look. */
static const char *const rotation_words[] = {
    [TOKEN_ROTATION_UNKNOWN] = NULL,
    [TOKEN_ROTATION_KEPT] = "kept",
    [TOKEN_ROTATION_REPLACED] = "replaced",
};

static enum token_rotation find_rotation(const char *word, size_t length)
{
    for (size_t i = TOKEN_ROTATION_KEPT; word && i < sizeof rotation_words / sizeof rotation_words[0]; i++) {
        if (strlen(rotation_words[i]) == length && memcmp(rotation_words[i], word, length) == 0)
            return (enum token_rotation)i;
    }
    return TOKEN_ROTATION_UNKNOWN;
}

static int64_t *time_at(struct token_set *tokens, size_t offset)
{
    return (int64_t *)(void *)((char *)tokens + offset);
}

struct token_set *token_set_create(void)
{
    struct token_set *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return NULL;
    tokens->holds = 1;
    tokens->refreshes_left = -1;
    return tokens;
}

struct token_set *token_set_hold(struct token_set *tokens)
{
    if (tokens)
        tokens->holds++;
    return tokens;
}

void token_set_destroy(struct token_set *tokens)
{
    if (!tokens || --tokens->holds > 0)
        return;
    secret_destroy(tokens->access_token);
    secret_destroy(tokens->refresh_token);
    free(tokens->token_type);
    free(tokens->scope);
    json_decref(tokens->metadata);
    token_binding_destroy(tokens->binding);
    free(tokens);
}

void token_set_bind(struct token_set *tokens, struct token_binding *take_binding)
{
    token_binding_destroy(tokens->binding);
    tokens->binding = take_binding;
}

/* ---- writing ---- */

static void append_member(struct text_buffer *text, const char *name, const char *value, size_t length)
{
    if (!value)
        return;
    text_buffer_append_format(text, "\"%s\":", name);
    text_buffer_append_json_string(text, value, length);
    text_buffer_append_text(text, ",");
}

static void append_secret(struct text_buffer *text, const char *name, const struct secret *secret)
{
    append_member(text, name, secret_reveal(secret), secret_length(secret));
}

static void append_text(struct text_buffer *text, const char *name, const char *value)
{
    append_member(text, name, value, value ? strlen(value) : 0);
}

/* Beside the parts: how they are to be read. */
enum { BINDING_FORM = 1 };

static void append_binding(struct text_buffer *text, const struct token_binding *binding)
{
    if (!binding)
        return;
    text_buffer_append_format(text, "\"binding\":%d,", BINDING_FORM);
    for (int i = 0; i < BINDING_PART_COUNT; i++)
        append_text(text, binding_part_name((enum binding_part)i), token_binding_value(binding, (enum binding_part)i));
}

struct secret *token_set_serialise(const struct token_set *tokens)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, SECRET_MAX);
    text_buffer_append_text(&text, "{");
    append_secret(&text, "access_token", tokens->access_token);
    append_secret(&text, "refresh_token", tokens->refresh_token);
    append_text(&text, "token_type", tokens->token_type);
    append_text(&text, "scope", tokens->scope);
    append_text(&text, "rotation", rotation_words[tokens->rotation]);
    if (tokens->metadata) {
        text_buffer_append_text(&text, "\"metadata\":");
        text_buffer_append_json(&text, tokens->metadata);
        text_buffer_append_text(&text, ",");
    }
    for (size_t i = 0; i < TIME_COUNT; i++) {
        const int64_t *time = (const int64_t *)(const void *)((const char *)tokens + times[i].offset);
        text_buffer_append_format(&text, "\"%s\":%" PRId64 ",", times[i].name, *time);
    }
    append_binding(&text, tokens->binding);
    text_buffer_append_format(&text, "\"generation\":%" PRIu64 "}", tokens->generation);
    return text_buffer_take_secret(&text);
}

/* ---- reading: the binding ---- */

/* A binding tells its grant at least, or that it is an earlier version's. */
static bool is_binding(int64_t form, const char *const *values)
{
    return form == BINDING_FORM && (values[BINDING_GRANT] || values[BINDING_FINGERPRINT]);
}

/* False: no memory. A binding that cannot be read stays NULL. */
static bool copy_binding(const struct json_flat_member *members, size_t count, struct token_binding **ret_binding)
{
    const char *values[BINDING_PART_COUNT];
    size_t lengths[BINDING_PART_COUNT];
    const struct json_flat_member *form = json_flat_find(members, count, "binding");
    bool is_good = form && !form->text;
    for (int i = 0; is_good && i < BINDING_PART_COUNT; i++) {
        const struct json_flat_member *member = json_flat_find(members, count, binding_part_name((enum binding_part)i));
        is_good = !member || member->text;
        values[i] = member ? member->text : NULL;
        lengths[i] = member ? member->length : 0;
    }
    if (!is_good || !is_binding(form->number, values))
        return true;
    *ret_binding = token_binding_create_from(values, lengths);
    return *ret_binding != NULL;
}

static bool read_binding(const json_t *document, struct token_binding **ret_binding)
{
    const char *values[BINDING_PART_COUNT];
    const json_t *form = json_object_get(document, "binding");
    for (int i = 0; i < BINDING_PART_COUNT; i++) {
        const json_t *value = json_object_get(document, binding_part_name((enum binding_part)i));
        if (value && !json_is_string(value))
            return true;
        values[i] = json_string_value(value);
    }
    if (!json_is_integer(form) || !is_binding(json_integer_value(form), values))
        return true;
    *ret_binding = token_binding_create(values);
    return *ret_binding != NULL;
}

/* ---- reading: the rest ---- */

/* Absent is fine; anything but a string is not. */
static bool read_secret(const json_t *document, const char *name, struct secret **ret_secret)
{
    const json_t *value = json_object_get(document, name);
    if (!value)
        return true;
    if (!json_is_string(value))
        return false;
    *ret_secret = secret_create(json_string_value(value), json_string_length(value));
    return *ret_secret != NULL;
}

static bool read_text(const json_t *document, const char *name, char **ret_text)
{
    const json_t *value = json_object_get(document, name);
    if (!value)
        return true;
    if (!json_is_string(value))
        return false;
    *ret_text = strdup(json_string_value(value));
    return *ret_text != NULL;
}

static bool is_in_bounds(size_t time, int64_t value)
{
    return value >= times[time].min && value <= time_max;
}

static bool read_numbers(const json_t *document, struct token_set *tokens)
{
    for (size_t i = 0; i < TIME_COUNT; i++) {
        const json_t *value = json_object_get(document, times[i].name);
        int64_t time = json_integer_value(value);
        if (!json_is_integer(value) || !is_in_bounds(i, time))
            return false;
        *time_at(tokens, times[i].offset) = time;
    }
    const json_t *generation = json_object_get(document, "generation");
    if (!json_is_integer(generation) || json_integer_value(generation) < 0)
        return false;
    tokens->generation = (uint64_t)json_integer_value(generation);
    return true;
}

/* Absent is fine. */
static bool is_text(const struct json_flat_member *member)
{
    return !member || member->text;
}

static bool copy_secret(const struct json_flat_member *member, struct secret **ret_secret)
{
    if (member)
        *ret_secret = secret_create(member->text, member->length);
    return !member || *ret_secret;
}

static bool copy_text(const struct json_flat_member *member, char **ret_text)
{
    if (member)
        *ret_text = strndup(member->text, member->length);
    return !member || *ret_text;
}

/* What token_set_serialise() writes where there is no metadata and all is ASCII. NULL: something else, or no memory. */
static struct token_set *parse_flat(const struct secret *text)
{
    struct json_flat_member members[TIME_COUNT + 7 + BINDING_PART_COUNT];
    size_t count;
    if (!json_flat_read(secret_reveal(text), secret_length(text), members, sizeof members / sizeof members[0], &count))
        return NULL;
    AUTO(token_set) tokens = token_set_create();
    if (!tokens)
        return NULL;
    const struct json_flat_member *access_token = json_flat_find(members, count, "access_token");
    const struct json_flat_member *refresh_token = json_flat_find(members, count, "refresh_token");
    const struct json_flat_member *token_type = json_flat_find(members, count, "token_type");
    const struct json_flat_member *scope = json_flat_find(members, count, "scope");
    const struct json_flat_member *rotation = json_flat_find(members, count, "rotation");
    const struct json_flat_member *generation = json_flat_find(members, count, "generation");
    bool is_good = !json_flat_find(members, count, "metadata") && access_token && access_token->length > 0 &&
                   is_text(refresh_token) && is_text(token_type) && is_text(scope) && is_text(rotation) && generation &&
                   !generation->text && generation->number >= 0;
    for (size_t i = 0; is_good && i < TIME_COUNT; i++) {
        const struct json_flat_member *time = json_flat_find(members, count, times[i].name);
        is_good = time && !time->text && is_in_bounds(i, time->number);
        if (is_good)
            *time_at(tokens, times[i].offset) = time->number;
    }
    if (!is_good)
        return NULL;
    tokens->generation = (uint64_t)generation->number;
    if (rotation)
        tokens->rotation = find_rotation(rotation->text, rotation->length);
    is_good = copy_secret(access_token, &tokens->access_token) && copy_secret(refresh_token, &tokens->refresh_token) &&
              copy_text(token_type, &tokens->token_type) && copy_text(scope, &tokens->scope) &&
              copy_binding(members, count, &tokens->binding);
    return is_good ? TAKE(tokens) : NULL;
}

enum status token_set_parse(const struct secret *text, struct token_set **ret_tokens, struct error *ret_error)
{
    AUTO_JSON document = NULL;
    struct token_set *flat = text ? parse_flat(text) : NULL;
    if (flat) {
        *ret_tokens = flat;
        return OK;
    }
    if (!text || json_read_text(secret_reveal(text), secret_length(text), &document, NULL) != OK ||
        !json_is_object(document))
        return error_set(ret_error, ERR_CORRUPT, "stored token set: not the JSON object that was written");
    AUTO(token_set) tokens = token_set_create();
    if (!tokens)
        return error_set(ret_error, ERR_NO_MEMORY, "token set");
    if (!read_secret(document, "access_token", &tokens->access_token) ||
        !read_secret(document, "refresh_token", &tokens->refresh_token) ||
        !read_text(document, "token_type", &tokens->token_type) || !read_text(document, "scope", &tokens->scope) ||
        !read_numbers(document, tokens))
        return error_set(ret_error, ERR_CORRUPT,
                         "stored token set: a member is missing, of the wrong type or out of bounds");
    const json_t *rotation = json_object_get(document, "rotation");
    tokens->rotation = find_rotation(json_string_value(rotation), json_string_length(rotation));
    if (secret_length(tokens->access_token) == 0)
        return error_set(ret_error, ERR_CORRUPT, "stored token set: there is no access token");
    if (!read_binding(document, &tokens->binding))
        return error_set(ret_error, ERR_NO_MEMORY, "token set");
    json_t *metadata = json_object_get(document, "metadata");
    if (metadata && !json_is_object(metadata))
        return error_set(ret_error, ERR_CORRUPT, "stored token set: metadata is no object");
    tokens->metadata = json_incref(metadata);
    *ret_tokens = TAKE(tokens);
    return OK;
}
