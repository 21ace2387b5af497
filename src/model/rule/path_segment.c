#include "model/rule/path_segment.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    OVERLONG_LEAD_MAX = 2,
    CONTINUATION = 0x80,
    CONTINUATION_BITS = 6,
};

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The encoded bytes that a text may end with: their number, 0 when it does not. */
typedef size_t encoded_end(const char *text, size_t length, char *ret_byte);

/* digits hex digits behind prefix. Only one byte is of interest, so that more digits have to begin with zeros. */
static size_t end_hex(const char *text, size_t length, const char *prefix, size_t digits, char *ret_byte)
{
    const size_t prefix_length = strlen(prefix);
    const size_t size = prefix_length + digits;
    if (length < size || strncasecmp(text + length - size, prefix, prefix_length) != 0)
        return 0;
    int value = 0;
    for (const char *digit = text + length - digits; digit < text + length; digit++) {
        if (hex_value(*digit) < 0)
            return 0;
        value = value * 16 + hex_value(*digit);
    }
    *ret_byte = (char)value;
    return size;
}

/* RFC 3986 §2.1. */
static size_t end_triplet(const char *text, size_t length, char *ret_byte)
{
    return end_hex(text, length, "%", 2, ret_byte);
}

/* "%u002E", of no RFC, but some servers read it. */
static size_t end_unicode(const char *text, size_t length, char *ret_byte)
{
    return end_hex(text, length, "%u00", 2, ret_byte);
}

/* Below 0x80 in more bytes than one, which no valid UTF-8 has: C0 AE, E0 80 AE and F0 80 80 AE are '.'. */
static size_t end_overlong(const char *text, size_t length, char *ret_byte)
{
    static const struct {
        unsigned char lead[OVERLONG_LEAD_MAX];
        size_t lead_length;
        unsigned char first; /* before the last byte; the same plus one is as good: the lowest bit counts */
    } forms[] = {{{0}, 0, 0xC0}, {{0xE0}, 1, 0x80}, {{0xF0, 0x80}, 2, 0x80}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const size_t size = forms[i].lead_length + 2;
        if (length < size || memcmp(text + length - size, forms[i].lead, forms[i].lead_length) != 0)
            continue;
        const unsigned char first = (unsigned char)text[length - 2];
        const unsigned char last = (unsigned char)text[length - 1];
        *ret_byte = (char)((first & 1) << CONTINUATION_BITS | (last & ~0xC0));
        if ((first & ~1) == forms[i].first && (last & 0xC0) == CONTINUATION)
            return size;
    }
    return 0;
}

static size_t end_encoded(const char *text, size_t length, char *ret_byte)
{
    static encoded_end *const encodings[] = {end_triplet, end_unicode, end_overlong};
    size_t size = 0;
    for (size_t i = 0; size == 0 && i < sizeof encodings / sizeof encodings[0]; i++)
        size = encodings[i](text, length, ret_byte);
    return size;
}

/* What the last bytes decode to takes their place, and may be the end of the next triplet: "%25" + "2E" is '.'. */
static size_t decode(char *text, size_t length)
{
    size_t end = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        size_t size = 0;
        do {
            end -= size;
            text[end++] = byte;
        } while ((size = end_encoded(text, end, &byte)) > 0);
    }
    return end;
}

static bool ends_name(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F || strchr(";?#", c);
}

/* Only the beginning of the name matters: dots, and then its end. */
static bool name_is_dots(const char *segment, size_t length)
{
    size_t dots = 0;
    while (dots < length && segment[dots] == '.')
        dots++;
    return (dots == 1 || dots == 2) && (dots == length || ends_name(segment[dots]));
}

bool path_segment_has_dots(char *segment, size_t length)
{
    const size_t end = decode(segment, length);
    for (size_t start = 0, at = 0; at <= end; at++) {
        if (at < end && segment[at] != '/' && segment[at] != '\\')
            continue;
        if (name_is_dots(segment + start, at - start))
            return true;
        start = at + 1;
    }
    return false;
}
