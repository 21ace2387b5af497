#ifndef BASE_TEXT_URL_H
#define BASE_TEXT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text/text_buffer.h"

/*
 * An absolute URL, taken apart by the same parser that libcurl sends with, so that what was checked is what is
 * reached (RFC 3986; no second opinion to confuse).
 */
enum { URL_MAX = 8192 };

struct url;

/*
 * ERR_INVALID for: no scheme, other schemes than http and https, userinfo, an empty host, control bytes, spaces and
 * backslashes, a fragment, above URL_MAX. The host comes out lower-case, IDN as its A-label (punycode), IPv6 without
 * brackets, numeric IPv4 spellings (0x7f.1, 2130706433) as dotted quads, without a trailing dot.
 */
enum status url_parse(const char *text, struct url **ret_url, struct error *ret_error);
void url_destroy(struct url *url);
AUTO_DEFINE(url);

/* All borrowed. */
const char *url_scheme(const struct url *url);
const char *url_host(const struct url *url);
int url_port(const struct url *url);              /* the scheme's default when none is written */
const char *url_path(const struct url *url);      /* at least "/" */
const char *url_query(const struct url *url);     /* without '?'; NULL when there is none */
bool url_host_is_address(const struct url *url);  /* an IPv4 or IPv6 literal */
bool url_host_is_loopback(const struct url *url); /* 127.0.0.0/8, ::1, localhost and *.localhost (RFC 6761) */
/* "https://host", with ":port" where it is not the scheme's default (RFC 6454 §6.1). Appends. */
bool url_append_origin(const struct url *url, struct text_buffer *buffer);
/* "https://host:port/path", without the query: what may be logged. Appends. */
bool url_append_target(const struct url *url, struct text_buffer *buffer);
/* The whole URL in its normal form, with the query: what is sent, so that IDN needs no locale then. Appends. */
bool url_append_whole(const struct url *url, struct text_buffer *buffer);

/* A host or domain name in the form that url_host() gives. ERR_INVALID when it is none. Caller frees. */
enum status url_normalise_host(const char *host, char **ret_host, struct error *ret_error);

/*
 * Finds one form-encoded parameter in a query or form body and decodes it (percent and '+').
 * OK; ERR_NOT_FOUND; ERR_INVALID when it stands twice (RFC 6749 §3.1), is badly encoded or decodes to a NUL.
 * ret_value: caller frees.
 */
enum status form_find(const char *form, size_t length, const char *name, char **ret_value);

#endif
