#include "service/api/api_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/log/log.h"
#include "base/text/url.h"

uid_t api_request_caller(const struct api_request *request)
{
    return http_call_peer(request->call)->uid;
}

bool api_request_query_text(struct api_request *request, const char *name, char **ret_value)
{
    struct http_text query = http_call_query(request->call);
    *ret_value = NULL;
    if (query.length == 0)
        return true;
    switch (form_find(query.data, query.length, name, ret_value)) {
    case OK:
    case ERR_NOT_FOUND:
        return true;
    case ERR_NO_MEMORY:
        api_error_reply_no_memory(request->call);
        return false;
    default:
        api_error_reply_field(request->call, name, "this parameter stands twice or is badly encoded");
        return false;
    }
}

/* Digits alone: strtoll would take signs and spaces. */
static bool parse_seconds(const char *text, int64_t max, int64_t *ret_seconds)
{
    int64_t seconds = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        seconds = seconds * 10 + (*text - '0');
        if (seconds > max)
            return false;
    }
    *ret_seconds = seconds;
    return true;
}

bool api_request_query_seconds(struct api_request *request, const char *name, int64_t max, int64_t *seconds)
{
    AUTO_TEXT text = NULL;
    if (!api_request_query_text(request, name, &text))
        return false;
    if (!text || parse_seconds(text, max, seconds))
        return true;
    char message[96];
    snprintf(message, sizeof message, "%s is a whole number of seconds, 0 to %" PRId64, name, max);
    api_error_reply_field(request->call, name, message);
    return false;
}

static bool reply_bad_body(struct api_request *request, const char *expected, const char *reason)
{
    char message[ERROR_MESSAGE_MAX + 64];
    snprintf(message, sizeof message, "the body is no JSON%s%s%s", expected, *reason ? ": " : "", reason);
    api_error_reply_text(request->call, API_ERROR_INVALID_REQUEST, message);
    return false;
}

/* expected: " object" or "", for the message. */
static bool read_json(struct api_request *request, const char *expected, json_t **ret_value)
{
    struct http_text body = http_call_body(request->call);
    struct error error;
    enum status status = json_read_text(body.data, body.length, ret_value, &error);
    if (status == ERR_NO_MEMORY)
        api_error_reply_no_memory(request->call);
    else if (status != OK)
        reply_bad_body(request, expected, error.message);
    return status == OK;
}

bool api_request_read_json(struct api_request *request, json_t **ret_value)
{
    *ret_value = NULL;
    return read_json(request, "", ret_value);
}

bool api_request_read_body(struct api_request *request, bool optional, json_t **ret_document)
{
    *ret_document = NULL;
    if (http_call_body(request->call).length == 0) {
        if (!optional)
            api_error_reply_text(request->call, API_ERROR_INVALID_REQUEST, "the body is missing: it is a JSON object");
        return optional;
    }
    AUTO_JSON document = NULL;
    if (!read_json(request, " object", &document))
        return false;
    if (!json_is_object(document))
        return reply_bad_body(request, " object", "");
    *ret_document = TAKE(document);
    return true;
}

void api_reply_text(struct http_call *call, const char *content_type, const struct text_buffer *body)
{
    static const struct http_reply_header headers[] = {{"Cache-Control", "no-store"}};
    if (body->failed) {
        api_error_reply_no_memory(call);
        return;
    }
    http_call_reply(call, 200, content_type, headers, 1, text_buffer_text(body), body->length);
}

void api_reply_json(struct http_call *call, const struct text_buffer *body)
{
    api_reply_text(call, "application/json", body);
}

struct token_entry *api_request_find_entry(struct api_request *request)
{
    struct http_text name = request->match.names[0];
    size_t length;
    if (!route_decode_name(name, request->name, sizeof request->name, &length)) {
        api_error_reply_field(request->call, "name", "the name in the path is too long or badly encoded");
        return NULL;
    }
    request->entry = broker_find(request->api->broker, request->tenant, request->name, length);
    if (!request->entry)
        api_error_reply_text(request->call, API_ERROR_NOT_FOUND, "no connection has this name");
    return request->entry;
}

void api_request_log_action(const struct api_request *request, const char *action)
{
    const struct peer *peer = http_call_peer(request->call);
    log_notice("connection %s: %s asked for by uid %lu, pid %ld", request->name, action, (unsigned long)peer->uid,
               (long)peer->pid);
}
