#include "protocol/request/escaped_text.h"

#include <stdlib.h>
#include <string.h>

#define HEX_DIGITS "0123456789abcdefABCDEF"
enum { CODE_POINT_MAX = 0x10FFFF, CODE_DIGITS_MAX = 8 };

/* RFC 3629; half a pair of surrogates too, which then equals nothing. */
static void append_code_point(struct text_buffer *decoded, unsigned long code)
{
    char bytes[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(first[length] | code);
    text_buffer_append(decoded, bytes, length);
}

/* The number that text begins with, of count digits if count is not 0. 0: there is none, or no character has it. */
static unsigned long read_code(const char *text, int base, size_t count, size_t *ret_digits)
{
    char digits[CODE_DIGITS_MAX + 1] = "";
    size_t length = strspn(text, base == 16 ? HEX_DIGITS : "0123456789");
    *ret_digits = count ? count : length;
    if (length < *ret_digits || *ret_digits > CODE_DIGITS_MAX)
        return 0;
    memcpy(digits, text, *ret_digits);
    unsigned long code = strtoul(digits, NULL, base);
    return code <= CODE_POINT_MAX ? code : 0;
}

/* Each returns how much of text it has taken; 0: it is nothing of the kind. */

static size_t decode_percent(const char *text, struct text_buffer *decoded)
{
    size_t digits;
    char byte = (char)read_code(text + 1, 16, 2, &digits);
    if (byte)
        text_buffer_append(decoded, &byte, 1);
    return byte ? 1 + digits : 0;
}

static size_t decode_reference(const char *text, struct text_buffer *decoded)
{
    static const struct {
        const char *name, *character;
    } names[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i].name);
        if (strncmp(text, names[i].name, length) != 0)
            continue;
        text_buffer_append_text(decoded, names[i].character);
        return length;
    }
    if (text[1] != '#')
        return 0;
    bool is_hex = text[2] == 'x' || text[2] == 'X';
    size_t start = is_hex ? 3 : 2;
    size_t digits;
    unsigned long code = read_code(text + start, is_hex ? 16 : 10, 0, &digits);
    if (code == 0 || text[start + digits] != ';')
        return 0;
    append_code_point(decoded, code);
    return start + digits + 1;
}

static size_t decode_json(const char *text, struct text_buffer *decoded)
{
    static const char letters[] = "\"\\/'bfnrt";
    static const char characters[] = "\"\\/'\b\f\n\r\t";
    const char *letter = text[1] ? strchr(letters, text[1]) : NULL;
    if (letter) {
        text_buffer_append(decoded, &characters[letter - letters], 1);
        return 2;
    }
    size_t digits;
    unsigned long code = text[1] == 'u' ? read_code(text + 2, 16, 4, &digits) : 0;
    if (code == 0)
        return 0;
    append_code_point(decoded, code);
    return 2 + digits;
}

bool escaped_text_decode(const char *text, struct text_buffer *decoded)
{
    while (*text) {
        size_t taken = *text == '%'    ? decode_percent(text, decoded)
                       : *text == '&'  ? decode_reference(text, decoded)
                       : *text == '\\' ? decode_json(text, decoded)
                                       : 0;
        if (taken == 0)
            text_buffer_append(decoded, text, 1);
        text += taken ? taken : 1;
    }
    return !decoded->failed;
}
