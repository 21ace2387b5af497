#include "service/api/route.h"

#include <string.h>

static char lower_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool pattern_matches(const char *pattern, bool ignore_case, struct http_text path, struct http_text *names)
{
    size_t at = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            size_t start = at;
            while (at < path.length && path.data[at] != '/')
                at++;
            if (at == start)
                return false;
            *names++ = (struct http_text){path.data + start, at - start};
            continue;
        }
        if (at == path.length)
            return false;
        char c = path.data[at++];
        if (c != *pattern && !(ignore_case && lower_case(c) == lower_case(*pattern)))
            return false;
    }
    /* Where the spelling of a path is taken kindly, a slash at its end is too. */
    if (ignore_case && at + 1 == path.length && path.data[at] == '/')
        at++;
    return at == path.length;
}

bool route_find(const struct route_table *table, enum http_verb verb, struct http_text path,
                struct route_match *ret_match)
{
    ret_match->route = NULL;
    ret_match->allowed_verbs = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];
        if (!pattern_matches(route->pattern, table->ignore_case, path, ret_match->names))
            continue;
        if (route->verb == verb) {
            ret_match->route = route;
            return true;
        }
        ret_match->allowed_verbs |= 1U << route->verb;
    }
    return false;
}

void route_format_allow(unsigned allowed_verbs, char allow[ROUTE_ALLOW_SIZE])
{
    static const char *const words[HTTP_VERB_OTHER] = {
        [HTTP_VERB_GET] = "GET", [HTTP_VERB_HEAD] = "HEAD",   [HTTP_VERB_POST] = "POST",
        [HTTP_VERB_PUT] = "PUT", [HTTP_VERB_PATCH] = "PATCH", [HTTP_VERB_DELETE] = "DELETE",
    };
    char *end = allow;
    for (size_t i = 0; i < HTTP_VERB_OTHER; i++) {
        if (!(allowed_verbs & 1U << i))
            continue;
        if (end != allow)
            end = stpcpy(end, ", ");
        end = stpcpy(end, words[i]);
    }
    *end = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower_case(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool route_decode_name(struct http_text name, char *text, size_t size, size_t *ret_length)
{
    size_t length = 0;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (c == '%') {
            int high = name.length - i > 2 ? hex_digit(name.data[i + 1]) : -1;
            int low = name.length - i > 2 ? hex_digit(name.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        if (c == '/' || (unsigned char)c < 0x20 || c == 0x7f || length + 1 >= size)
            return false;
        text[length++] = c;
    }
    text[length] = '\0';
    *ret_length = length;
    return true;
}
