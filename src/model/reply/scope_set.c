#include "model/reply/scope_set.h"

#include <string.h>

static const char spaces[] = " \t";

bool scope_set_append(struct text_buffer *buffer, const char *scope, const char *delimiter)
{
    size_t delimiter_length = delimiter ? strlen(delimiter) : 0;
    bool is_between = false;
    for (const char *at = scope; *at;) {
        bool is_delimiter = delimiter_length > 0 && strncmp(at, delimiter, delimiter_length) == 0;
        if (is_delimiter || strchr(spaces, *at)) {
            at += is_delimiter ? delimiter_length : 1;
            is_between = true;
            continue;
        }
        if (is_between && buffer->length > 0)
            text_buffer_append_text(buffer, " ");
        is_between = false;
        text_buffer_append(buffer, at++, 1);
    }
    return !buffer->failed;
}

static bool has_name(const char *scope, const char *name, size_t length)
{
    for (const char *at = scope; *at;) {
        at += strspn(at, spaces);
        size_t own_length = strcspn(at, spaces);
        if (own_length == length && memcmp(at, name, length) == 0)
            return true;
        at += own_length;
    }
    return false;
}

bool scope_set_contains(const char *whole, const char *part)
{
    for (const char *at = part; *at;) {
        at += strspn(at, spaces);
        size_t length = strcspn(at, spaces);
        if (length > 0 && !has_name(whole, at, length))
            return false;
        at += length;
    }
    return true;
}

bool scope_set_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0 || (scope_set_contains(a, b) && scope_set_contains(b, a));
}
