#ifndef BASE_JSON_JSON_READ_H
#define BASE_JSON_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text/text_buffer.h"

enum { JSON_PATH_STEPS_MAX = 32 };

/*
 * Parses one document, any JSON value (RFC 8259): check its type. Duplicate keys, trailing text, NUL in strings and
 * nesting beyond jansson's 2048 are refused; integers beyond 64 bits are read as reals. ERR_INVALID with "line L column
 * C: what is wrong"; the message never quotes the input, which may hold secrets.
 */
enum status json_read_text(const char *text, size_t length, json_t **ret_document, struct error *ret_error);
/*
 * jansson's malloc in this process (library_memory_wipe_freed() sets it): out of memory ends json_read_text() with
 * ERR_NO_MEMORY, and with nothing worse.
 */
void *json_read_allocate(size_t size);

/*
 * Follows a dotted path: each step is a member name, or an index where the value is an array ("data.0.token").
 * A member whose own name is the whole remaining path ("a.b" : …) is found too, after the steps failed.
 * Borrowed; NULL when a step leads nowhere, or beyond JSON_PATH_STEPS_MAX steps.
 */
json_t *json_read_path(const json_t *value, const char *path);

/* RFC 6901: follows "/oauth2/token/uri"; "" is the value itself. Borrowed; NULL when absent. */
json_t *json_read_pointer(const json_t *value, const char *pointer);
/* Appends "/" and name with ~ and / escaped (RFC 6901 §3). */
bool json_pointer_append(struct text_buffer *pointer, const char *name);

/* A member's text; NULL when the member is absent or no string. Borrowed. */
const char *json_read_string(const json_t *object, const char *name);
/*
 * The value as text, the way JSON writes it: strings as they are, numbers and booleans as JSON text, null as "null";
 * objects and arrays as compact JSON. Appends to buffer.
 */
bool json_read_as_text(const json_t *value, struct text_buffer *buffer);
/* The value that json_read_path() leads to, in the same way. ERR_NOT_FOUND: none, or null; ERR_TOO_LARGE: no room. */
enum status json_read_path_as_text(const json_t *value, const char *path, struct text_buffer *buffer);
/* A whole number from a JSON integer, a real without fraction or a decimal string ("3600", providers do). */
bool json_read_integer(const json_t *value, int64_t *ret_number);

#endif
