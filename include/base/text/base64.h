#ifndef BASE_TEXT_BASE64_H
#define BASE_TEXT_BASE64_H

#include <stddef.h>

#include "base/error.h"
#include "base/text/text_buffer.h"

/* RFC 4648 §4, padded, and §5 (URL alphabet) without padding as RFC 7515 wants it. Append; return !buffer->failed. */
bool base64_append(struct text_buffer *buffer, const void *bytes, size_t length);
bool base64url_append(struct text_buffer *buffer, const void *bytes, size_t length);

/* Decodes unpadded base64url, appending the bytes. ERR_INVALID on any other character, length or stray bits. */
enum status base64url_decode(const char *text, size_t length, struct text_buffer *ret_bytes);

/* Decodes either alphabet, padded or not, white space ignored, as people paste it. ERR_INVALID on anything else. */
enum status base64_decode_pasted(const char *text, size_t length, struct text_buffer *ret_bytes);

#endif
