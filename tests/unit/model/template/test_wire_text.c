#include "model/fixture.h"

#include "model/template/wire_text.h"

static enum status read_text(const char *text, enum status (*read)(const json_t *, json_t **, struct error *),
                             json_t **ret_value, struct error *ret_error)
{
    AUTO_JSON value = json_string(text);
    return read(value, ret_value, ret_error);
}

Test(wire_text, form_text_is_decoded_into_members)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "{}"},
        {" \n", "{}"},
        {"a=1", "{'a':'1'}"},
        {"a=1&b", "{'a':'1','b':''}"},
        {"&a=1&&b=2&", "{'a':'1','b':'2'}"},
        {"a=x%3Dy%26+z", "{'a':'x=y& z'}"},
        {"a=b=c", "{'a':'b=c'}"},
        {"%61b=%C3%A9", "{'ab':'\xc3\xa9'}"},
        {"a={{{iClient.jwt.token}}}&b=1\n", "{'a':'{{{iClient.jwt.token}}}','b':'1'}"},
        {"{{{x}}}=1", "{'{{{x}}}':'1'}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON body = NULL;
        AUTO_JSON expected = fixture_json(cases[i].expected);
        cr_expect_eq(read_text(cases[i].text, body_read, &body, NULL), OK, "%s", cases[i].text);
        cr_expect(json_equal(body, expected), "%s", cases[i].text);
    }
}

Test(wire_text, broken_bodies_are_refused)
{
    static const char *const texts[] = {
        "a=%", "a=%4", "a=%zz", "a=%00", "=1", "a=1&a=2", "a=%FF", "{\"a\":1", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_JSON body = NULL;
        struct error error = {0};
        cr_expect_eq(read_text(texts[i], body_read, &body, &error), ERR_INVALID, "%s", texts[i]);
        cr_expect(error.message[0] != '\0');
        cr_expect_null(body);
    }
    AUTO_JSON array = json_array();
    AUTO_JSON body = NULL;
    cr_assert_eq(body_read(array, &body, NULL), ERR_INVALID);
}

Test(wire_text, broken_headers_are_refused)
{
    static const char *const texts[] = {"X-A",
                                        ": 1",
                                        "X A: 1",
                                        "X-A: 1\nx-a: 2",
                                        "Host: a",
                                        "content-length: 1",
                                        "Transfer-Encoding: x",
                                        "X-A: a\001b",
                                        "{\"X-A\":1}",
                                        "[{\"name\":\"X-A\"}]",
                                        "[1]",
                                        "[{\"name\":\"X-A\",\"value\":\"1\",\"more\":1}]",
                                        "{\"X-A\":\"a\\r\\nX-B: b\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_JSON headers = NULL;
        struct error error = {0};
        cr_expect_eq(read_text(texts[i], headers_read, &headers, &error), ERR_INVALID, "%s", texts[i]);
        cr_expect(error.message[0] != '\0');
        cr_expect_null(headers);
    }
}

Test(wire_text, merged_headers_replace_by_name_without_case)
{
    AUTO_JSON below = fixture_json("[{'name':'Accept','value':'a'},{'name':'X-P','value':'p'}]");
    AUTO_JSON above = fixture_json("[{'name':'ACCEPT','value':'b'}]");
    AUTO_JSON merged = headers_merge(below, above);
    cr_assert_eq(json_array_size(merged), 2);
    cr_assert_str_eq(headers_find(merged, "accept"), "b");
    cr_assert_str_eq(headers_find(merged, "x-p"), "p");
    cr_assert_null(headers_find(merged, "X-Q"));
}
