#include "model/path_segment.h"

#include <ctype.h>
#include <string.h>

enum {
    TRIPLET = 3,           /* "%2E" */
    OVERLONG = 2,          /* C0 AE: '.' in two bytes, which no valid UTF-8 has */
    OVERLONG_FIRST = 0xC0, /* C0 and C1 lead to the bytes below 0x80 */
    OVERLONG_LAST = 0xC1,
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

static bool end_is_triplet(const char *text, size_t length, char *ret_byte)
{
    if (length < TRIPLET || text[length - TRIPLET] != '%')
        return false;
    const int high = hex_value(text[length - 2]);
    const int low = hex_value(text[length - 1]);
    *ret_byte = (char)(high * 16 + low);
    return high >= 0 && low >= 0;
}

static bool end_is_overlong(const char *text, size_t length, char *ret_byte)
{
    if (length < OVERLONG)
        return false;
    const unsigned char first = (unsigned char)text[length - 2];
    const unsigned char second = (unsigned char)text[length - 1];
    *ret_byte = (char)((first & 1) << CONTINUATION_BITS | (second & ~0xC0));
    return (first == OVERLONG_FIRST || first == OVERLONG_LAST) && (second & 0xC0) == CONTINUATION;
}

/* What the last bytes decode to takes their place, and may be the end of the next triplet: "%25" + "2E" is '.'. */
static size_t decode(char *text, size_t length)
{
    size_t end = 0;
    for (size_t i = 0; i < length; i++) {
        char byte;
        text[end++] = text[i];
        for (;;) {
            if (end_is_triplet(text, end, &byte))
                end -= TRIPLET;
            else if (end_is_overlong(text, end, &byte))
                end -= OVERLONG;
            else
                break;
            text[end++] = byte;
        }
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
