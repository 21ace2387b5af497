/* The token as services see it, made once per change, so that a request costs a copy. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "broker/entry/token_entry_state.h"
#include "protocol/request/token_use.h"

enum { TOKEN_REPLY_MAX = 256 * 1024 };

static void append_optional_text(struct text_buffer *json, const char *text)
{
    if (text)
        text_buffer_append_json_string(json, text, strlen(text));
    else
        text_buffer_append_text(json, "null");
}

static void append_optional_time(struct text_buffer *json, int64_t time)
{
    if (time)
        text_buffer_append_format(json, "%" PRId64, time);
    else
        text_buffer_append_text(json, "null");
}

static void render_json(const struct token_entry *entry, const char *stale_reason, struct text_buffer *json,
                        size_t *ret_expires_in_offset)
{
    const struct iclient *iclient = connection_iclient(entry->connection);
    const struct token_set *tokens = entry->tokens;
    const char *scope = token_entry_scope(entry);
    text_buffer_append_text(json, "{\"access_token\":");
    text_buffer_append_json_string(json, secret_reveal(tokens->access_token), secret_length(tokens->access_token));
    text_buffer_append_text(json, ",\"token_type\":");
    append_optional_text(json, tokens->token_type ? tokens->token_type : "Bearer");
    text_buffer_append_text(json, ",\"expires_in\":");
    *ret_expires_in_offset = json->length;
    text_buffer_append(json, "null       ", EXPIRES_IN_WIDTH);
    text_buffer_append_text(json, ",\"expires_at\":");
    append_optional_time(json, tokens->expires_at);
    text_buffer_append_text(json, ",\"scope\":");
    append_optional_text(json, scope);
    text_buffer_append_text(json, ",\"refresh_after\":");
    append_optional_time(json, entry->refresh_after);
    text_buffer_append_format(json, ",\"generation\":%" PRIu64 ",\"stale_reason\":", tokens->generation);
    append_optional_text(json, stale_reason);
    text_buffer_append_text(json, ",\"connection\":");
    append_optional_text(json, connection_name(entry->connection));
    text_buffer_append_text(json, ",\"iclient\":");
    append_optional_text(json, iclient_name(iclient));
    text_buffer_append_text(json, ",\"request\":");
    token_use_append_json(iclient, tokens, json);
    if (tokens->metadata) {
        text_buffer_append_text(json, ",\"metadata\":");
        text_buffer_append_json(json, tokens->metadata);
    }
    text_buffer_append_text(json, "}");
}

const struct token_reply *token_entry_reply(struct token_entry *entry)
{
    if (entry->reply.json)
        return &entry->reply;
    if (!entry->fits)
        return NULL;
    AUTO_FINISH(text_buffer) json;
    text_buffer_init(&json, TOKEN_REPLY_MAX);
    render_json(entry, token_entry_stale_reason(entry), &json, &entry->reply.expires_in_offset);
    entry->reply.json = text_buffer_take_secret(&json);
    return entry->reply.json ? &entry->reply : NULL;
}

enum status token_entry_header(struct token_entry *entry, const struct secret **ret_header)
{
    if (!entry->header) {
        AUTO_FINISH(text_buffer) header;
        text_buffer_init(&header, TOKEN_REPLY_MAX);
        if (token_use_append_header(connection_iclient(entry->connection), entry->tokens, &header, NULL) ==
            ERR_UNSUPPORTED)
            return ERR_UNSUPPORTED;
        text_buffer_append_text(&header, "\n");
        entry->header = text_buffer_take_secret(&header);
        if (!entry->header)
            return ERR_NO_MEMORY;
    }
    *ret_header = entry->header;
    return OK;
}

struct secret *token_entry_render_short(struct token_entry *entry, int64_t now)
{
    AUTO_FINISH(text_buffer) json;
    text_buffer_init(&json, TOKEN_REPLY_MAX);
    const char *stale_reason = token_entry_stale_reason(entry);
    size_t expires_in_offset = 0;
    render_json(entry, stale_reason ? stale_reason : "min_ttl_unmet", &json, &expires_in_offset);
    if (json.failed)
        return NULL;
    token_reply_write_expires_in(entry, now, json.data + expires_in_offset);
    return text_buffer_take_secret(&json);
}

void token_reply_write_expires_in(const struct token_entry *entry, int64_t now, char at[EXPIRES_IN_WIDTH])
{
    int64_t seconds_left = token_entry_seconds_left(entry, now);
    memset(at, ' ', EXPIRES_IN_WIDTH);
    if (seconds_left == INT64_MAX) {
        memcpy(at, "null", sizeof "null" - 1); /* NOLINT(bugprone-not-null-terminated-result): a field of fixed width */
        return;
    }
    uint64_t left = seconds_left > 0 ? (uint64_t)seconds_left : 0;
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    for (size_t i = 0; i < count && i < EXPIRES_IN_WIDTH; i++)
        at[i] = digits[count - 1 - i];
}

bool token_entry_append_watch_line(struct token_entry *entry, uid_t user, int64_t now, struct text_buffer *buffer)
{
    bool has_token = token_entry_is_usable_for(entry, user, now);
    const struct token_reply *reply = has_token ? token_entry_reply(entry) : NULL;
    if (has_token && !reply) {
        buffer->failed = true;
        return false;
    }
    if (reply) {
        size_t start = buffer->length;
        if (!text_buffer_append(buffer, secret_reveal(reply->json), secret_length(reply->json)))
            return false;
        token_reply_write_expires_in(entry, now, buffer->data + start + reply->expires_in_offset);
        return true;
    }
    text_buffer_append_text(buffer, "{\"connection\":");
    append_optional_text(buffer, connection_name(entry->connection));
    text_buffer_append_format(buffer, ",\"state\":\"%s\",\"error\":", entry_state_name(entry->state));
    if (entry->trouble) {
        text_buffer_append_text(buffer, "{\"code\":");
        append_optional_text(buffer, entry->trouble->code);
        text_buffer_append_text(buffer, ",\"message\":");
        append_optional_text(buffer, entry->trouble->message);
        text_buffer_append_text(buffer, "}");
    } else {
        text_buffer_append_text(buffer, "null");
    }
    return text_buffer_append_text(buffer, "}");
}
