#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/http_heads.h"

/* What a text was "parsed" to. */
static void learn(struct http_heads *heads, const char *text, const char *parsed)
{
    http_heads_learn(heads, http_heads_hash(text, strlen(text)), text, strlen(text), parsed, strlen(parsed));
}

static bool is_known_as(const struct http_heads *heads, const char *text, const char *parsed)
{
    size_t size;
    const void *known = http_heads_find(heads, http_heads_hash(text, strlen(text)), text, strlen(text), &size);
    return known && size == strlen(parsed) && memcmp(known, parsed, size) == 0;
}

static bool is_known(const struct http_heads *heads, const char *text)
{
    size_t size;
    return http_heads_find(heads, http_heads_hash(text, strlen(text)), text, strlen(text), &size);
}

Test(http_heads, knows_what_came_twice)
{
    AUTO(http_heads) heads = http_heads_create();
    cr_expect_not(is_known(heads, "GET /a"));
    learn(heads, "GET /a", "a");
    cr_expect_not(is_known(heads, "GET /a"), "once is not enough");
    learn(heads, "GET /a", "a");
    cr_expect(is_known_as(heads, "GET /a", "a"));
    cr_expect_not(is_known(heads, "GET /b"));
    cr_expect_not(is_known(heads, "GET /"));
    cr_expect_not(is_known(heads, "GET /aa"));
}

/* The hash only says where to look. */
Test(http_heads, another_text_with_the_same_hash_is_not_known)
{
    AUTO(http_heads) heads = http_heads_create();
    size_t size;
    for (int i = 0; i < 2; i++)
        http_heads_learn(heads, 7, "GET /mine", 9, "mine", 4);
    cr_expect_not_null(http_heads_find(heads, 7, "GET /mine", 9, &size));
    cr_expect_null(http_heads_find(heads, 7, "GET /your", 9, &size));
    cr_expect_null(http_heads_find(heads, 7, "GET /mine ", 10, &size));
}

Test(http_heads, what_never_comes_again_pushes_nothing_out)
{
    AUTO(http_heads) heads = http_heads_create();
    learn(heads, "GET /a", "a");
    learn(heads, "GET /a", "a");
    for (int i = 0; i < 10 * HTTP_HEADS_KEPT; i++) {
        char text[32];
        snprintf(text, sizeof text, "GET /passing/%d", i);
        learn(heads, text, "x");
    }
    cr_expect(is_known_as(heads, "GET /a", "a"));
}

Test(http_heads, a_newer_one_takes_the_place_of_an_older)
{
    AUTO(http_heads) heads = http_heads_create();
    size_t size;
    for (int i = 0; i < 2; i++)
        http_heads_learn(heads, 7, "old", 3, "1", 1);
    for (int i = 0; i < 2; i++)
        http_heads_learn(heads, 7 + HTTP_HEADS_KEPT, "new", 3, "2", 1);
    cr_expect_null(http_heads_find(heads, 7, "old", 3, &size));
    cr_expect_not_null(http_heads_find(heads, 7 + HTTP_HEADS_KEPT, "new", 3, &size));
}

Test(http_heads, keeps_nothing_large)
{
    AUTO(http_heads) heads = http_heads_create();
    char *parsed = calloc(1, HTTP_HEAD_PARSED_MAX + 1);
    for (int i = 0; i < 2; i++)
        http_heads_learn(heads, 7, "GET /", 5, parsed, HTTP_HEAD_PARSED_MAX + 1);
    size_t size;
    cr_expect_null(http_heads_find(heads, 7, "GET /", 5, &size));
    free(parsed);
}

Test(http_heads, every_byte_counts_in_the_hash)
{
    char text[80];
    memset(text, 'x', sizeof text);
    for (size_t length = 1; length <= sizeof text; length++) {
        uint64_t hash = http_heads_hash(text, length);
        cr_expect_neq(hash, http_heads_hash(text, length - 1), "of %zu", length);
        for (size_t i = 0; i < length; i++) {
            text[i] = 'y';
            cr_expect_neq(hash, http_heads_hash(text, length), "byte %zu of %zu", i, length);
            text[i] = 'x';
        }
    }
}
