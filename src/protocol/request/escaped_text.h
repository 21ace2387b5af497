#ifndef PROTOCOL_REQUEST_ESCAPED_TEXT_H
#define PROTOCOL_REQUEST_ESCAPED_TEXT_H

#include <stdbool.h>

#include "base/text/text_buffer.h"

/*
 * Appends text with its percent-encodings, HTML character references (by number, and the five names that XML has) and
 * JSON escapes undone, one layer of them. What only looks like one stays as it is. Returns !failed.
 */
bool escaped_text_decode(const char *text, struct text_buffer *decoded);

#endif
