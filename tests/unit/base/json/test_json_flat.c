#include <criterion/criterion.h>
#include <string.h>

#include "base/json/json_flat.h"

enum { MOST = 4 };

static bool read(const char *json, struct json_flat_member members[MOST], size_t *count)
{
    return json_flat_read(json, strlen(json), members, MOST, count);
}

Test(json_flat, reads_texts_and_whole_numbers)
{
    struct json_flat_member members[MOST];
    size_t count = 0;
    cr_assert(read("{\"a\":\"text\",\"long name\":\"\",\"n\":1795000000,\"m\":-1}", members, &count));
    cr_assert_eq(count, 4);
    const struct json_flat_member *a = json_flat_find(members, count, "a");
    cr_assert(a && a->length == 4 && memcmp(a->text, "text", 4) == 0);
    const struct json_flat_member *empty = json_flat_find(members, count, "long name");
    cr_assert(empty && empty->text && empty->length == 0);
    const struct json_flat_member *n = json_flat_find(members, count, "n");
    cr_assert(n && !n->text && n->number == 1795000000);
    cr_assert_eq(json_flat_find(members, count, "m")->number, -1);
    cr_assert_null(json_flat_find(members, count, "long"));
    cr_assert_null(json_flat_find(members, count, "aa"));
}

Test(json_flat, leaves_everything_else_to_the_real_parser)
{
    static const char *const others[] = {
        "",
        "{",
        "{}",
        "[]",
        "1",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\":1} ",
        "{\"a\" :1}",
        "{ \"a\":1}",
        "{\"a\":}",
        "{\"a\":\"x}",
        "{\"a\":\"\\n\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\xc3\xa9\"}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":[1]}",
        "{\"a\":true}",
        "{\"a\":null}",
        "{\"a\":1.5}",
        "{\"a\":1e3}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":--1}",
        "{a:1}",
        "{\"a\":1234567890123456789}",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct json_flat_member members[MOST];
        size_t count = 77;
        cr_assert_not(read(others[i], members, &count), "%s", others[i]);
        cr_assert_eq(count, 77);
    }
}

Test(json_flat, reads_no_byte_behind_the_length)
{
    static const char json[] = "{\"a\":12}";
    struct json_flat_member members[MOST];
    size_t count;
    for (size_t length = 0; length < sizeof json - 1; length++) {
        char *exact = malloc(length + 1);
        memcpy(exact, json, length);
        cr_assert_not(json_flat_read(exact, length, members, MOST, &count));
        free(exact);
    }
}
