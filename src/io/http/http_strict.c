#include "io/http/http_strict.h"

#include <string.h>

size_t http_strict_head_length(struct http_text received)
{
    const char *begin = received.data;
    const char *end = begin + received.length;
    for (const char *line = begin;;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (!feed || memchr(line, '\r', (size_t)(feed - line + 1)) != feed - 1 || *line == ' ' || *line == '\t')
            return 0;
        if (feed == line + 1)
            return (size_t)(feed + 1 - begin);
        line = feed + 1;
    }
}

bool http_strict_request_line(struct http_text received, struct http_text target)
{
    static const char version[] = " HTTP/";
    const char *after = target.data + target.length;
    size_t left = (size_t)(received.data + received.length - after);
    return target.data - received.data >= 2 && target.data[-2] != ' ' && left >= sizeof version - 1 &&
           memcmp(after, version, sizeof version - 1) == 0;
}

bool http_strict_has_bad_version(struct http_text received, struct http_text target)
{
    static const char version[] = " HTTP/#.#$"; /* #: a digit, $: the line's end */
    const char *after = target.data + target.length;
    size_t left = (size_t)(received.data + received.length - after);
    for (size_t i = 0; i < sizeof version - 1 && i < left; i++) {
        bool is_digit = after[i] >= '0' && after[i] <= '9';
        bool is_end = after[i] == '\r' || after[i] == '\n';
        bool is_right = version[i] == '#' ? is_digit : version[i] == '$' ? is_end : after[i] == version[i];
        if (!is_right)
            return i > (size_t)(strchr(version, '/') - version);
    }
    return false;
}

bool http_strict_target(struct http_text target)
{
    for (size_t i = 0; i < target.length; i++) {
        if (target.data[i] <= ' ' || target.data[i] > '~' || target.data[i] == '#')
            return false;
    }
    return target.length > 0;
}

bool http_strict_header(struct http_text name, struct http_text value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return name.length > 0 && !memchr(name.data, ' ', name.length);
}

bool http_strict_content_length(struct http_text value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
    }
    return value.length > 0;
}
