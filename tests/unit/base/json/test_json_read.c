#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"

static json_t *parse(const char *text)
{
    json_t *document = NULL;
    struct error error = {0};
    cr_assert_eq(json_read_text(text, strlen(text), &document, &error), OK, "%s: %s", text, error.message);
    return document;
}

Test(json_read, text_refuses_what_is_not_one_document)
{
    static const struct {
        const char *text;
        size_t length;
        const char *says;
    } cases[] = {
        {"", 0, "too early"},
        {"{", 1, "too early"},
        {"{}x", 3, "after the end"},
        {"{} {}", 5, "after the end"},
        {"{\"a\":1,\"a\":2}", 13, "twice"},
        {"{\"a\":{\"b\":1,\"b\":1}}", 19, "twice"},
        {"\"\\u0000\"", 8, "NUL"},
        {"{\"a\\u0000b\":1}", 14, "NUL"},
        {"{\"a\":\"\xFF\"}", 9, "UTF-8"},
        {"{'a':1}", 7, "not valid JSON"},
        {"{\"a\":tru}", 9, "not valid JSON"},
        {"[1,]", 4, "not valid JSON"},
        {"1e999", 5, "too large"},
        {"{\"a\":1}\0", 8, "after the end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *document = NULL;
        struct error error = {0};
        cr_assert_eq(json_read_text(cases[i].text, cases[i].length, &document, &error), ERR_INVALID, "case %zu", i);
        cr_assert_null(document);
        cr_assert(strstr(error.message, cases[i].says), "case %zu says: %s", i, error.message);
        cr_assert_eq(strncmp(error.message, "line 1 column ", 14), 0, "case %zu says: %s", i, error.message);
    }
}

Test(json_read, text_error_gives_line_and_never_the_input)
{
    static const char *const texts[] = {
        "{\n \"client_secret\": hunter2\n}",
        "{\n \"client_secret\": \"hunter2",
        "{\n \"hunter2\": 1, \"hunter2\": 2}",
        "{\n \"client_secret\": \"hunter2\" hunter2 }",
        "[\n \"hunter2\\x\"]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *document = NULL;
        struct error error = {0};
        cr_assert_eq(json_read_text(texts[i], strlen(texts[i]), &document, &error), ERR_INVALID);
        cr_assert_eq(strncmp(error.message, "line 2 column ", 14), 0, "%s", error.message);
        cr_assert_null(strstr(error.message, "hunter2"), "%s", error.message);
    }
}

Test(json_read, text_refuses_deep_nesting_without_crashing)
{
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH);
    memset(text, '[', DEPTH);
    json_t *document = NULL;
    struct error error = {0};
    cr_assert_eq(json_read_text(text, DEPTH, &document, &error), ERR_INVALID);
    cr_assert(strstr(error.message, "nested too deeply"), "%s", error.message);
    free(text);
}

Test(json_read, number_beyond_64_bits_does_not_lose_the_document)
{
    AUTO_JSON document = parse("{\"id\":123456789012345678901234567890,\"expires_in\":3600,\"access_token\":\"t\"}");
    int64_t seconds;
    cr_assert_str_eq(json_read_string(document, "access_token"), "t");
    cr_assert(json_read_integer(json_object_get(document, "expires_in"), &seconds));
    cr_assert_eq(seconds, 3600);
}

Test(json_read, path_leads_to_values)
{
    AUTO_JSON document =
        parse("{\"a\":{\"b\":\"1\",\"c.d\":\"2\",\"\":\"9\"},\"x.y\":\"3\",\"list\":[{\"t\":\"4\"},[\"5\",\"6\"]],"
              "\"x\":{\"z\":\"7\"},\"0\":\"8\",\"list.1.0\":\"shadowed\"}");
    static const struct {
        const char *path;
        const char *expected;
    } cases[] = {
        {"a.b", "1"},
        {"a.c.d", "2"},
        {"x.y", "3"},
        {"x.z", "7"},
        {"list.0.t", "4"},
        {"0", "8"},
        {"list.1.0", "5"},
        {"a.", "9"},
        {"list.1.1", "6"},
        {"list.2", NULL},
        {"list.-1", NULL},
        {"list.01", NULL},
        {"list.", NULL},
        {"a.b.c", NULL},
        {"", NULL},
        {".", NULL},
        {"a..b", NULL},
        {"missing", NULL},
        {"list.99999999999999999999", NULL},
        {"A.b", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = json_string_value(json_read_path(document, cases[i].path));
        if (cases[i].expected)
            cr_assert_str_eq(found ? found : "(nothing)", cases[i].expected, "%s", cases[i].path);
        else
            cr_assert_null(found, "%s gave %s", cases[i].path, found);
    }
    cr_assert_null(json_read_path(NULL, "a"));
    cr_assert_null(json_read_path(document, NULL));
}

Test(json_read, path_ends_after_its_maximum_of_steps)
{
    json_t *value = json_string("deep");
    char path[2 * (JSON_PATH_STEPS_MAX + 1)] = "";
    for (int i = 0; i < JSON_PATH_STEPS_MAX; i++) {
        value = json_pack("{s:o}", "a", value);
        strcat(path, i ? ".a" : "a");
    }
    cr_assert_not_null(json_read_path(value, path));
    value = json_pack("{s:o}", "a", value);
    strcat(path, ".a");
    cr_assert_null(json_read_path(value, path));
    json_decref(value);
}

/* RFC 6901 §5's table. */
Test(json_read, pointer_follows_rfc_6901)
{
    AUTO_JSON document = parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
                               "\"k\\\"l\":6,\" \":7,\"m~n\":8}");
    static const struct {
        const char *pointer;
        int expected;
    } cases[] = {
        {"/", 0},     {"/a~1b", 1}, {"/c%d", 2}, {"/e^f", 3},  {"/g|h", 4},
        {"/i\\j", 5}, {"/k\"l", 6}, {"/ ", 7},   {"/m~0n", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *found = json_read_pointer(document, cases[i].pointer);
        cr_assert(json_is_integer(found), "%s", cases[i].pointer);
        cr_assert_eq(json_integer_value(found), cases[i].expected, "%s", cases[i].pointer);
    }
    cr_assert_eq(json_read_pointer(document, ""), document);
    cr_assert_eq(json_read_pointer(document, "/foo"), json_object_get(document, "foo"));
    cr_assert_str_eq(json_string_value(json_read_pointer(document, "/foo/0")), "bar");
    static const char *const absent[] = {"foo",   "/foo/2", "/foo/-",   "/foo/01", "/foo/",
                                         "/m~2n", "/m~",    "/foo/0/x", "/x/y"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        cr_assert_null(json_read_pointer(document, absent[i]), "%s", absent[i]);
}

Test(json_read, pointer_append_escapes)
{
    AUTO_FINISH(text_buffer) pointer;
    text_buffer_init(&pointer, 100);
    cr_assert(json_pointer_append(&pointer, "oauth2"));
    cr_assert(json_pointer_append(&pointer, "a/b~c"));
    cr_assert_str_eq(pointer.data, "/oauth2/a~1b~0c");
}

Test(json_read, appended_pointer_leads_back)
{
    static const char *const names[] = {"", "~", "/", "~1", "~0", "//~~", "plain", "~01"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        AUTO_FINISH(text_buffer) pointer;
        text_buffer_init(&pointer, 100);
        json_pointer_append(&pointer, names[i]);
        AUTO_JSON document = json_pack("{s:i}", names[i], 1);
        cr_assert_not_null(json_read_pointer(document, pointer.data), "%s", pointer.data);
    }
}

Test(json_read, pointer_append_that_does_not_fit_changes_nothing)
{
    AUTO_FINISH(text_buffer) pointer;
    text_buffer_init(&pointer, 6);
    json_pointer_append(&pointer, "ab");
    cr_assert_not(json_pointer_append(&pointer, "c/d"));
    cr_assert_str_eq(pointer.data, "/ab");
}

Test(json_read, string_is_null_for_everything_else)
{
    AUTO_JSON document = parse("{\"s\":\"x\",\"i\":1,\"n\":null}");
    cr_assert_str_eq(json_read_string(document, "s"), "x");
    cr_assert_null(json_read_string(document, "i"));
    cr_assert_null(json_read_string(document, "n"));
    cr_assert_null(json_read_string(document, "absent"));
    cr_assert_null(json_read_string(NULL, "s"));
}

Test(json_read, as_text_writes_values_as_json_does)
{
    static const struct {
        const char *json;
        const char *expected;
    } cases[] = {
        {"\"x y\\n\"", "x y\n"},
        {"1", "1"},
        {"-7", "-7"},
        {"true", "true"},
        {"false", "false"},
        {"null", "null"},
        {"0.1", "0.1"},
        {"1.5", "1.5"},
        {"3600.0", "3600"},
        {"-2.0", "-2"},
        {"1e2", "100"},
        {"\"\"", ""},
        {"9007199254740991", "9007199254740991"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"{\"a\": [1, 2]}", "{\"a\":[1,2]}"},
        {"[]", "[]"},
        {"9223372036854775807", "9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON value = parse(cases[i].json);
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        cr_assert(json_read_as_text(value, &buffer));
        cr_assert_str_eq(text_buffer_text(&buffer), cases[i].expected, "%s gave %s", cases[i].json, buffer.data);
    }
}

Test(json_read, integer_from_numbers_and_decimal_strings)
{
    static const struct {
        const char *json;
        bool found;
        int64_t expected;
    } cases[] = {
        {"3600", true, 3600},
        {"\"3600\"", true, 3600},
        {"3600.0", true, 3600},
        {"\"-5\"", true, -5},
        {"0", true, 0},
        {"\"007\"", true, 7},
        {"\"9223372036854775807\"", true, INT64_MAX},
        {"\"9223372036854775808\"", false, 0},
        {"3600.5", false, 0},
        {"\"3600.5\"", false, 0},
        {"\"\"", false, 0},
        {"\"-\"", false, 0},
        {"\" 1\"", false, 0},
        {"\"1 \"", false, 0},
        {"\"+1\"", false, 0},
        {"\"0x10\"", false, 0},
        {"\"1e3\"", false, 0},
        {"1e300", false, 0},
        {"true", false, 0},
        {"null", false, 0},
        {"[1]", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON value = parse(cases[i].json);
        int64_t number = 0;
        cr_assert_eq(json_read_integer(value, &number), cases[i].found, "%s", cases[i].json);
        cr_assert_eq(number, cases[i].expected, "%s", cases[i].json);
    }
    int64_t number = 42;
    cr_assert_not(json_read_integer(NULL, &number));
    cr_assert_eq(number, 42, "written on success alone");
}

Test(json_read, path_as_text_tells_absent_from_too_large)
{
    static const struct {
        const char *path, *text; /* text: what is appended */
        enum status status;
    } cases[] = {
        {"a.b", "seven", OK},        {"a.n", "7", OK}, {"a.null", "", ERR_NOT_FOUND}, {"a.none", "", ERR_NOT_FOUND},
        {"long", "", ERR_TOO_LARGE},
    };
    AUTO_JSON document = json_pack("{s:{s:s, s:i, s:n}, s:s}", "a", "b", "seven", "n", 7, "null", "long", "0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 8);
        cr_expect_eq(json_read_path_as_text(document, cases[i].path, &buffer), cases[i].status, "%s", cases[i].path);
        cr_expect_str_eq(text_buffer_text(&buffer), cases[i].text, "%s", cases[i].path);
    }
}
