#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/text_buffer.h"

Test(text_buffer, is_empty_text_before_the_first_append)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 10);
    cr_assert_str_eq(text_buffer_text(&buffer), "");
    cr_assert_eq(buffer.length, 0);
    cr_assert_not(buffer.failed);
}

Test(text_buffer, grows_and_stays_terminated)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100000);
    for (int i = 0; i < 10000; i++) {
        cr_assert(text_buffer_append(&buffer, "0123456789", 10));
        cr_assert_eq(buffer.data[buffer.length], '\0');
    }
    cr_assert_eq(buffer.length, 100000);
    cr_assert_leq(buffer.capacity, 100001, "no more memory than its limit asks for");
    for (size_t i = 0; i < buffer.length; i++)
        cr_assert_eq(buffer.data[i], (char)('0' + i % 10));
}

Test(text_buffer, takes_exactly_its_limit)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 5);
    cr_assert(text_buffer_append_text(&buffer, "12345"));
    cr_assert_not(text_buffer_append_text(&buffer, "6"));
    cr_assert(buffer.failed);
    cr_assert_str_eq(text_buffer_text(&buffer), "12345");
}

Test(text_buffer, first_failure_stops_all_later_appends)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 4);
    text_buffer_append_text(&buffer, "ab");
    cr_assert_not(text_buffer_append_text(&buffer, "cde"));
    cr_assert_not(text_buffer_append_text(&buffer, "c"), "it would fit, but the text has a hole already");
    cr_assert_not(text_buffer_append_format(&buffer, "%d", 1));
    cr_assert_not(text_buffer_append_html(&buffer, "x"));
    cr_assert_str_eq(text_buffer_text(&buffer), "ab");
    cr_assert_null(text_buffer_take(&buffer));
}

/* Each kind of append that is made of several pieces, with input that fits in part only. */
Test(text_buffer, append_that_does_not_fit_changes_nothing)
{
    AUTO_JSON value = json_pack("{s:s}", "name", "a long enough value");
    for (int kind = 0; kind < 6; kind++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 10);
        text_buffer_append_text(&buffer, "abc");
        bool appended[] = {
            kind == 0 && text_buffer_append_percent(&buffer, "a b c d", 7),
            kind == 1 && text_buffer_append_form(&buffer, "a&b&c&d", 7),
            kind == 2 && text_buffer_append_html(&buffer, "a<b>c"),
            kind == 3 && text_buffer_append_json_string(&buffer, "1234567", 7),
            kind == 4 && text_buffer_append_json(&buffer, value),
            kind == 5 && text_buffer_append_format(&buffer, "%08d", 1),
        };
        cr_assert_not(appended[kind], "kind %d", kind);
        cr_assert(buffer.failed, "kind %d", kind);
        cr_assert_str_eq(text_buffer_text(&buffer), "abc", "kind %d left %s", kind, buffer.data);
    }
}

Test(text_buffer, clear_empties_wipes_and_forgives)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 8);
    text_buffer_append_text(&buffer, "hunter2");
    text_buffer_append_text(&buffer, "too much");
    char *storage = buffer.data;
    text_buffer_clear(&buffer);
    cr_assert_eq(buffer.length, 0);
    cr_assert_not(buffer.failed);
    cr_assert_eq(buffer.data, storage);
    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(storage[i], '\0');
    cr_assert(text_buffer_append_text(&buffer, "new"));
    cr_assert_str_eq(buffer.data, "new");
}

Test(text_buffer, truncate_cuts_back_and_never_forward)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    text_buffer_truncate(&buffer, 0);
    text_buffer_append_text(&buffer, "abcdef");
    text_buffer_truncate(&buffer, 10);
    cr_assert_str_eq(buffer.data, "abcdef");
    text_buffer_truncate(&buffer, 2);
    cr_assert_str_eq(buffer.data, "ab");
    cr_assert_eq(buffer.length, 2);
    cr_assert_eq(buffer.data[5], '\0', "what was cut is wiped");
}

Test(text_buffer, format_longer_than_first_storage)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 1000);
    cr_assert(text_buffer_append_format(&buffer, "%s-%0500d", "a", 7));
    cr_assert_eq(buffer.length, 502);
    cr_assert_eq(buffer.data[501], '7');
}

Test(text_buffer, percent_keeps_unreserved_characters_alone)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 2000);
    static const char plain[] = "AZaz09-._~";
    cr_assert(text_buffer_append_percent(&buffer, plain, strlen(plain)));
    cr_assert_str_eq(buffer.data, plain);
    text_buffer_clear(&buffer);
    static const char other[] = "\0 /?#&=+%:@\x7F\xC3\xA9!*'()";
    cr_assert(text_buffer_append_percent(&buffer, other, sizeof other - 1));
    cr_assert_str_eq(buffer.data, "%00%20%2F%3F%23%26%3D%2B%25%3A%40%7F%C3%A9%21%2A%27%28%29");
}

Test(text_buffer, form_writes_space_as_plus_and_encodes_plus_and_tilde)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 2000);
    /* RFC 6749 appendix B's own example. */
    cr_assert(text_buffer_append_form(&buffer, " %&+\xC2\xA3\xE2\x82\xAC", 9));
    cr_assert_str_eq(buffer.data, "+%25%26%2B%C2%A3%E2%82%AC");
    text_buffer_clear(&buffer);
    cr_assert(text_buffer_append_form(&buffer, "a-b_c.d*e~f\n", 12));
    cr_assert_str_eq(buffer.data, "a-b_c.d*e~f%0A");
}

Test(text_buffer, html_escapes_what_opens_markup)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 2000);
    cr_assert(text_buffer_append_html(&buffer, "<a href=\"x\" id='y'>&amp;</a>"));
    cr_assert_str_eq(buffer.data, "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

Test(text_buffer, html_shows_no_control_and_no_hidden_character)
{
#define SHOWN "\xEF\xBF\xBD"
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"a\tb\r\nc", "a b  c"},
        {"\x1b[31m\x7f", SHOWN "[31m" SHOWN},
        {"\xC2\x9B", SHOWN},                                         /* U+009B, C1 */
        {"moc.elpmaxe\xE2\x80\xAE", "moc.elpmaxe" SHOWN},            /* U+202E turns the direction */
        {"\xE2\x81\xA6x\xE2\x81\xA9", SHOWN "x" SHOWN},              /* U+2066, U+2069: isolates */
        {"pay\xE2\x80\x8Bpal\xEF\xBB\xBF", "pay" SHOWN "pal" SHOWN}, /* U+200B, U+FEFF: without width */
        {"\xC3<", SHOWN "&lt;"},                                     /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 200);
        cr_assert(text_buffer_append_html(&buffer, cases[i].text));
        cr_expect_str_eq(buffer.data, cases[i].expected, "%zu", i);
    }
#undef SHOWN
}

Test(text_buffer, json_string_escapes_and_replaces_what_is_not_utf8)
{
#define BAD "\xEF\xBF\xBD"
    static const struct {
        const char *bytes;
        size_t length;
        const char *expected;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1F", 3, "\"\\u0000\\u0001\\u001f\""},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"\xFF", 1, "\"" BAD "\""},
        {"\xC3", 1, "\"" BAD "\""},
        {"\xC3(", 2, "\"" BAD "(\""},
        {"\xC0\xAF", 2, "\"" BAD BAD "\""},                 /* overlong '/' */
        {"\xE0\x80\xAF", 3, "\"" BAD BAD BAD "\""},         /* overlong */
        {"\xED\xA0\x80", 3, "\"" BAD BAD BAD "\""},         /* surrogate */
        {"\xF4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\""}, /* beyond U+10FFFF */
        {"\xE2\x82", 2, "\"" BAD BAD "\""},
        {"\xE2\x82x", 3, "\"" BAD BAD "x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        cr_assert(text_buffer_append_json_string(&buffer, cases[i].bytes, cases[i].length));
        cr_assert_str_eq(buffer.data, cases[i].expected, "case %zu gave %s", i, buffer.data);
    }
}

Test(text_buffer, json_string_of_any_bytes_is_json)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char bytes[] = {(char)(unsigned char)first, (char)(unsigned char)second, '\x80', 'x'};
            AUTO_FINISH(text_buffer) buffer;
            text_buffer_init(&buffer, 100);
            cr_assert(text_buffer_append_json_string(&buffer, bytes, sizeof bytes));
            AUTO_JSON value = json_loadb(buffer.data, buffer.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            cr_assert(json_is_string(value), "bytes %02x %02x gave %s", first, second, buffer.data);
        }
    }
}

Test(text_buffer, json_is_compact_and_may_be_any_value)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    AUTO_JSON object = json_pack("{s:[i,b,n]}", "a", 1, 1);
    AUTO_JSON text = json_string("x");
    cr_assert(text_buffer_append_json(&buffer, object));
    cr_assert(text_buffer_append_json(&buffer, text));
    cr_assert_str_eq(buffer.data, "{\"a\":[1,true,null]}\"x\"");
}

Test(text_buffer, take_hands_over_and_empties)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    AUTO_TEXT empty = text_buffer_take(&buffer);
    cr_assert_str_eq(empty, "");
    text_buffer_append_text(&buffer, "abc");
    AUTO_TEXT text = text_buffer_take(&buffer);
    cr_assert_str_eq(text, "abc");
    cr_assert_eq(buffer.length, 0);
    cr_assert(text_buffer_append_text(&buffer, "again"));
}

Test(text_buffer, take_secret_keeps_every_byte)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    text_buffer_append(&buffer, "a\0b", 3);
    AUTO(secret) secret = text_buffer_take_secret(&buffer);
    cr_assert_eq(secret_length(secret), 3);
    cr_assert_eq(memcmp(secret_reveal(secret), "a\0b", 4), 0);
    cr_assert_eq(buffer.length, 0);
    AUTO(secret) nothing = text_buffer_take_secret(&buffer);
    cr_assert_eq(secret_length(nothing), 0);
    cr_assert_not_null(nothing);
}

Test(text_buffer, take_secret_gives_nothing_after_a_failure)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 2);
    text_buffer_append_text(&buffer, "abc");
    cr_assert_null(text_buffer_take_secret(&buffer));
}

Test(text_buffer, unlimited_limit_does_not_overflow)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, SIZE_MAX);
    cr_assert(text_buffer_append_text(&buffer, "abc"));
    cr_assert_str_eq(buffer.data, "abc");
}
