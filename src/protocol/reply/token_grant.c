#include "protocol/reply/token_grant.h"

#include <string.h>

#include "base/json/json_read.h"
#include "model/connection/connection_binding.h"
#include "protocol/reply/token_expiry.h"
#include "protocol/reply/token_paths.h"

enum { TOKEN_MAX = 64 * 1024, TOKEN_TYPE_MAX = 128, SCOPE_MAX = 16 * 1024 };

/* One reply being read. */
struct reading {
    const struct grant_context *context;
    const struct iclient *iclient;
    const struct reply_document *body;
    const struct token_set *old; /* at a refresh: what silence keeps; NULL else */
    struct token_set *tokens;
    bool is_refresh;
    bool has_new_refresh_token;
};

static bool is_absent(const json_t *value)
{
    return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

/* ---- access and refresh token ---- */

/* It has to travel in a header: %x21-7E, which is wider than RFC 6750's b64token and all that HTTP can carry safely. */
static bool is_sendable(const char *token, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (token[i] < '!' || token[i] > '~')
            return false;
    }
    return true;
}

static enum status read_access_token(struct reading *reading, struct error *ret_error)
{
    const struct reply_path *path = token_path_access(reading->iclient, reading->is_refresh);
    const char *place = reply_path_text(path);
    AUTO_JSON value = reply_path_find_one(path, reading->body);
    if (is_absent(value))
        return error_set(ret_error, ERR_INVALID, "without an access token at %.64s", place);
    if (!json_is_string(value))
        return error_set(ret_error, ERR_INVALID, "with an access token at %.64s that is no string", place);
    size_t length = json_string_length(value);
    if (length > TOKEN_MAX)
        return error_set(ret_error, ERR_INVALID, "with an access token longer than %d bytes", TOKEN_MAX);
    if (!is_sendable(json_string_value(value), length))
        return error_set(ret_error, ERR_INVALID, "with an access token that no header can carry");
    reading->tokens->access_token = secret_create(json_string_value(value), length);
    return reading->tokens->access_token ? OK : error_set(ret_error, ERR_NO_MEMORY, "access token");
}

/* refreshCount: how many refreshes are left after this exchange; -1: no limit. */
static int64_t count_refreshes(const struct reading *reading)
{
    int64_t allowed = iclient_number(reading->iclient, ICLIENT_REFRESH_COUNT, -1);
    if (allowed < 0 || !reading->old)
        return allowed;
    int64_t left = reading->old->refreshes_left < 0 ? allowed : reading->old->refreshes_left;
    return left > 0 ? left - 1 : 0;
}

/* A provider that replaced the refresh token once does so: a later reply that keeps it is no proof of the contrary. */
static void note_rotation(struct reading *reading)
{
    struct token_set *tokens = reading->tokens;
    bool is_replaced = !secret_equal(tokens->refresh_token, reading->old->refresh_token) ||
                       reading->old->rotation == TOKEN_ROTATION_REPLACED;
    tokens->rotation = is_replaced ? TOKEN_ROTATION_REPLACED : TOKEN_ROTATION_KEPT;
}

static enum status read_refresh_token(struct reading *reading, struct error *ret_error)
{
    struct token_set *tokens = reading->tokens;
    tokens->refreshes_left = count_refreshes(reading);
    if (tokens->refreshes_left == 0)
        return OK;
    const struct reply_path *path = token_path_refresh(reading->iclient, reading->is_refresh);
    AUTO_JSON value = reply_path_find_one(path, reading->body);
    size_t length = json_string_length(value);
    if (json_is_string(value) && length > 0 && length <= TOKEN_MAX) {
        tokens->refresh_token = secret_create(json_string_value(value), length);
        reading->has_new_refresh_token = true;
        if (!tokens->refresh_token)
            return error_set(ret_error, ERR_NO_MEMORY, "refresh token");
        if (reading->old)
            note_rotation(reading);
        return OK;
    }
    /* The access token is good: it must not be lost for this. */
    if (!is_absent(value))
        error_set(ret_error, OK, "the refresh token at %.64s is no string of at most %d bytes", reply_path_text(path),
                  TOKEN_MAX);
    /* RFC 6749 §6: silence keeps the old one. */
    if (!reading->old)
        return OK;
    tokens->refresh_token = secret_hold(reading->old->refresh_token);
    tokens->rotation = reading->old->rotation;
    /* One that cannot be read is no silence, and shows nothing. */
    if (is_absent(value))
        note_rotation(reading);
    return OK;
}

/* ---- expiry ---- */

static void read_expiry(struct reading *reading)
{
    struct token_set *tokens = reading->tokens;
    tokens->obtained_at = reading->context->now;
    tokens->expires_at = token_expiry_read(reading->iclient, reading->body, reading->context->now);
    if (!tokens->refresh_token)
        return;
    bool found =
        token_expiry_read_refresh(reading->iclient, reading->body, reading->context->now, &tokens->refresh_expires_at);
    if (!found && reading->old && !reading->has_new_refresh_token)
        tokens->refresh_expires_at = reading->old->refresh_expires_at;
}

/* ---- type, scope ---- */

static bool is_plain_text(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

static enum status copy_text(const char *text, size_t limit, char **ret_copy, struct error *ret_error)
{
    if (!text || *text == '\0' || strlen(text) > limit || !is_plain_text(text))
        return OK;
    *ret_copy = strdup(text);
    return *ret_copy ? OK : error_set(ret_error, ERR_NO_MEMORY, "token set");
}

static enum status read_token_type(struct reading *reading, struct error *ret_error)
{
    AUTO_JSON value =
        reply_path_find_one(iclient_reply_path(reading->iclient, ICLIENT_TOKEN_TYPE_PATH, 0), reading->body);
    return copy_text(json_string_value(value), TOKEN_TYPE_MAX, &reading->tokens->token_type, ret_error);
}

/* Twitch and others answer with an array. */
static enum status join_scope(const json_t *list, struct text_buffer *scope)
{
    size_t index;
    json_t *element;
    json_array_foreach (list, index, element) {
        if (!json_is_string(element))
            continue;
        if (scope->length > 0)
            text_buffer_append_text(scope, " ");
        text_buffer_append_text(scope, json_string_value(element));
    }
    return scope->failed ? ERR_TOO_LARGE : OK;
}

/* RFC 6749 §6: silence means what was asked for. That is what the old tokens have, unless the scope was narrowed. */
static bool keeps_scope(const struct reading *reading)
{
    const struct token_binding *binding = reading->old ? reading->old->binding : NULL;
    return reading->old && !connection_refresh_scope(reading->context->connection, binding) &&
           (!binding || !token_binding_value(binding, BINDING_REFRESHED_SCOPE));
}

static enum status read_scope(struct reading *reading, struct error *ret_error)
{
    AUTO_JSON value = reply_path_find(iclient_reply_path(reading->iclient, ICLIENT_SCOPE_PATH, 0), reading->body);
    AUTO_FINISH(text_buffer) joined;
    text_buffer_init(&joined, SCOPE_MAX);
    const char *scope = json_string_value(value);
    if (json_is_array(value) && join_scope(value, &joined) == OK)
        scope = text_buffer_text(&joined);
    enum status status = copy_text(scope, SCOPE_MAX, &reading->tokens->scope, ret_error);
    if (status == OK && !reading->tokens->scope && keeps_scope(reading))
        status = copy_text(reading->old->scope, SCOPE_MAX, &reading->tokens->scope, ret_error);
    return status;
}

/* ---- metadata ---- */

static bool keep(json_t *metadata, const char *name, const json_t *value)
{
    if (!value || json_is_null(value))
        return true;
    return json_object_set_new(metadata, name, json_deep_copy(value)) == 0;
}

/* What was kept before, then callbackMetadata, then responseMetadata; the name is the path as it was written. */
static enum status read_metadata(struct reading *reading, struct error *ret_error)
{
    AUTO_JSON metadata =
        reading->old && reading->old->metadata ? json_deep_copy(reading->old->metadata) : json_object();
    size_t index;
    json_t *name;
    bool kept = metadata != NULL;
    json_array_foreach (iclient_json(reading->iclient, ICLIENT_CALLBACK_METADATA), index, name) {
        const char *text = json_string_value(name);
        kept = kept && keep(metadata, text, json_object_get(reading->context->callback, text));
    }
    json_array_foreach (iclient_json(reading->iclient, ICLIENT_RESPONSE_METADATA), index, name) {
        const char *text = json_string_value(name);
        AUTO_JSON value =
            reply_path_find(iclient_reply_path(reading->iclient, ICLIENT_RESPONSE_METADATA, index), reading->body);
        kept = kept && keep(metadata, text, value);
    }
    if (!kept)
        return error_set(ret_error, ERR_NO_MEMORY, "token metadata");
    if (json_object_size(metadata) > 0)
        reading->tokens->metadata = TAKE(metadata);
    return OK;
}

enum status token_grant_read(enum token_exchange exchange, const struct grant_context *context,
                             const struct reply_document *body, struct token_set **ret_tokens, struct error *ret_error)
{
    *ret_error = (struct error){.status = OK};
    AUTO(token_set) tokens = token_set_create();
    if (!tokens)
        return error_set(ret_error, ERR_NO_MEMORY, "token set");
    bool is_refresh = exchange == TOKEN_EXCHANGE_REFRESH;
    struct reading reading = {
        .context = context,
        .iclient = connection_iclient(context->connection),
        .body = body,
        .old = is_refresh ? context->tokens : NULL,
        .tokens = tokens,
        .is_refresh = is_refresh,
    };
    enum status status = read_access_token(&reading, ret_error);
    if (status == OK)
        status = read_refresh_token(&reading, ret_error);
    if (status == OK)
        status = read_token_type(&reading, ret_error);
    if (status == OK)
        status = read_scope(&reading, ret_error);
    if (status == OK)
        status = read_metadata(&reading, ret_error);
    if (status != OK)
        return status;
    read_expiry(&reading);
    *ret_tokens = TAKE(tokens);
    return OK;
}
