#include <string.h>

#include "base/text/url.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Replaces what ret_text holds. False for bad percent-encoding, for NUL bytes and without memory. */
static bool decode(const char *text, size_t length, struct text_buffer *ret_text)
{
    text_buffer_clear(ret_text);
    for (size_t i = 0; i < length; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return false;
        text_buffer_append(ret_text, &c, 1);
    }
    return !ret_text->failed;
}

enum status form_find(const char *form, size_t length, const char *name, char **ret_value)
{
    AUTO_FINISH(text_buffer) word;
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&word, length);
    text_buffer_init(&value, length);
    bool found = false;
    const char *end = form + length;
    for (const char *pair = form; pair < end;) {
        const char *mark = memchr(pair, '&', (size_t)(end - pair));
        const char *pair_end = mark ? mark : end;
        const char *equals = memchr(pair, '=', (size_t)(pair_end - pair));
        const char *name_end = equals ? equals : pair_end;
        const char *text = equals ? equals + 1 : pair_end;
        bool matches = decode(pair, (size_t)(name_end - pair), &word) && strcmp(text_buffer_text(&word), name) == 0;
        pair = pair_end + 1;
        if (word.failed)
            return ERR_NO_MEMORY;
        if (!matches)
            continue;
        /* RFC 6749 §3.1: no parameter more than once. */
        if (found || !decode(text, (size_t)(pair_end - text), &value))
            return value.failed ? ERR_NO_MEMORY : ERR_INVALID;
        found = true;
    }
    if (!found)
        return ERR_NOT_FOUND;
    char *taken = text_buffer_take(&value);
    if (!taken)
        return ERR_NO_MEMORY;
    *ret_value = taken;
    return OK;
}
