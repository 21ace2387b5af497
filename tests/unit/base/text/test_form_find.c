#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"

Test(form_find, finds_and_decodes)
{
    static const struct {
        const char *form;
        enum status status;
        const char *value;
    } cases[] = {
        {"code=abc", OK, "abc"},
        {"state=1&code=abc&x=2", OK, "abc"},
        {"code=a%20b+c%2Bd%26e", OK, "a b c+d&e"},
        {"code=a%c3%A9", OK, "a\xC3\xA9"},
        {"code=", OK, ""},
        {"code", OK, ""},
        {"&&code=x&&", OK, "x"},
        {"%63ode=x", OK, "x"},
        {"code=a=b", OK, "a=b"},
        {"bad%zz=1&code=x", OK, "x"},
        {"", ERR_NOT_FOUND, NULL},
        {"xcode=1&codex=2&Code=3", ERR_NOT_FOUND, NULL},
        {"=x", ERR_NOT_FOUND, NULL},
        {"code=1&code=2", ERR_INVALID, NULL},
        {"code=1&code=1", ERR_INVALID, NULL},
        {"code=1&c%6fde=2", ERR_INVALID, NULL},
        {"code=&code=", ERR_INVALID, NULL},
        {"code=%", ERR_INVALID, NULL},
        {"code=%4", ERR_INVALID, NULL},
        {"code=%4&x=1", ERR_INVALID, NULL},
        {"code=%zz", ERR_INVALID, NULL},
        {"code=a%00b", ERR_INVALID, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_TEXT value = NULL;
        cr_assert_eq(form_find(cases[i].form, strlen(cases[i].form), "code", &value), cases[i].status, "%s",
                     cases[i].form);
        if (cases[i].value)
            cr_assert_str_eq(value, cases[i].value, "%s", cases[i].form);
        else
            cr_assert_null(value, "%s", cases[i].form);
    }
}

Test(form_find, reads_only_length_bytes)
{
    AUTO_TEXT value = NULL;
    cr_assert_eq(form_find("code=abcdef", 8, "code", &value), OK);
    cr_assert_str_eq(value, "abc");
}

Test(form_find, raw_nul_in_the_value_is_refused)
{
    AUTO_TEXT value = NULL;
    cr_assert_eq(form_find("code=a\0b", 8, "code", &value), ERR_INVALID);
}

Test(form_find, encoded_text_is_found_as_it_was)
{
    for (unsigned byte = 1; byte < 256; byte++) {
        char plain[] = {'<', (char)(unsigned char)byte, '>', '\0'};
        AUTO_FINISH(text_buffer) form;
        text_buffer_init(&form, 100);
        text_buffer_append_text(&form, "state=x&code=");
        text_buffer_append_form(&form, plain, 3);
        text_buffer_append_text(&form, "&iss=y");
        AUTO_TEXT value = NULL;
        cr_assert_eq(form_find(form.data, form.length, "code", &value), OK, "byte %u", byte);
        cr_assert_str_eq(value, plain, "byte %u", byte);
    }
}
