#ifndef MODEL_REPLY_SCOPE_SET_H
#define MODEL_REPLY_SCOPE_SET_H

#include <stdbool.h>

#include "base/text/text_buffer.h"

/* RFC 6749 §3.3: a scope is a set of names, whose order does not matter. Here the names have spaces between them. */

/* Appends the names of a scope as it is sent, one space between them. delimiter: the iClient's. */
bool scope_set_append(struct text_buffer *buffer, const char *scope, const char *delimiter);
/* Each name of part stands in whole. */
bool scope_set_contains(const char *whole, const char *part);
/* Two NULLs are equal: the provider's default. */
bool scope_set_equal(const char *a, const char *b);

#endif
