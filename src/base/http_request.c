#include "base/http_request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_header {
    char *name;
    struct secret *value;
};

struct http_request {
    char *method;
    struct secret *url;
    struct secret *body;
    uint32_t user;
    size_t header_count;
    struct http_header headers[HTTP_HEADERS_MAX];
};

struct http_request *http_request_create(const char *method, struct secret *take_url)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (!request) {
        secret_destroy(take_url);
        return NULL;
    }
    request->url = take_url;
    request->method = strdup(method);
    if (!request->url || !request->method) {
        http_request_destroy(request);
        return NULL;
    }
    return request;
}

void http_request_destroy(struct http_request *request)
{
    if (!request)
        return;
    for (size_t i = 0; i < request->header_count; i++) {
        free(request->headers[i].name);
        secret_destroy(request->headers[i].value);
    }
    free(request->method);
    secret_destroy(request->url);
    secret_destroy(request->body);
    free(request);
}

/* RFC 9110 §5.6.2 */
static bool is_token(const char *text)
{
    static const char token_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                           "!#$%&'*+-.^_`|~";
    size_t length = strspn(text, token_characters);
    return length > 0 && text[length] == '\0';
}

static bool breaks_header_line(const struct secret *value)
{
    const char *bytes = secret_reveal(value);
    size_t length = secret_length(value);
    return memchr(bytes, '\r', length) || memchr(bytes, '\n', length) || memchr(bytes, '\0', length);
}

static struct http_header *find_header(struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return &request->headers[i];
    }
    return NULL;
}

enum status http_request_set_header(struct http_request *request, const char *name, const struct secret *value,
                                    struct error *ret_error)
{
    if (!is_token(name))
        return error_set(ret_error, ERR_INVALID, "a header name is not a token (RFC 9110)");
    if (!value)
        return error_set(ret_error, ERR_NO_MEMORY, "header %s", name);
    if (breaks_header_line(value))
        return error_set(ret_error, ERR_INVALID, "the value of header %s holds a line break or NUL", name);

    struct http_header *header = find_header(request, name);
    if (header) {
        struct secret *held = secret_hold(value);
        secret_destroy(header->value);
        header->value = held;
        return OK;
    }
    if (request->header_count == HTTP_HEADERS_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "more than %d headers", HTTP_HEADERS_MAX);
    char *copy = strdup(name);
    if (!copy)
        return error_set(ret_error, ERR_NO_MEMORY, "header %s", name);
    request->headers[request->header_count++] = (struct http_header){copy, secret_hold(value)};
    return OK;
}

enum status http_request_set_header_text(struct http_request *request, const char *name, const char *value,
                                         struct error *ret_error)
{
    AUTO(secret) held = secret_from_text(value);
    return http_request_set_header(request, name, held, ret_error);
}

void http_request_set_body(struct http_request *request, struct secret *take_body)
{
    secret_destroy(request->body);
    request->body = take_body;
}

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const struct secret *http_request_url(const struct http_request *request)
{
    return request->url;
}

size_t http_request_header_count(const struct http_request *request)
{
    return request->header_count;
}

const char *http_request_header_name(const struct http_request *request, size_t index)
{
    return request->headers[index].name;
}

const struct secret *http_request_header_value(const struct http_request *request, size_t index)
{
    return request->headers[index].value;
}

const struct secret *http_request_find_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

const struct secret *http_request_body(const struct http_request *request)
{
    return request->body;
}

void http_request_set_user(struct http_request *request, uint32_t user)
{
    request->user = user;
}

uint32_t http_request_user(const struct http_request *request)
{
    return request->user;
}

bool http_request_equal(const struct http_request *a, const struct http_request *b)
{
    size_t count = http_request_header_count(a);
    bool is_equal = strcmp(http_request_method(a), http_request_method(b)) == 0 &&
                    secret_equal(http_request_url(a), http_request_url(b)) &&
                    secret_equal(http_request_body(a), http_request_body(b)) && count == http_request_header_count(b);
    for (size_t i = 0; is_equal && i < count; i++)
        is_equal = strcasecmp(http_request_header_name(a, i), http_request_header_name(b, i)) == 0 &&
                   secret_equal(http_request_header_value(a, i), http_request_header_value(b, i));
    return is_equal;
}
