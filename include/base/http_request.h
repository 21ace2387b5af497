#ifndef BASE_HTTP_REQUEST_H
#define BASE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"

/*
 * A request to a provider as a value: protocol makes it, the HTTP client sends it. Stands in base because the two
 * layers never meet. Its URL, header values and body may carry secrets and are kept as such.
 */
enum { HTTP_HEADERS_MAX = 64, HTTP_REQUEST_BODY_MAX = 256 * 1024 };

struct http_request;

/* method: "GET", "POST", "DELETE" (copied). take_url: absolute. NULL when out of memory or take_url is NULL. */
struct http_request *http_request_create(const char *method, struct secret *take_url);
void http_request_destroy(struct http_request *request);
AUTO_DEFINE(http_request);

/*
 * Adds a header, or replaces the one of that name (case ignored). ERR_INVALID for a name that is no token
 * (RFC 9110 §5.6.2) or a value with CR, LF or NUL; ERR_TOO_LARGE beyond HTTP_HEADERS_MAX. value is held.
 */
enum status http_request_set_header(struct http_request *request, const char *name, const struct secret *value,
                                    struct error *ret_error);
enum status http_request_set_header_text(struct http_request *request, const char *name, const char *value,
                                         struct error *ret_error);
/* take_body may be NULL: no body. */
void http_request_set_body(struct http_request *request, struct secret *take_body);
/* On whose account it is sent, by number: those of several users take turns. 0 unless it is set. */
void http_request_set_user(struct http_request *request, uint32_t user);
uint32_t http_request_user(const struct http_request *request);

/* All borrowed. */
const char *http_request_method(const struct http_request *request);
const struct secret *http_request_url(const struct http_request *request);
size_t http_request_header_count(const struct http_request *request);
const char *http_request_header_name(const struct http_request *request, size_t index);
const struct secret *http_request_header_value(const struct http_request *request, size_t index);
/* NULL when there is no such header. */
const struct secret *http_request_find_header(const struct http_request *request, const char *name);
const struct secret *http_request_body(const struct http_request *request);
/* Method, URL, headers in their order and body are the same to the byte. */
bool http_request_equal(const struct http_request *a, const struct http_request *b);

#endif
