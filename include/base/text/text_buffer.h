#ifndef BASE_TEXT_TEXT_BUFFER_H
#define BASE_TEXT_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/secret.h"

/*
 * Growing text with a hard limit. The first append that does not fit, or finds no memory, sets failed; it and all
 * later ones change nothing, so a sequence of appends needs one check at its end. Data is always NUL-terminated
 * (data may be NULL while empty: use text_buffer_text()). Old storage is wiped when it grows and at finish.
 * The members may be read, not written.
 */
struct text_buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t limit;
    bool failed;
};

/* limit: most bytes it will hold, without the NUL. Allocates nothing yet. */
void text_buffer_init(struct text_buffer *buffer, size_t limit);
void text_buffer_finish(struct text_buffer *buffer);

/* Empties and wipes, keeps the storage, clears failed. */
void text_buffer_clear(struct text_buffer *buffer);
/* Cuts back to length bytes (no-op when it is shorter already). */
void text_buffer_truncate(struct text_buffer *buffer, size_t length);

/* All return !failed. */
bool text_buffer_append(struct text_buffer *buffer, const void *bytes, size_t length);
bool text_buffer_append_text(struct text_buffer *buffer, const char *text);
bool text_buffer_append_format(struct text_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* RFC 3986 percent-encoding: all but unreserved characters (A-Z a-z 0-9 - . _ ~). */
bool text_buffer_append_percent(struct text_buffer *buffer, const char *bytes, size_t length);
/*
 * application/x-www-form-urlencoded value: as above with space as '+' and '~' encoded (WHATWG URL; RFC 6749 appendix
 * B).
 */
bool text_buffer_append_form(struct text_buffer *buffer, const char *bytes, size_t length);
/*
 * For element content and quoted attributes: & < > " ' as character references, tabs and line ends as a space. What is
 * no UTF-8 and what base/text/text_character.h calls hidden becomes U+FFFD, so that no text turns the direction of the
 * page.
 */
bool text_buffer_append_html(struct text_buffer *buffer, const char *text);
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
bool text_buffer_append_json_string(struct text_buffer *buffer, const char *bytes, size_t length);
/* A whole JSON value, compact. */
bool text_buffer_append_json(struct text_buffer *buffer, const json_t *value);

/* "" while empty. Borrowed. */
const char *text_buffer_text(const struct text_buffer *buffer);
/* Hands the text to the caller (free()) and leaves the buffer empty; NULL when failed or out of memory. */
char *text_buffer_take(struct text_buffer *buffer);
/* The same as a secret; the buffer's own copy is wiped. */
struct secret *text_buffer_take_secret(struct text_buffer *buffer);

#endif
