#ifndef SRC_IO_HTTP_STRICT_H
#define SRC_IO_HTTP_STRICT_H

#include <stdbool.h>
#include <stddef.h>

#include "io/http/http_server.h"

/* What a library lets pass although RFC 9112 does not, or a proxy could read it in another way. */

/* RFC 9112 §2.2, §5.2: each line ends in CR LF, has neither within, and begins with no space. 0 when one does not. */
size_t http_strict_head_length(struct http_text received);
/*
 * RFC 9112 §3: single spaces, and the version is there (a line without one would be HTTP/0.9). target: within received.
 */
bool http_strict_request_line(struct http_text received, struct http_text target);
/* Whether HTTP/ stands behind the target, and then no version: RFC 9110 §15.6.6 rather than a malformed request. */
bool http_strict_has_bad_version(struct http_text received, struct http_text target);
/* RFC 9112 §3.2: visible ASCII alone, and no fragment. */
bool http_strict_target(struct http_text target);
/* RFC 9112 §5.1: no space before the colon; RFC 9110 §5.5: no control bytes but the tab. Libraries take both. */
bool http_strict_header(struct http_text name, struct http_text value);
/* RFC 9110 §8.6: digits alone. */
bool http_strict_content_length(struct http_text value);

#endif
