#include "service/api/api_error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define JSON_API_PATHS "/v2/"
#define JSON_API_TYPE "application/vnd.api+json"
#define BUSY_RETRY_AFTER "1" /* seconds: a queue that is full empties fast */

struct api_error_row {
    const char *code;
    int status;
    bool retryable;
};

static const struct api_error_row *api_error_row(enum api_error_code code)
{
#define API_ERROR_ROW(symbol, code, status, retryable) {code, status, retryable},
    static const struct api_error_row rows[] = {API_ERROR_TABLE(API_ERROR_ROW)};
#undef API_ERROR_ROW
    return &rows[code];
}

int api_error_status(enum api_error_code code)
{
    return api_error_row(code)->status;
}

static int status_of(const struct api_error *error)
{
    return error->refused_status ? error->refused_status : api_error_status(error->code);
}

bool api_error_append_one(const struct api_error *error, struct text_buffer *buffer)
{
    text_buffer_append_format(buffer, "{\"code\":\"%s\",\"message\":", api_error_row(error->code)->code);
    text_buffer_append_json_string(buffer, error->message, strlen(error->message));
    if (error->field) {
        text_buffer_append_text(buffer, ",\"field\":");
        text_buffer_append_json_string(buffer, error->field, strlen(error->field));
    }
    return text_buffer_append_text(buffer, "}");
}

bool api_error_append(const struct api_error *error, struct text_buffer *buffer)
{
    text_buffer_append_text(buffer, "{\"errors\":[");
    api_error_append_one(error, buffer);
    text_buffer_append_text(buffer, "]");
    if (!error->refused_status)
        text_buffer_append_format(buffer, ",\"retryable\":%s",
                                  api_error_row(error->code)->retryable ? "true" : "false");
    if (error->members) {
        text_buffer_append_text(buffer, ",");
        text_buffer_append_text(buffer, error->members);
    }
    return text_buffer_append_text(buffer, "}");
}

/* ---- JSON:API ---- */

bool api_error_is_json_api(const struct http_call *call)
{
    struct http_text path = http_call_path(call);
    return path.length >= strlen(JSON_API_PATHS) && strncasecmp(path.data, JSON_API_PATHS, strlen(JSON_API_PATHS)) == 0;
}

const char *api_error_content_type(const struct http_call *call)
{
    return api_error_is_json_api(call) ? JSON_API_TYPE : "application/json";
}

bool api_error_append_json_api(const struct api_error *error, struct text_buffer *buffer)
{
    text_buffer_append_format(buffer, "{\"status\":\"%d\",\"code\":\"%s\",\"detail\":", status_of(error),
                              api_error_row(error->code)->code);
    text_buffer_append_json_string(buffer, error->message, strlen(error->message));
    if (error->field) {
        text_buffer_append_format(buffer, ",\"source\":{\"%s\":", *error->field == '/' ? "pointer" : "parameter");
        text_buffer_append_json_string(buffer, error->field, strlen(error->field));
        text_buffer_append_text(buffer, "}");
    }
    return text_buffer_append_text(buffer, "}");
}

static bool append_whole(const struct http_call *call, const struct api_error *error, struct text_buffer *body)
{
    if (!api_error_is_json_api(call))
        return api_error_append(error, body);
    text_buffer_append_text(body, "{\"errors\":[");
    api_error_append_json_api(error, body);
    return text_buffer_append_text(body, "]}");
}

/* ---- replies ---- */

void api_error_reply(struct http_call *call, const struct api_error *error)
{
    struct http_reply_header headers[3] = {{"Cache-Control", "no-store"}};
    size_t count = 1;
    char seconds[24];
    bool is_busy = error->code == API_ERROR_BUSY || error->code == API_ERROR_OVERLOADED;
    if (error->retry_after > 0) {
        snprintf(seconds, sizeof seconds, "%" PRId64, error->retry_after);
        headers[count++] = (struct http_reply_header){"Retry-After", seconds};
    } else if (is_busy) {
        headers[count++] = (struct http_reply_header){"Retry-After", BUSY_RETRY_AFTER};
    }
    if (error->allow)
        headers[count++] = (struct http_reply_header){"Allow", error->allow};

    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_ERROR_TEXT_MAX);
    if (!append_whole(call, error, &body)) {
        api_error_reply_no_memory(call);
        return;
    }
    http_call_reply(call, status_of(error), api_error_content_type(call), headers, count, text_buffer_text(&body),
                    body.length);
}

void api_error_reply_text(struct http_call *call, enum api_error_code code, const char *message)
{
    api_error_reply(call, &(struct api_error){.code = code, .message = message});
}

void api_error_reply_field(struct http_call *call, const char *field, const char *message)
{
    api_error_reply(call, &(struct api_error){.code = API_ERROR_INVALID_REQUEST, .message = message, .field = field});
}

void api_error_reply_no_memory(struct http_call *call)
{
    static const char plain[] =
        "{\"errors\":[{\"code\":\"busy\",\"message\":\"no memory for this request now\"}],\"retryable\":true}";
    static const char json_api[] =
        "{\"errors\":[{\"status\":\"503\",\"code\":\"busy\",\"detail\":\"no memory for this request now\"}]}";
    static const struct http_reply_header headers[] = {{"Cache-Control", "no-store"},
                                                       {"Retry-After", BUSY_RETRY_AFTER}};
    const char *body = api_error_is_json_api(call) ? json_api : plain;
    http_call_reply(call, api_error_status(API_ERROR_OVERLOADED), api_error_content_type(call), headers,
                    sizeof headers / sizeof *headers, body, strlen(body));
}

void api_error_reply_refusal(struct http_call *call, const struct http_refusal *refusal)
{
    struct api_error error = {.message = refusal->message, .retry_after = refusal->retry_after};
    if (refusal->retry_after == 0) {
        error.code = API_ERROR_INVALID_REQUEST;
        error.refused_status = refusal->status;
    } else {
        error.code = refusal->status == api_error_status(API_ERROR_BUSY) ? API_ERROR_BUSY : API_ERROR_OVERLOADED;
    }
    api_error_reply(call, &error);
}
