#ifndef MODEL_TEMPLATE_WIRE_TEXT_H
#define MODEL_TEMPLATE_WIRE_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * The spellings of a request's body and headers (docs/CONFIGURATION.md, Kinds), read into one shape before any template
 * is rendered, so that a value can never become a parameter or a header line of its own.
 */
enum { BODY_MEMBERS_MAX = 128, HEADER_NAME_MAX = 128 };

/* JSON text, form text or an object, into an object of name -> value. Empty text is an empty body. */
enum status body_read(const json_t *value, json_t **ret_body, struct error *ret_error);
/* Lines of "Name: value", JSON text, an object or an array of {name,value}, into an array of {"name","value"}. */
enum status headers_read(const json_t *value, json_t **ret_headers, struct error *ret_error);
/* The headers of below, and over it those of above (names compare without case). NULL when out of memory. */
json_t *headers_merge(const json_t *below, const json_t *above);
/* The value of a header among {"name","value"}; NULL. */
const char *headers_find(const json_t *headers, const char *name);
/* RFC 9110 §5.6.2. */
bool header_name_is_token(const char *name);

#endif
