#include "model/template/wire_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/http_request.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"

/* What frames the request belongs to the HTTP client. */
static const char *const framing_headers[] = {
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade", "TE", "Trailer"};

static const char *skip_space(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* A body that begins with a template ("{{{…") is no JSON. */
static bool looks_like_json(const char *text, char opening)
{
    const char *start = skip_space(text);
    return start[0] == opening && start[1] != opening;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded back to text. A '%' that starts no triplet is an error, as is NUL. */
static bool append_form_decoded(struct text_buffer *text, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char byte = from[i] == '+' ? ' ' : from[i];
        if (from[i] == '%') {
            int high = i + 2 < length ? hex_value(from[i + 1]) : -1;
            int low = high >= 0 ? hex_value(from[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        text_buffer_append(text, &byte, 1);
    }
    return true;
}

static enum status add_form_member(json_t *body, const char *from, size_t length, struct error *ret_error)
{
    const char *equals = memchr(from, '=', length);
    size_t name_length = equals ? (size_t)(equals - from) : length;
    AUTO_FINISH(text_buffer) name;
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&name, HTTP_REQUEST_BODY_MAX);
    text_buffer_init(&value, HTTP_REQUEST_BODY_MAX);
    if (!append_form_decoded(&name, from, name_length) ||
        (equals && !append_form_decoded(&value, equals + 1, length - name_length - 1)))
        return error_set(ret_error, ERR_INVALID, "form text with a broken percent-encoding");
    if (name.failed || value.failed)
        return error_set(ret_error, ERR_NO_MEMORY, "form text");
    if (name.length == 0)
        return error_set(ret_error, ERR_INVALID, "form text with a parameter without a name");
    if (json_object_get(body, text_buffer_text(&name)))
        return error_set(ret_error, ERR_INVALID, "form text with parameter \"%.64s\" twice", text_buffer_text(&name));
    json_t *text = json_string(text_buffer_text(&value));
    if (!text)
        return error_set(ret_error, ERR_INVALID, "form text that is not UTF-8");
    if (json_object_set_new(body, text_buffer_text(&name), text) < 0)
        return error_set(ret_error, ERR_INVALID, "form text that is not UTF-8");
    return OK;
}

static enum status read_form(const char *text, json_t **ret_body, struct error *ret_error)
{
    AUTO_JSON body = json_object();
    if (!body)
        return error_set(ret_error, ERR_NO_MEMORY, "form text");
    for (const char *at = skip_space(text); *at;) {
        size_t length = strcspn(at, "&");
        size_t used = length;
        while (used > 0 && isspace((unsigned char)at[used - 1]))
            used--;
        if (used > 0) {
            enum status status = add_form_member(body, at, used, ret_error);
            if (status != OK)
                return status;
        }
        at += length + (at[length] == '&');
    }
    *ret_body = TAKE(body);
    return OK;
}

enum status body_read(const json_t *value, json_t **ret_body, struct error *ret_error)
{
    AUTO_JSON body = NULL;
    const char *text = json_string_value(value);
    enum status status = OK;
    if (text && looks_like_json(text, '{'))
        status = json_read_text(text, strlen(text), &body, ret_error);
    else if (text)
        status = read_form(text, &body, ret_error);
    else if (!(body = json_deep_copy(value)))
        status = error_set(ret_error, ERR_NO_MEMORY, "body");
    if (status != OK)
        return status;
    if (!json_is_object(body))
        return error_set(ret_error, ERR_INVALID, "a body is JSON text, form text or an object");
    if (json_object_size(body) > BODY_MEMBERS_MAX)
        return error_set(ret_error, ERR_INVALID, "more than %d parameters", BODY_MEMBERS_MAX);
    *ret_body = TAKE(body);
    return OK;
}

bool header_name_is_token(const char *name)
{
    static const char token_marks[] = "!#$%&'*+-.^_`|~";
    if (*name == '\0' || strlen(name) > HEADER_NAME_MAX)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr(token_marks, *name))
            return false;
    return true;
}

const char *headers_find(const json_t *headers, const char *name)
{
    size_t i;
    json_t *header;
    json_array_foreach ((json_t *)headers, i, header) {
        const char *found = json_read_string(header, "name");
        if (found && strcasecmp(found, name) == 0)
            return json_read_string(header, "value");
    }
    return NULL;
}

static enum status add_header(json_t *headers, const char *name, const char *value, struct error *ret_error)
{
    if (!header_name_is_token(name))
        return error_set(ret_error, ERR_INVALID, "a header name has forbidden characters or is empty");
    for (size_t i = 0; i < sizeof framing_headers / sizeof framing_headers[0]; i++)
        if (strcasecmp(name, framing_headers[i]) == 0)
            return error_set(ret_error, ERR_INVALID, "header \"%s\" cannot be set: it frames the request", name);
    for (const char *at = value; *at; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return error_set(ret_error, ERR_INVALID, "header \"%s\": a control character in its value", name);
    if (headers_find(headers, name))
        return error_set(ret_error, ERR_INVALID, "header \"%s\" stands twice", name);
    if (json_array_size(headers) >= HTTP_HEADERS_MAX)
        return error_set(ret_error, ERR_INVALID, "more than %d headers", HTTP_HEADERS_MAX);
    if (json_array_append_new(headers, json_pack("{s:s,s:s}", "name", name, "value", value)) < 0)
        return error_set(ret_error, ERR_INVALID, "header \"%s\": its value is not UTF-8", name);
    return OK;
}

static enum status add_line(json_t *headers, const char *line, size_t length, struct error *ret_error)
{
    const char *colon = memchr(line, ':', length);
    if (!colon)
        return error_set(ret_error, ERR_INVALID, "a header line without a colon: write \"Name: value\"");
    const char *value = colon + 1;
    const char *end = line + length;
    while (value < end && isspace((unsigned char)*value))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    AUTO_TEXT name = strndup(line, (size_t)(colon - line));
    AUTO_TEXT text = strndup(value, (size_t)(end - value));
    if (!name || !text)
        return error_set(ret_error, ERR_NO_MEMORY, "header");
    return add_header(headers, name, text, ret_error);
}

static enum status read_lines(const char *text, json_t *headers, struct error *ret_error)
{
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        const char *start = at;
        while (start < at + length && isspace((unsigned char)*start))
            start++;
        if (start < at + length) {
            enum status status = add_line(headers, start, (size_t)(at + length - start), ret_error);
            if (status != OK)
                return status;
        }
        at += length + (at[length] == '\n');
    }
    return OK;
}

static enum status read_pairs(const json_t *pairs, json_t *headers, struct error *ret_error)
{
    size_t i;
    json_t *pair;
    json_array_foreach ((json_t *)pairs, i, pair) {
        const char *name = json_read_string(pair, "name");
        const char *value = json_read_string(pair, "value");
        if (!name || !value || json_object_size(pair) != 2)
            return error_set(ret_error, ERR_INVALID, "header %zu must be {\"name\": …, \"value\": …}, both strings", i);
        enum status status = add_header(headers, name, value, ret_error);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status read_members(const json_t *object, json_t *headers, struct error *ret_error)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)object, name, value) {
        if (!json_is_string(value))
            return error_set(ret_error, ERR_INVALID, "header \"%.64s\" must have a string as its value", name);
        enum status status = add_header(headers, name, json_string_value(value), ret_error);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status read_structure(const json_t *value, json_t *headers, struct error *ret_error)
{
    if (json_is_array(value))
        return read_pairs(value, headers, ret_error);
    if (json_is_object(value))
        return read_members(value, headers, ret_error);
    return error_set(ret_error, ERR_INVALID,
                     "headers are \"Name: value\" lines, an object or an array of {name,value}");
}

enum status headers_read(const json_t *value, json_t **ret_headers, struct error *ret_error)
{
    AUTO_JSON headers = json_array();
    if (!headers)
        return error_set(ret_error, ERR_NO_MEMORY, "headers");
    const char *text = json_string_value(value);
    AUTO_JSON parsed = NULL;
    enum status status = OK;
    if (text && (looks_like_json(text, '{') || looks_like_json(text, '['))) {
        status = json_read_text(text, strlen(text), &parsed, ret_error);
        if (status == OK)
            status = read_structure(parsed, headers, ret_error);
    } else if (text) {
        status = read_lines(text, headers, ret_error);
    } else {
        status = read_structure(value, headers, ret_error);
    }
    if (status != OK)
        return status;
    *ret_headers = TAKE(headers);
    return OK;
}

json_t *headers_merge(const json_t *below, const json_t *above)
{
    AUTO_JSON merged = json_array();
    size_t i;
    json_t *header;
    json_array_foreach ((json_t *)below, i, header) {
        if (!headers_find(above, json_read_string(header, "name")) && json_array_append(merged, header) < 0)
            return NULL;
    }
    return merged && json_array_extend(merged, (json_t *)above) == 0 ? TAKE(merged) : NULL;
}
