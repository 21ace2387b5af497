#ifndef ICLIENTCTL_TERMINAL_PLACEHOLDER_H
#define ICLIENTCTL_TERMINAL_PLACEHOLDER_H

#include <jansson.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/text/text_buffer.h"

/*
 * Values that stand for what is not to be seen (secrets) or does not exist yet (the code, the tokens): random text of
 * lower-case letters and digits that no encoding of a request changes, so that it is found again in what was made.
 */
enum { PLACEHOLDERS_MAX = 128, PLACEHOLDER_LENGTH = 64, PLACEHOLDER_SHORT_LENGTH = 48 };

struct placeholders;

struct placeholders *placeholders_create(void);
void placeholders_destroy(struct placeholders *placeholders);
AUTO_DEFINE(placeholders);

/*
 * A new value, shown as that text ("<code>", "******"). 64 characters: enough for an HS512 key (RFC 7518 §3.2) and a
 * code verifier (RFC 7636 §4.1). Borrowed; NULL when out of memory or beyond PLACEHOLDERS_MAX.
 */
const char *placeholder_add(struct placeholders *placeholders, const char *shown);
/* The same with 48 characters: for what may become a label of a host name (RFC 1035 §2.3.4). */
const char *placeholder_add_short(struct placeholders *placeholders, const char *shown);
/* A value that was computed from placeholders, such as a code challenge. */
const char *placeholder_add_value(struct placeholders *placeholders, const char *value, const char *shown);

size_t placeholders_count(const struct placeholders *placeholders);
/* Forgets all but the first count. */
void placeholders_truncate(struct placeholders *placeholders, size_t count);

/*
 * Appends text with every placeholder as it is shown. A signed JWT becomes "<JWT n>", and {"header", "payload"} is
 * appended to jwts as its n-th element; its signature is shown nowhere.
 */
bool placeholders_show(const struct placeholders *placeholders, const char *text, json_t *jwts,
                       struct text_buffer *buffer);
/* A header's value: as above, and credentials that are Base64 as "Basic base64(id:******)". */
bool placeholders_show_header(const struct placeholders *placeholders, const char *value, json_t *jwts,
                              struct text_buffer *buffer);

#endif
