#include "protocol/request/request_builder.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/json/json_read.h"
#include "base/text/url.h"
#include "protocol/request/request_values.h"
#include "protocol/request/template_json.h"

/* ---- what the iClient says ---- */

static const char *find_header(const struct request_builder *builder, const char *name)
{
    size_t index;
    json_t *header;
    json_array_foreach (builder->headers, index, header) {
        if (strcasecmp(json_read_string(header, "name"), name) == 0)
            return json_read_string(header, "value");
    }
    return NULL;
}

bool request_builder_has_header(const struct request_builder *builder, const char *name)
{
    return find_header(builder, name) != NULL;
}

static bool is_sent_as_json(const struct request_builder *builder)
{
    const char *content_type = find_header(builder, "Content-Type");
    if (content_type)
        return strcasestr(content_type, "json") != NULL;
    const char *format = iclient_text(builder->iclient, ICLIENT_BODY_FORMAT);
    return format && strcmp(format, "json") == 0;
}

static enum status load_body(struct request_builder *builder, struct error *ret_error)
{
    AUTO_JSON body = iclient_body(builder->iclient, builder->fields->body);
    builder->own_body = body != NULL;
    if (!body) {
        builder->parameters = json_object();
        return builder->parameters ? OK : error_set(ret_error, ERR_NO_MEMORY, "request parameters");
    }
    enum status status =
        template_json_render(body, request_values_lookup, builder->context, &builder->parameters, ret_error);
    if (status != OK && ret_error)
        error_prefix(ret_error, "oauth2.%s.body", builder->fields->name);
    return status;
}

enum status request_builder_init(struct request_builder *builder, const struct grant_context *context,
                                 const struct request_fields *fields, enum iclient_field default_uri,
                                 struct error *ret_error)
{
    *builder = (struct request_builder){
        .context = context,
        .iclient = connection_iclient(context->connection),
        .fields = fields,
    };
    builder->uri = iclient_text(builder->iclient, fields->uri);
    if (!builder->uri)
        builder->uri = iclient_text(builder->iclient, default_uri);
    if (!builder->uri)
        return error_set(ret_error, ERR_INVALID, "%s is missing", iclient_field_row(default_uri)->pointer);
    builder->method = iclient_text(builder->iclient, fields->method);
    builder->headers = iclient_headers(builder->iclient, fields->headers);
    builder->as_json = is_sent_as_json(builder);
    builder->extra = json_object();
    if (!builder->extra)
        return error_set(ret_error, ERR_NO_MEMORY, "request parameters");
    return load_body(builder, ret_error);
}

void request_builder_finish(struct request_builder *builder)
{
    json_decref(builder->headers);
    json_decref(builder->parameters);
    json_decref(builder->extra);
    secret_destroy(builder->authorization);
    *builder = (struct request_builder){0};
}

/* ---- parameters ---- */

static enum status set_bytes(json_t *object, const char *name, const char *bytes, size_t length,
                             struct error *ret_error)
{
    json_t *value = json_stringn(bytes, length);
    if (!value)
        return error_set(ret_error, ERR_INVALID, "the value of %s is not UTF-8 (RFC 6749 appendix B)", name);
    return json_object_set_new(object, name, value) == 0 ? OK : error_set(ret_error, ERR_NO_MEMORY, "%s", name);
}

enum status request_builder_set(struct request_builder *builder, const char *name, const char *text,
                                struct error *ret_error)
{
    return text ? set_bytes(builder->parameters, name, text, strlen(text), ret_error) : OK;
}

enum status request_builder_set_secret(struct request_builder *builder, const char *name, const struct secret *secret,
                                       struct error *ret_error)
{
    if (!secret)
        return OK;
    return set_bytes(builder->parameters, name, secret_reveal(secret), secret_length(secret), ret_error);
}

enum status request_builder_add_params(struct request_builder *builder, const json_t *params, const char *field,
                                       struct error *ret_error)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)params, name, value) {
        if (json_object_get(builder->extra, name))
            continue;
        json_t *rendered = NULL;
        enum status status = template_json_render(value, request_values_lookup, builder->context, &rendered, ret_error);
        if (status != OK)
            return ret_error ? error_prefix(ret_error, "%s.%s", field, name) : status;
        if (json_object_set_new(builder->extra, name, rendered) != 0)
            return error_set(ret_error, ERR_NO_MEMORY, "%s.%s", field, name);
    }
    return OK;
}

/* ---- the URL ---- */

/* OK when the URL's own query says the same, ERR_NOT_FOUND when it does not have the parameter. */
static enum status compare_with_query(const char *query, const char *name, const struct text_buffer *value,
                                      struct error *ret_error)
{
    AUTO_TEXT present = NULL;
    enum status status = query ? form_find(query, strlen(query), name, &present) : ERR_NOT_FOUND;
    if (status == ERR_NOT_FOUND || (status == OK && strcmp(present, text_buffer_text(value)) == 0))
        return status;
    return error_set(ret_error, ERR_INVALID, "the URI's own query sets the parameter %s to something else", name);
}

static void append_query_parameter(struct text_buffer *url, const char *name, const struct text_buffer *value)
{
    const char *query = strchr(text_buffer_text(url), '?');
    char last = text_buffer_text(url)[url->length - 1];
    if (!query)
        text_buffer_append_text(url, "?");
    else if (last != '?' && last != '&')
        text_buffer_append_text(url, "&");
    text_buffer_append_percent(url, name, strlen(name));
    text_buffer_append_text(url, "=");
    text_buffer_append_percent(url, text_buffer_text(value), value->length);
}

/* The text of a parameter whose wire has no structure. */
static enum status flatten(const char *name, const json_t *value, struct text_buffer *text, struct error *ret_error)
{
    if (json_is_object(value) || json_is_array(value))
        return error_set(ret_error, ERR_INVALID,
                         "the parameter %s is an object or an array, only JSON bodies have these", name);
    return json_read_as_text(value, text) ? OK
                                          : error_set(ret_error, ERR_TOO_LARGE, "the parameter %s is too long", name);
}

enum status request_url_append(struct text_buffer *url, const json_t *object, struct error *ret_error)
{
    const char *name;
    json_t *value;
    AUTO_TEXT query = NULL; /* as it was, before anything is appended */
    const char *mark = strchr(text_buffer_text(url), '?');
    if (mark && !(query = strdup(mark + 1)))
        return error_set(ret_error, ERR_NO_MEMORY, "URL");
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        if (json_is_null(value))
            continue;
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, HTTP_REQUEST_BODY_MAX);
        enum status status = flatten(name, value, &text, ret_error);
        if (status == OK)
            status = compare_with_query(query, name, &text, ret_error);
        if (status == ERR_NOT_FOUND)
            append_query_parameter(url, name, &text);
        else if (status != OK)
            return status;
        if (url->failed)
            return error_set(ret_error, ERR_TOO_LARGE, "the URL is longer than %zu bytes", url->limit);
    }
    return OK;
}

static bool is_in_query(const struct request_builder *builder)
{
    return strcmp(builder->method, "GET") == 0;
}

static enum status make_url(const struct request_builder *builder, struct secret **ret_url, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) url;
    text_buffer_init(&url, URL_MAX);
    enum status status =
        template_render(builder->uri, TEMPLATE_IN_URI, request_values_lookup, builder->context, &url, ret_error);
    if (status != OK)
        return ret_error ? error_prefix(ret_error, "oauth2.%s.uri", builder->fields->name) : status;
    if (is_in_query(builder))
        status = request_url_append(&url, builder->parameters, ret_error);
    if (status == OK)
        status = url_policy_check_text(iclient_url_policy(builder->iclient), text_buffer_text(&url), ret_error);
    if (status != OK)
        return status;
    *ret_url = text_buffer_take_secret(&url);
    return *ret_url ? OK : error_set(ret_error, ERR_NO_MEMORY, "URL");
}

/* ---- the body ---- */

static enum status append_form_body(const json_t *parameters, struct text_buffer *body, struct error *ret_error)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)parameters, name, value) {
        if (json_is_null(value))
            continue;
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, HTTP_REQUEST_BODY_MAX);
        enum status status = flatten(name, value, &text, ret_error);
        if (status != OK)
            return status;
        if (body->length > 0)
            text_buffer_append_text(body, "&");
        text_buffer_append_form(body, name, strlen(name));
        text_buffer_append_text(body, "=");
        text_buffer_append_form(body, text_buffer_text(&text), text.length);
    }
    return OK;
}

static enum status set_body(const struct request_builder *builder, struct http_request *request,
                            struct error *ret_error)
{
    if (is_in_query(builder))
        return OK;
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, HTTP_REQUEST_BODY_MAX);
    enum status status = OK;
    if (builder->as_json)
        text_buffer_append_json(&body, builder->parameters);
    else
        status = append_form_body(builder->parameters, &body, ret_error);
    if (status == OK && body.failed)
        status = error_set(ret_error, ERR_TOO_LARGE, "the request body is larger than %d bytes", HTTP_REQUEST_BODY_MAX);
    if (status == OK && body.length > 0 && !request_builder_has_header(builder, "Content-Type"))
        status = http_request_set_header_text(
            request, "Content-Type", builder->as_json ? "application/json" : "application/x-www-form-urlencoded",
            ret_error);
    /* No parameters, no body: Dropbox refuses the type that libcurl gives an empty one. */
    if (status != OK || body.length == 0)
        return status;
    struct secret *bytes = secret_create(text_buffer_text(&body), body.length);
    if (!bytes)
        return error_set(ret_error, ERR_NO_MEMORY, "request body");
    http_request_set_body(request, bytes);
    return OK;
}

/* ---- the headers ---- */

static enum status set_own_header(const struct request_builder *builder, struct http_request *request,
                                  const json_t *header, struct error *ret_error)
{
    const char *name = json_read_string(header, "name");
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TEMPLATE_RESULT_MAX);
    enum status status = template_render(json_read_string(header, "value"), TEMPLATE_IN_HEADER, request_values_lookup,
                                         builder->context, &text, ret_error);
    if (status != OK)
        return ret_error ? error_prefix(ret_error, "oauth2.%s.headers.%s", builder->fields->name, name) : status;
    AUTO(secret) value = text_buffer_take_secret(&text);
    return http_request_set_header(request, name, value, ret_error);
}

/* What the answer's paths can look into. */
static const char *accepted_type(const struct iclient *iclient)
{
    bool is_xml = reply_path_is_xpath(iclient_reply_path(iclient, ICLIENT_ACCESS_TOKEN_PATH, 0));
    return is_xml ? "application/xml, text/xml;q=0.9, application/json;q=0.5" : "application/json";
}

static enum status set_headers(const struct request_builder *builder, struct http_request *request,
                               struct error *ret_error)
{
    enum status status = http_request_set_header_text(request, "Accept", accepted_type(builder->iclient), ret_error);
    if (status == OK && builder->authorization)
        status = http_request_set_header(request, "Authorization", builder->authorization, ret_error);
    size_t index;
    json_t *header;
    json_array_foreach (builder->headers, index, header) {
        if (status == OK)
            status = set_own_header(builder, request, header, ret_error);
    }
    return status;
}

enum status request_builder_make(struct request_builder *builder, struct http_request **ret_request,
                                 struct error *ret_error)
{
    if (json_object_update(builder->parameters, builder->extra) != 0)
        return error_set(ret_error, ERR_NO_MEMORY, "request parameters");
    AUTO(secret) url = NULL;
    enum status status = make_url(builder, &url, ret_error);
    if (status != OK)
        return status;
    AUTO(http_request) request = http_request_create(builder->method, TAKE(url));
    if (!request)
        return error_set(ret_error, ERR_NO_MEMORY, "request");
    status = set_headers(builder, request, ret_error);
    if (status == OK)
        status = set_body(builder, request, ret_error);
    if (status == OK)
        *ret_request = TAKE(request);
    return status;
}
