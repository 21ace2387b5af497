#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "model/secret/secret_reference.h"

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(value, "%s", text);
    return value;
}

Test(secret_reference, object_with_one_dollar_member_is_a_reference)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"{\"$file\":\"x\"}", true},
        {"{\"$vault\":\"x\"}", true},
        {"{\"file\":\"x\"}", false},
        {"\"$file\"", false},
        {"{\"$file\":\"x\",\"a\":1}", false},
        {"{}", false},
        {"null", false},
        {"[\"$file\"]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON value = json(cases[i].text);
        cr_assert_eq(secret_reference_is(value), cases[i].is, "%s", cases[i].text);
    }
}

Test(secret_reference, each_kind_yields_its_source_and_name)
{
    static const struct {
        const char *text;
        enum secret_source source;
    } cases[] = {
        {"{\"$file\":\"name\"}", SECRET_FROM_FILE},
        {"{\"$credential\":\"name\"}", SECRET_FROM_CREDENTIAL},
        {"{\"$env\":\"name\"}", SECRET_FROM_ENVIRONMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON value = json(cases[i].text);
        enum secret_source source;
        const char *name = NULL;
        cr_assert_eq(secret_reference_parse(value, &source, &name, NULL), OK);
        cr_assert_eq(source, cases[i].source);
        cr_assert_str_eq(name, "name");
    }
}

Test(secret_reference, other_shapes_are_refused_with_a_reason)
{
    static const char *const texts[] = {"{\"$vault\":\"x\"}", "{\"$file\":\"\"}", "{\"$env\":5}", "\"text\"", "{}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_JSON value = json(texts[i]);
        enum secret_source source;
        const char *name;
        struct error error = {0};
        cr_assert_eq(secret_reference_parse(value, &source, &name, &error), ERR_INVALID, "%s", texts[i]);
        cr_assert_not_null(strchr(error.message, '$'), "%s", error.message);
    }
}
