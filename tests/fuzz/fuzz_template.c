/* PLACE TEMPLATE \0 VALUE: whatever a value is, it stays one value where the template puts it. */
#include <ctype.h>
#include <stdio.h>

#include "base/text/url.h"
#include "fuzz.h"
#include "model/template/template.h"

struct values {
    const char *bytes;
    size_t length;
    size_t *asked;
};

static enum status give_value(const void *context, const char *path, struct text_buffer *value)
{
    const struct values *values = context;
    size_t length = strlen(path);
    REQUIRE(length > 0 && length <= TEMPLATE_PATH_MAX, "a path of %zu bytes", length);
    ++*values->asked;
    if (strcmp(path, "nothing") == 0)
        return ERR_NOT_FOUND;
    return text_buffer_append(value, values->bytes, values->length) ? OK : ERR_TOO_LARGE;
}

static enum status count_template(void *context, const char *path, struct error *ret_error)
{
    (void)path;
    (void)ret_error;
    ++*(size_t *)context;
    return OK;
}

static size_t count_of(const char *text, size_t length, const char *characters)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] != '\0' && strchr(characters, text[i]);
    return count;
}

static void require_same_shape(const char *plain, const char *hostile)
{
    AUTO(url) a = NULL;
    AUTO(url) b = NULL;
    if (url_parse(plain, &a, NULL) != OK || url_parse(hostile, &b, NULL) != OK)
        return;
    const char *query_a = url_query(a), *query_b = url_query(b);
    REQUIRE(strcmp(url_scheme(a), url_scheme(b)) == 0, "a value has changed the scheme");
    REQUIRE(url_port(a) == url_port(b), "a value has changed the port");
    REQUIRE(!query_a == !query_b, "a value has made or taken the query");
    REQUIRE(!query_a || count_of(query_a, strlen(query_a), "&=") == count_of(query_b, strlen(query_b), "&="),
            "a value has made a parameter");
}

/* ---- dot segments: another way to see them than the renderer's, one decoding after the other ---- */

static size_t decode_once(char *text, size_t length)
{
    size_t end = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        char triplet[] = {i + 2 < length ? text[i + 1] : '-', i + 2 < length ? text[i + 2] : '-', '\0'};
        bool is_triplet = text[i] == '%' && isxdigit((unsigned char)triplet[0]) && isxdigit((unsigned char)triplet[1]);
        if (is_triplet && sscanf(triplet, "%2x", &byte) == 1) {
            text[end++] = (char)byte;
            i += 2;
        } else {
            text[end++] = text[i];
        }
    }
    return end;
}

static size_t count_dot_segments(const char *path, size_t length)
{
    size_t count = 0;
    for (size_t start = 0, i = 0; i <= length; i++) {
        if (i < length && path[i] != '/' && path[i] != '\\')
            continue;
        size_t size = i - start;
        const char *params = memchr(path + start, ';', size);
        if (params)
            size = (size_t)(params - (path + start));
        count += (size == 1 || size == 2) && memcmp(path + start, "..", size) == 0;
        start = i + 1;
    }
    return count;
}

/* None in the template itself, as it stands with a plain value: then none at any depth of decoding with another. */
static void require_same_segments(const char *plain, const char *hostile)
{
    for (size_t depth = 0; depth < 8; depth++) {
        AUTO_TEXT before = strndup(plain, strcspn(plain, "?#"));
        size_t before_length = strlen(before);
        for (size_t i = 0; i < depth; i++)
            before_length = decode_once(before, before_length);
        if (count_dot_segments(before, before_length) > 0)
            return;
    }
    size_t length = strcspn(hostile, "?#");
    AUTO_TEXT text = strndup(hostile, length);
    for (size_t depth = 0; depth < 8; depth++) {
        REQUIRE(count_dot_segments(text, length) == 0, "a value has made a dot segment");
        length = decode_once(text, length);
    }
}

static void require_harmless(const char *template, enum template_place place, const struct text_buffer *result)
{
    static const char plain[] = "x";
    size_t asked = 0;
    const struct values values = {.bytes = plain, .length = strlen(plain), .asked = &asked};
    AUTO_FINISH(text_buffer) expected;
    text_buffer_init(&expected, TEMPLATE_RESULT_MAX);
    if (template_render(template, place, give_value, &values, &expected, NULL) != OK)
        return;
    if (place == TEMPLATE_IN_HEADER)
        REQUIRE(count_of(result->data, result->length, "\r\n") == count_of(template, strlen(template), "\r\n") &&
                    strlen(text_buffer_text(result)) == result->length,
                "a value has made a line");
    if (place != TEMPLATE_IN_URI)
        return;
    require_same_shape(text_buffer_text(&expected), text_buffer_text(result));
    require_same_segments(text_buffer_text(&expected), text_buffer_text(result));
    if (!template_is_in_authority(template)) {
        size_t authority = strcspn(text_buffer_text(&expected), "?#");
        const char *mark = strstr(text_buffer_text(&expected), "://");
        if (mark && (size_t)(mark - expected.data) < authority) {
            size_t end = (size_t)(mark - expected.data) + 3 + strcspn(mark + 3, "/?#");
            REQUIRE(strncmp(expected.data, text_buffer_text(result), end) == 0, "a value has changed the host");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum template_place places[] = {TEMPLATE_IN_VALUE, TEMPLATE_IN_HEADER, TEMPLATE_IN_URI};
    enum template_place place = places[fuzz_pick(data, size, 0, 3)];
    AUTO_TEXT template = fuzz_text(data, size, 1);
    size_t asked = 0;
    struct values values = {.asked = &asked};
    AUTO_TEXT value = fuzz_bytes(data, size, strlen(template) + 2, &values.length);
    values.bytes = value;
    static const char before[] = "before";
    struct error error = {0};
    AUTO_FINISH(text_buffer) result;
    text_buffer_init(&result, TEMPLATE_RESULT_MAX);
    text_buffer_append_text(&result, before);
    enum status status = template_render(template, place, give_value, &values, &result, &error);
    REQUIRE(strncmp(text_buffer_text(&result), before, strlen(before)) == 0, "what stood there before is gone");
    REQUIRE(status == OK || result.length == strlen(before), "a failure leaves something behind");
    REQUIRE((status == OK) == (error.message[0] == '\0'), "a failure has words, and nothing else has");
    size_t count = 0;
    enum status walked = template_walk(template, count_template, &count, NULL);
    REQUIRE(walked == OK || status != OK, "rendered although it cannot be read");
    REQUIRE(status != OK || count == asked, "%zu templates, %zu values", count, asked);
    REQUIRE(walked != OK || template_is_in(template) == (count > 0), "disagree on whether there is a template");
    if (status == OK) {
        AUTO_FINISH(text_buffer) alone;
        text_buffer_init(&alone, TEMPLATE_RESULT_MAX);
        REQUIRE(template_render(template, place, give_value, &values, &alone, NULL) == OK, "not twice the same");
        require_harmless(template, place, &alone);
    }
    return 0;
}
