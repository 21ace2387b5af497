#include "protocol/request/token_use.h"

#include <string.h>

static const char *location_of(const struct iclient *iclient)
{
    const char *location = iclient_text(iclient, ICLIENT_ACCESS_TOKEN_LOCATION);
    return location ? location : "header";
}

static bool is_in_header(const struct iclient *iclient)
{
    return strcmp(location_of(iclient), "header") == 0;
}

static bool append_token(const struct token_set *tokens, struct text_buffer *buffer)
{
    return text_buffer_append(buffer, secret_reveal(tokens->access_token), secret_length(tokens->access_token));
}

bool token_use_append_header_value(const struct iclient *iclient, const struct token_set *tokens,
                                   struct text_buffer *buffer)
{
    const char *scheme = iclient_text(iclient, ICLIENT_SCHEME);
    if (scheme && *scheme) {
        text_buffer_append_text(buffer, scheme);
        text_buffer_append_text(buffer, " ");
    }
    return append_token(tokens, buffer);
}

enum status token_use_append_header(const struct iclient *iclient, const struct token_set *tokens,
                                    struct text_buffer *buffer, struct error *ret_error)
{
    if (!is_in_header(iclient))
        return error_set(ret_error, ERR_UNSUPPORTED, "this API takes the token in the %s, not in a header",
                         location_of(iclient));
    text_buffer_append_text(buffer, iclient_text(iclient, ICLIENT_ACCESS_TOKEN_HEADER_NAME));
    text_buffer_append_text(buffer, ": ");
    if (!token_use_append_header_value(iclient, tokens, buffer))
        return error_set(ret_error, ERR_TOO_LARGE, "the header does not fit into %zu bytes", buffer->limit);
    return OK;
}

static bool append_json_text(const char *text, struct text_buffer *buffer)
{
    return text_buffer_append_json_string(buffer, text, strlen(text));
}

bool token_use_append_json(const struct iclient *iclient, const struct token_set *tokens, struct text_buffer *buffer)
{
    bool in_header = is_in_header(iclient);
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, SECRET_MAX);
    bool complete = in_header ? token_use_append_header_value(iclient, tokens, &value) : append_token(tokens, &value);
    if (!complete)
        return false;
    text_buffer_append_text(buffer, "{\"location\":");
    append_json_text(location_of(iclient), buffer);
    text_buffer_append_text(buffer, ",\"name\":");
    append_json_text(
        iclient_text(iclient, in_header ? ICLIENT_ACCESS_TOKEN_HEADER_NAME : ICLIENT_ACCESS_TOKEN_PARAM_NAME), buffer);
    text_buffer_append_text(buffer, ",\"value\":");
    text_buffer_append_json_string(buffer, text_buffer_text(&value), value.length);
    return text_buffer_append_text(buffer, "}");
}
