#include "base/json/json_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* jansson's own texts quote the input, so that each code gets words of ours. */
static const char *json_fault_text(enum json_error_code code)
{
    switch (code) {
    case json_error_stack_overflow:
        return "nested too deeply";
    case json_error_invalid_utf8:
        return "not valid UTF-8";
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "text after the end of the document";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a NUL character";
    case json_error_duplicate_key:
        return "a name stands twice in one object";
    case json_error_numeric_overflow:
        return "a number too large to represent";
    default:
        return "not valid JSON";
    }
}

/*
 * jansson does not survive every lack of memory: a string that its buffer could not grow for comes out with a
 * character missing, or is read beyond its end. So no allocation fails while it reads: one that would takes from a
 * reserve, and the text then counts as not read. Of the process, as jansson's allocator is.
 */
static struct {
    void *memory; /* untouched: costs address space alone */
    size_t size;
    bool is_used; /* since the reading began */
} reserve;
enum { RESERVE_LEAST = 64 * 1024 };

static bool reserve_prepare(size_t text_length)
{
    size_t size = RESERVE_LEAST + 4 * text_length;
    if (reserve.size < size) {
        free(TAKE(reserve.memory));
        reserve.memory = malloc(size);
        reserve.size = reserve.memory ? size : 0;
    }
    reserve.is_used = false;
    return reserve.memory;
}

void *json_read_allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory || !reserve.memory)
        return memory;
    free(TAKE(reserve.memory));
    reserve.size = 0;
    reserve.is_used = true;
    return malloc(size);
}

enum status json_read_text(const char *text, size_t length, json_t **ret_document, struct error *ret_error)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    if (!reserve_prepare(length))
        return error_set(ret_error, ERR_NO_MEMORY, "JSON document");
    json_error_t fault = {0};
    json_t *document = json_loadb(text, length, flags, &fault);
    /* A reply must not be lost for a number that nobody asked about: read integers beyond 64 bits as reals. */
    if (!document && json_error_code(&fault) == json_error_numeric_overflow)
        document = json_loadb(text, length, flags | JSON_DECODE_INT_AS_REAL, &fault);
    if (reserve.is_used) {
        json_decref(document);
        return error_set(ret_error, ERR_NO_MEMORY, "JSON document");
    }
    if (!document) {
        enum json_error_code code = json_error_code(&fault);
        if (code == json_error_out_of_memory)
            return error_set(ret_error, ERR_NO_MEMORY, "JSON document");
        return error_set(ret_error, ERR_INVALID, "line %d column %d: %s", fault.line, fault.column,
                         json_fault_text(code));
    }
    *ret_document = document;
    return OK;
}

/* RFC 6901 §4: digits without leading zeros. */
static bool read_index(const char *text, size_t length, size_t *ret_index)
{
    if (length == 0 || length > 9 || (length > 1 && text[0] == '0'))
        return false;
    size_t index = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        index = index * 10 + (size_t)(text[i] - '0');
    }
    *ret_index = index;
    return true;
}

static json_t *take_step(const json_t *value, const char *step, size_t length)
{
    size_t index;
    if (json_is_object(value))
        return json_object_getn(value, step, length);
    if (json_is_array(value) && read_index(step, length, &index))
        return json_array_get(value, index);
    return NULL;
}

static json_t *follow_path(const json_t *value, const char *path, int steps_left)
{
    if (!value || steps_left == 0)
        return NULL;
    size_t length = strcspn(path, ".");
    if (path[length] == '\0')
        return take_step(value, path, length);
    json_t *found = follow_path(take_step(value, path, length), path + length + 1, steps_left - 1);
    return found ? found : json_object_get(value, path);
}

json_t *json_read_path(const json_t *value, const char *path)
{
    return path ? follow_path(value, path, JSON_PATH_STEPS_MAX) : NULL;
}

/* RFC 6901 §3, in place. */
static bool unescape_pointer_step(char *step)
{
    char *out = step;
    for (const char *in = step; *in; in++) {
        if (*in != '~') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in != '0' && *in != '1')
            return false;
        *out++ = *in == '0' ? '~' : '/';
    }
    *out = '\0';
    return true;
}

json_t *json_read_pointer(const json_t *value, const char *pointer)
{
    /* Borrowed as json_object_get() gives its results: mutable, whatever the parameter says. */
    json_t *found = (json_t *)(uintptr_t)value;
    if (*pointer == '\0')
        return found;
    if (*pointer != '/')
        return NULL;
    AUTO_TEXT copy = strdup(pointer + 1);
    char *rest = copy;
    while (rest && found) {
        char *step = strsep(&rest, "/");
        if (!unescape_pointer_step(step))
            return NULL;
        found = take_step(found, step, strlen(step));
    }
    return copy ? found : NULL;
}

bool json_pointer_append(struct text_buffer *pointer, const char *name)
{
    size_t start = pointer->length;
    text_buffer_append_text(pointer, "/");
    for (; *name; name++) {
        if (*name == '~')
            text_buffer_append_text(pointer, "~0");
        else if (*name == '/')
            text_buffer_append_text(pointer, "~1");
        else
            text_buffer_append(pointer, name, 1);
    }
    if (pointer->failed)
        text_buffer_truncate(pointer, start);
    return !pointer->failed;
}

const char *json_read_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Reals from here on may stand for several integers: 2^53. */
#define EXACT_REAL_MAX 9007199254740992.0

/* By casts rather than trunc(), which would need libm. */
static bool is_whole(double number)
{
    return number > -EXACT_REAL_MAX && number < EXACT_REAL_MAX && (double)(int64_t)number == number;
}

/* The shortest text that reads back as the same number, so that 0.1 stays 0.1; whole numbers without a fraction. */
static bool append_real(struct text_buffer *buffer, double number)
{
    if (is_whole(number))
        return text_buffer_append_format(buffer, "%lld", (long long)number);
    char text[40];
    int precision = 15;
    do
        snprintf(text, sizeof text, "%.*g", precision, number);
    while (strtod(text, NULL) != number && ++precision <= 17);
    return text_buffer_append_text(buffer, text);
}

bool json_read_as_text(const json_t *value, struct text_buffer *buffer)
{
    if (json_is_string(value))
        return text_buffer_append(buffer, json_string_value(value), json_string_length(value));
    if (json_is_real(value))
        return append_real(buffer, json_real_value(value));
    return text_buffer_append_json(buffer, value);
}

static bool read_decimal(const char *text, int64_t *ret_number)
{
    const char *digits = text + (*text == '-');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno != 0)
        return false;
    *ret_number = number;
    return true;
}

bool json_read_integer(const json_t *value, int64_t *ret_number)
{
    if (json_is_integer(value)) {
        *ret_number = json_integer_value(value);
        return true;
    }
    if (json_is_string(value))
        return read_decimal(json_string_value(value), ret_number);
    double number = json_real_value(value);
    if (!json_is_real(value) || !is_whole(number))
        return false;
    *ret_number = (int64_t)number;
    return true;
}

enum status json_read_path_as_text(const json_t *value, const char *path, struct text_buffer *buffer)
{
    const json_t *found = json_read_path(value, path);
    if (!found || json_is_null(found))
        return ERR_NOT_FOUND;
    return json_read_as_text(found, buffer) ? OK : ERR_TOO_LARGE;
}
