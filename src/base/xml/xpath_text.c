#include "base/xml/xpath_text.h"

#include <stdbool.h>
#include <string.h>

/*
 * DEEP_STEPS_MAX, PREDICATES_MAX: a search through all elements below all elements takes libxml2 seconds in a document
 * of 200 KiB, far beyond what its own limit of operations says. So "//" stands once, and few conditions in one place.
 */
enum { STEPS_MAX = 32, INDEX_DIGITS_MAX = 6, DEEP_STEPS_MAX = 1, PREDICATES_MAX = 2 };

struct parsing {
    const char *text;
    size_t at;
    struct text_buffer *expression;
    struct error *ret_error;
};

static enum status refuse(const struct parsing *parsing, const char *what)
{
    return error_set(parsing->ret_error, ERR_INVALID,
                     "%s at character %zu; an XPath is /a/b, //b, /a/*, /a/b[2], "
                     "/a/b[@id='x'], /a/b[name='x'], with /@id or /text() at its end",
                     what, parsing->at + 1);
}

static char here(const struct parsing *parsing)
{
    return parsing->text[parsing->at];
}

static void append(struct parsing *parsing, const char *text)
{
    text_buffer_append_text(parsing->expression, text);
}

static bool skip(struct parsing *parsing, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(parsing->text + parsing->at, text, length) != 0)
        return false;
    parsing->at += length;
    return true;
}

/* Bytes of a UTF-8 character count as letters: a name that no document can have just finds nothing. */
static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static size_t local_name_length(const char *text)
{
    size_t length = 0;
    if (!is_name_start(*text))
        return 0;
    while (is_name_start(text[length]) || (text[length] >= '0' && text[length] <= '9') || text[length] == '-' ||
           text[length] == '.')
        length++;
    return length;
}

/* A name with or without a prefix; 0 when there is none. */
static size_t name_length(const char *text, bool *ret_has_prefix)
{
    size_t length = local_name_length(text);
    *ret_has_prefix = length > 0 && text[length] == ':';
    if (!*ret_has_prefix)
        return length;
    size_t local = local_name_length(text + length + 1);
    return local > 0 ? length + 1 + local : 0;
}

/* axis: "" for elements, "@" for attributes, which have no default namespace. */
static enum status read_name_test(struct parsing *parsing, const char *axis)
{
    bool has_prefix;
    const char *name = parsing->text + parsing->at;
    size_t length = name_length(name, &has_prefix);
    append(parsing, axis);
    append(parsing, "*");
    if (length == 0 && skip(parsing, "*"))
        return OK;
    if (length == 0)
        return refuse(parsing, "a name is missing");
    append(parsing, has_prefix ? "[name()='" : "[local-name()='");
    text_buffer_append(parsing->expression, name, length);
    append(parsing, "']");
    parsing->at += length;
    return OK;
}

static bool read_position(struct parsing *parsing)
{
    const char *digits = parsing->text + parsing->at;
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > INDEX_DIGITS_MAX || *digits == '0')
        return false;
    text_buffer_append(parsing->expression, digits, length);
    parsing->at += length;
    return true;
}

static enum status read_comparison(struct parsing *parsing)
{
    enum status status = read_name_test(parsing, skip(parsing, "@") ? "@" : "");
    if (status != OK)
        return status;
    if (!skip(parsing, "="))
        return refuse(parsing, "= is missing");
    const char *literal = parsing->text + parsing->at;
    const char *end = *literal == '\'' || *literal == '"' ? strchr(literal + 1, *literal) : NULL;
    if (!end)
        return refuse(parsing, "a quoted text is missing");
    append(parsing, "=");
    text_buffer_append(parsing->expression, literal, (size_t)(end + 1 - literal));
    parsing->at += (size_t)(end + 1 - literal);
    return OK;
}

static enum status read_predicates(struct parsing *parsing)
{
    for (unsigned count = 0; skip(parsing, "["); count++) {
        if (count == PREDICATES_MAX)
            return refuse(parsing, "a third condition in one step");
        append(parsing, "[");
        enum status status = read_position(parsing) ? OK : read_comparison(parsing);
        if (status != OK)
            return status;
        if (!skip(parsing, "]"))
            return refuse(parsing, "] is missing");
        append(parsing, "]");
    }
    return OK;
}

/* *ret_is_last: nothing can follow it. */
static enum status read_step(struct parsing *parsing, bool *ret_is_last)
{
    *ret_is_last = true;
    if (skip(parsing, "text()")) {
        append(parsing, "text()");
        return OK;
    }
    if (skip(parsing, "@"))
        return read_name_test(parsing, "@");
    *ret_is_last = false;
    enum status status = read_name_test(parsing, "");
    return status == OK ? read_predicates(parsing) : status;
}

enum status xpath_text_translate(const char *text, struct text_buffer *expression, struct error *ret_error)
{
    struct parsing parsing = {.text = text, .expression = expression, .ret_error = ret_error};
    bool is_last = false;
    unsigned deep_steps = 0;
    for (unsigned step = 0; step == 0 || here(&parsing) != '\0'; step++) {
        if (step == STEPS_MAX)
            return error_set(ret_error, ERR_INVALID, "more than %d steps", STEPS_MAX);
        bool is_deep = skip(&parsing, "//");
        if (is_last || (!is_deep && !skip(&parsing, "/")))
            return refuse(&parsing, is_last ? "a step after an attribute or a text" : "/ is missing");
        deep_steps += is_deep;
        if (deep_steps > DEEP_STEPS_MAX)
            return refuse(&parsing, "a second //");
        append(&parsing, is_deep ? "//" : "/");
        enum status status = read_step(&parsing, &is_last);
        if (status != OK)
            return status;
    }
    return expression->failed ? error_set(ret_error, ERR_NO_MEMORY, "XPath") : OK;
}
