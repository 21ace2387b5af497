#include "base/text/text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/text_character.h"

enum { FIRST_CAPACITY = 64 };

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

void text_buffer_init(struct text_buffer *buffer, size_t limit)
{
    *buffer = (struct text_buffer){.limit = limit};
}

void text_buffer_finish(struct text_buffer *buffer)
{
    if (buffer->data) {
        secret_wipe(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    text_buffer_init(buffer, buffer->limit);
}

void text_buffer_clear(struct text_buffer *buffer)
{
    text_buffer_truncate(buffer, 0);
    buffer->failed = false;
}

void text_buffer_truncate(struct text_buffer *buffer, size_t length)
{
    if (length >= buffer->length)
        return;
    secret_wipe(buffer->data + length, buffer->length - length);
    buffer->length = length;
}

/* Makes room for extra bytes and a NUL. Not realloc: it would leave the old bytes behind unwiped. */
static bool text_buffer_reserve(struct text_buffer *buffer, size_t extra)
{
    if (buffer->failed)
        return false;
    if (extra > buffer->limit - buffer->length) {
        buffer->failed = true;
        return false;
    }
    size_t needed = buffer->length + extra + 1;
    if (needed <= buffer->capacity)
        return true;

    size_t capacity = buffer->capacity ? buffer->capacity * 2 : FIRST_CAPACITY;
    if (capacity - 1 > buffer->limit)
        capacity = buffer->limit + 1;
    if (capacity < needed)
        capacity = needed;
    char *data = malloc(capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    if (buffer->data) {
        memcpy(data, buffer->data, buffer->length);
        secret_wipe(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    data[buffer->length] = '\0';
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

/* An append made of several: what was written before the failure goes again. */
static bool text_buffer_end_append(struct text_buffer *buffer, size_t start)
{
    if (buffer->failed)
        text_buffer_truncate(buffer, start);
    return !buffer->failed;
}

bool text_buffer_append(struct text_buffer *buffer, const void *bytes, size_t length)
{
    if (!text_buffer_reserve(buffer, length))
        return false;
    if (length > 0)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return true;
}

bool text_buffer_append_text(struct text_buffer *buffer, const char *text)
{
    return text_buffer_append(buffer, text, strlen(text));
}

bool text_buffer_append_format(struct text_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        buffer->failed = true;
    else if (text_buffer_reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return !buffer->failed;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_uri_unreserved(char c)
{
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* The tilde, too, which browsers encode: a server that does not decode gets what is unreserved as it is. */
static bool is_form_plain(char c)
{
    return is_uri_unreserved(c) || c == '*' || c == ' ';
}

static bool append_escaped(struct text_buffer *buffer, const char *bytes, size_t length, bool (*is_plain)(char))
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;
    for (size_t i = 0; i < length; i++)
        size += is_plain(bytes[i]) ? 1 : 3;
    if (!text_buffer_reserve(buffer, size))
        return false;

    char *out = buffer->data + buffer->length;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (is_plain(bytes[i])) {
            *out++ = bytes[i];
            continue;
        }
        *out++ = '%';
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *out = '\0';
    buffer->length += size;
    return true;
}

bool text_buffer_append_percent(struct text_buffer *buffer, const char *bytes, size_t length)
{
    return append_escaped(buffer, bytes, length, is_uri_unreserved);
}

bool text_buffer_append_form(struct text_buffer *buffer, const char *bytes, size_t length)
{
    size_t start = buffer->length;
    if (!append_escaped(buffer, bytes, length, is_form_plain))
        return false;
    for (size_t i = start; i < buffer->length; i++) {
        if (buffer->data[i] == ' ')
            buffer->data[i] = '+';
    }
    return true;
}

static bool is_space(char c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

static const char *html_reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

bool text_buffer_append_html(struct text_buffer *buffer, const char *text)
{
    size_t start = buffer->length;
    while (*text) {
        bool is_plain;
        size_t length = text_character_next(text, &is_plain);
        const char *reference = html_reference(*text);
        if (reference)
            text_buffer_append_text(buffer, reference);
        else if (is_plain)
            text_buffer_append(buffer, text, length);
        else
            text_buffer_append_text(buffer, is_space(*text) ? " " : replacement);
        text += length;
    }
    return text_buffer_end_append(buffer, start);
}

/* Appends the JSON escape of an ASCII byte (RFC 8259 §7). */
static void append_json_ascii(struct text_buffer *buffer, char c)
{
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(special, c) : NULL;
    if (found)
        text_buffer_append_format(buffer, "\\%c", letters[found - special]);
    else if ((unsigned char)c < 0x20)
        text_buffer_append_format(buffer, "\\u%04x", (unsigned)c);
    else
        text_buffer_append(buffer, &c, 1);
}

bool text_buffer_append_json_string(struct text_buffer *buffer, const char *bytes, size_t length)
{
    size_t start = buffer->length;
    text_buffer_append_text(buffer, "\"");
    for (size_t i = 0; i < length && !buffer->failed;) {
        uint32_t character;
        size_t size = text_character_read(bytes + i, length - i, &character);
        if (size == 1)
            append_json_ascii(buffer, bytes[i]);
        else if (size > 1)
            text_buffer_append(buffer, bytes + i, size);
        else
            text_buffer_append_text(buffer, replacement);
        i += size ? size : 1;
    }
    text_buffer_append_text(buffer, "\"");
    return text_buffer_end_append(buffer, start);
}

static int append_dumped(const char *bytes, size_t length, void *context)
{
    struct text_buffer *buffer = context;
    return text_buffer_append(buffer, bytes, length) ? 0 : -1;
}

bool text_buffer_append_json(struct text_buffer *buffer, const json_t *value)
{
    size_t start = buffer->length;
    if (json_dump_callback(value, append_dumped, buffer, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        buffer->failed = true;
    return text_buffer_end_append(buffer, start);
}

const char *text_buffer_text(const struct text_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

char *text_buffer_take(struct text_buffer *buffer)
{
    char *text = NULL;
    if (text_buffer_reserve(buffer, 0))
        text = TAKE(buffer->data);
    text_buffer_finish(buffer);
    return text;
}

struct secret *text_buffer_take_secret(struct text_buffer *buffer)
{
    struct secret *secret = buffer->failed ? NULL : secret_create(buffer->data, buffer->length);
    text_buffer_finish(buffer);
    return secret;
}
