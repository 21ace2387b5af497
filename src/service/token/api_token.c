#include "service/token/api_token.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "base/uninitialized.h"
#include "service/api/api_health.h"
#include "service/api/api_permission.h"
#include "service/admin/connection_json.h"

enum { REJECTED_BODY_MAX = 256 * 1024, REJECTED_REPLY_MAX = 512 * 1024 };

static const struct route routes[] = {
    {HTTP_VERB_GET, "/v1/token/*", NEED_ACCESS, 0, api_token_get},
    {HTTP_VERB_POST, "/v1/token/*/rejected", NEED_ACCESS, REJECTED_BODY_MAX, api_token_rejected},
    {HTTP_VERB_GET, "/v1/token/*/watch", NEED_ACCESS, 0, api_token_watch},
    {HTTP_VERB_GET, "/v1/connections", NEED_ANYBODY, 0, api_token_list},
    {HTTP_VERB_GET, "/healthz", NEED_ANYBODY, 0, api_health_get},
    {HTTP_VERB_GET, "/readyz", NEED_ANYBODY, 0, api_ready_get},
};
const struct route_table api_token_routes = {routes, sizeof routes / sizeof routes[0], false};

/* The forms a token is given in; the last two are those of a reply to a rejection report. */
enum token_form { FORM_JSON, FORM_HEADER, FORM_RAW, FORM_NO_AUTH_FAILURE, FORM_AUTH_FAILURE };

/* "auth_failure" as the form says it; NULL when the form has none. */
static const char *auth_failure_member(enum token_form form)
{
    if (form == FORM_AUTH_FAILURE)
        return "\"auth_failure\":true";
    return form == FORM_NO_AUTH_FAILURE ? "\"auth_failure\":false" : NULL;
}

/* ---- ready replies: the hot path, so nothing here allocates or formats ---- */

#define READY_HEAD(type) "Content-Type: " type "\r\nCache-Control: no-store\r\nContent-Length: "
enum { READY_HEAD_MAX = 160, DECIMAL_MAX = 20 };

static const char json_head[] = READY_HEAD("application/json");
static const char text_head[] = READY_HEAD("text/plain; charset=utf-8");

static size_t write_ready_head(char *head, const char *start, size_t start_length, size_t content_length)
{
    char digits[DECIMAL_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + content_length % 10);
        content_length /= 10;
    } while (content_length);
    memcpy(head, start, start_length);
    char *at = head + start_length;
    while (count > 0)
        *at++ = digits[--count];
    *at++ = '\r';
    *at++ = '\n';
    return (size_t)(at - head);
}

static void reply_ready_json(struct http_call *call, const struct token_entry *entry, const struct token_reply *reply)
{
    UNINITIALIZED char head[READY_HEAD_MAX];
    size_t length = secret_length(reply->json);
    size_t head_length = write_ready_head(head, json_head, sizeof json_head - 1, length);
    char *body = http_call_reply_ready(call, head, head_length, length);
    if (!body)
        return;
    memcpy(body, secret_reveal(reply->json), length);
    token_reply_write_expires_in(entry, clock_wall(), body + reply->expires_in_offset);
}

/* With a newline behind the text where it has none. */
static void reply_ready_text(struct http_call *call, const struct secret *text, bool has_newline)
{
    UNINITIALIZED char head[READY_HEAD_MAX];
    size_t length = secret_length(text);
    size_t head_length = write_ready_head(head, text_head, sizeof text_head - 1, length + !has_newline);
    char *body = http_call_reply_ready(call, head, head_length, length + !has_newline);
    if (!body)
        return;
    memcpy(body, secret_reveal(text), length);
    if (!has_newline)
        body[length] = '\n';
}

/* ---- every other reply ---- */

static void reply_header(struct http_call *call, struct token_entry *entry)
{
    const struct secret *header;
    enum status status = token_entry_header(entry, &header);
    if (status == OK)
        reply_ready_text(call, header, true);
    else if (status == ERR_UNSUPPORTED)
        api_error_reply_field(call, "format",
                              "this API takes its token in the URL or the body, not in a header; ask "
                              "without format and read \"request\"");
    else
        api_error_reply_no_memory(call);
}

/* A finished document, with one more member before its closing brace when there is one to add. */
static void reply_document(struct http_call *call, const char *json, size_t length, const char *member)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, REJECTED_REPLY_MAX);
    text_buffer_append(&body, json, length - 1);
    if (member) {
        text_buffer_append_text(&body, ",");
        text_buffer_append_text(&body, member);
    }
    text_buffer_append_text(&body, "}");
    api_reply_json(call, &body);
}

static void reply_with_member(struct http_call *call, struct token_entry *entry, const struct token_reply *reply,
                              const char *member)
{
    AUTO_FINISH(text_buffer) json;
    text_buffer_init(&json, REJECTED_REPLY_MAX);
    const char *text = secret_reveal(reply->json);
    size_t after = reply->expires_in_offset + EXPIRES_IN_WIDTH;
    char expires_in[EXPIRES_IN_WIDTH];
    token_reply_write_expires_in(entry, clock_wall(), expires_in);
    text_buffer_append(&json, text, reply->expires_in_offset);
    text_buffer_append(&json, expires_in, sizeof expires_in);
    if (text_buffer_append(&json, text + after, secret_length(reply->json) - after))
        reply_document(call, text_buffer_text(&json), json.length, member);
    else
        api_error_reply_no_memory(call);
}

/* A token that is valid for less than was asked says so in its document. */
static void reply_short(struct http_call *call, struct token_entry *entry, const char *member)
{
    AUTO(secret) json = token_entry_render_short(entry, clock_wall());
    if (json)
        reply_document(call, secret_reveal(json), secret_length(json), member);
    else
        api_error_reply_no_memory(call);
}

static void reply_token(struct api *api, struct http_call *call, struct token_entry *entry, enum token_answer answer,
                        enum token_form form)
{
    if (answer != TOKEN_SERVED && answer != TOKEN_SERVED_SHORT) {
        api_reply_token_error(call, entry, answer, auth_failure_member(form));
        return;
    }
    const struct token_reply *reply = token_entry_reply(entry);
    if (!reply) {
        api_error_reply_no_memory(call);
        return;
    }
    audit_token_served(api->audit, call, entry);
    if (form == FORM_RAW)
        reply_ready_text(call, token_entry_tokens(entry)->access_token, false);
    else if (form == FORM_HEADER)
        reply_header(call, entry);
    else if (answer == TOKEN_SERVED_SHORT)
        reply_short(call, entry, auth_failure_member(form));
    else if (form == FORM_JSON)
        reply_ready_json(call, entry, reply);
    else
        reply_with_member(call, entry, reply, auth_failure_member(form));
}

/* The configuration may have changed while the caller waited. */
static void reply_after_wait(struct api *api, struct http_call *call, struct token_entry *entry,
                             enum token_answer answer, int form)
{
    const struct connection *connection = token_entry_connection(entry);
    if (!connection)
        api_error_reply_text(call, API_ERROR_NOT_FOUND, "the connection left the configuration");
    else if (!api_permission_may_use(call, connection))
        api_permission_refuse(api, call, "a connection that it waited for");
    else
        reply_token(api, call, entry, answer, (enum token_form)form);
}

static void get_or_wait(struct api_request *request, int64_t min_ttl, int64_t wait_seconds, enum token_form form)
{
    uid_t caller = api_request_caller(request);
    enum token_answer answer = broker_get(request->entry, caller, min_ttl, clock_wall());
    if (answer != TOKEN_PENDING) {
        reply_token(request->api, request->call, request->entry, answer, form);
        return;
    }
    struct api_wait *wait = api_wait_create(request, reply_after_wait, (int)form);
    if (!wait)
        return;
    struct token_waiter *waiter = NULL;
    answer = broker_wait(request->entry, caller, min_ttl, wait_seconds * 1000, api_wait_done, wait, &waiter);
    api_wait_begin(wait, answer, waiter);
}

static bool read_timing(struct api_request *request, int64_t *min_ttl, int64_t *wait_seconds)
{
    return api_request_query_seconds(request, "min_ttl", API_MIN_TTL_MAX, min_ttl) &&
           api_request_query_seconds(request, "wait", API_WAIT_MAX, wait_seconds);
}

static bool read_format(struct api_request *request, enum token_form *form)
{
    static const char *const words[] = {[FORM_JSON] = "json", [FORM_HEADER] = "header", [FORM_RAW] = "raw"};
    AUTO_TEXT format = NULL;
    if (!api_request_query_text(request, "format", &format))
        return false;
    for (size_t i = 0; format && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(format, words[i]) == 0) {
            *form = (enum token_form)i;
            return true;
        }
    }
    if (format)
        api_error_reply_field(request->call, "format", "format is json, header or raw");
    return !format;
}

void api_token_get(struct api_request *request)
{
    int64_t min_ttl = 0;
    int64_t wait_seconds = API_WAIT_DEFAULT;
    enum token_form form = FORM_JSON;
    if (http_call_query(request->call).length > 0 &&
        (!read_timing(request, &min_ttl, &wait_seconds) || !read_format(request, &form)))
        return;
    get_or_wait(request, min_ttl, wait_seconds, form);
}

/*
 * The API's reply: the value itself, or what its text is, JSON or XML. Empty when it is neither. A text without a media
 * type is XML when it looks like it: such a report repeats what the API sent.
 */
static void read_reported_body(json_t *body, const char *content_type, struct reply_document *ret_document)
{
    /* It came in JSON, whatever encoding it says that it once had. */
    static const char xml_type[] = "application/xml; charset=utf-8";
    const char *text = json_string_value(body);
    size_t length = json_string_length(body);
    if (!text) {
        ret_document->json = json_is_null(body) ? NULL : json_incref(body);
        return;
    }
    bool is_xml = content_type ? xml_is_media_type(content_type) : text[strspn(text, " \t\r\n")] == '<';
    if (json_read_text(text, length, &ret_document->json, NULL) != OK && is_xml)
        xml_document_read(text, length, xml_type, &ret_document->xml, NULL);
}

void api_token_rejected(struct api_request *request)
{
    int64_t min_ttl = 0;
    int64_t wait_seconds = API_WAIT_DEFAULT;
    AUTO_JSON report = NULL;
    if (!read_timing(request, &min_ttl, &wait_seconds) || !api_request_read_body(request, false, &report))
        return;
    const json_t *generation = json_object_get(report, "generation");
    if (!json_is_integer(generation) || json_integer_value(generation) < 0) {
        api_error_reply_field(request->call, "generation", "generation is the whole number that came with the token");
        return;
    }
    const json_t *status = json_object_get(report, "status");
    json_int_t code = json_integer_value(status);
    if (!json_is_integer(status) || code < 100 || code > 599) {
        api_error_reply_field(request->call, "status", "status is the HTTP status of the API's reply, 100 to 599");
        return;
    }
    const json_t *content_type = json_object_get(report, "content_type");
    if (content_type && !json_is_null(content_type) && !json_is_string(content_type)) {
        api_error_reply_field(request->call, "content_type",
                              "content_type is the media type of the API's reply, a text");
        return;
    }
    AUTO_FINISH(reply_document) body = {0};
    read_reported_body(json_object_get(report, "body"), json_string_value(content_type), &body);
    const struct token_refusal refusal = {(uint64_t)json_integer_value(generation), (int)code, &body};
    bool is_failure = false;
    if (broker_report_rejected(request->entry, api_request_caller(request), &refusal, &is_failure) != OK) {
        api_error_reply_no_memory(request->call);
        return;
    }
    get_or_wait(request, min_ttl, wait_seconds, is_failure ? FORM_AUTH_FAILURE : FORM_NO_AUTH_FAILURE);
}

void api_token_list(struct api_request *request)
{
    connection_json_reply_list(request, connection_json_append_brief, true);
}
