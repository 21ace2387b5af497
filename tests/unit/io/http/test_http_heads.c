#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/http/http_heads.h"

static struct http_text text(const char *string)
{
    return (struct http_text){string, strlen(string)};
}

static struct http_head_key key_of(const char *method, const char *rest)
{
    return (struct http_head_key){text(method), text(rest), http_heads_hash(text(method), text(rest))};
}

/* What a head was "parsed" to. */
static void learn(struct http_heads *heads, struct http_head_key key, const char *parsed)
{
    http_heads_learn(heads, &key, parsed, strlen(parsed));
}

static bool is_known(const struct http_heads *heads, struct http_head_key key)
{
    size_t size;
    return http_heads_find(heads, &key, &size);
}

static bool is_known_as(const struct http_heads *heads, struct http_head_key key, const char *parsed)
{
    size_t size;
    const void *known = http_heads_find(heads, &key, &size);
    return known && size == strlen(parsed) && memcmp(known, parsed, size) == 0;
}

Test(http_heads, knows_what_came_twice)
{
    AUTO(http_heads) heads = http_heads_create();
    cr_expect_not(is_known(heads, key_of("GET ", " a")));
    learn(heads, key_of("GET ", " a"), "1");
    cr_expect_not(is_known(heads, key_of("GET ", " a")), "once is not enough");
    learn(heads, key_of("GET ", " a"), "1");
    cr_expect(is_known_as(heads, key_of("GET ", " a"), "1"));
    cr_expect_not(is_known(heads, key_of("GET ", " b")));
    cr_expect_not(is_known(heads, key_of("PUT ", " a")));
    cr_expect_not(is_known(heads, key_of("GET ", " ")));
    cr_expect_not(is_known(heads, key_of("GET ", " aa")));
}

/* The hash only says where to look. */
Test(http_heads, another_head_with_the_same_hash_is_not_known)
{
    AUTO(http_heads) heads = http_heads_create();
    for (int i = 0; i < 2; i++)
        learn(heads, (struct http_head_key){text("GET "), text(" mine"), 7}, "1");
    cr_expect(is_known(heads, (struct http_head_key){text("GET "), text(" mine"), 7}));
    cr_expect_not(is_known(heads, (struct http_head_key){text("GET "), text(" your"), 7}));
    cr_expect_not(is_known(heads, (struct http_head_key){text("PUT "), text(" mine"), 7}));
    cr_expect_not(is_known(heads, (struct http_head_key){text("GET "), text(" mine "), 7}));
    cr_expect_not(is_known(heads, (struct http_head_key){text("GET  "), text("mine"), 7}),
                  "the same bytes, cut elsewhere");
}

Test(http_heads, what_never_comes_again_pushes_nothing_out)
{
    AUTO(http_heads) heads = http_heads_create();
    learn(heads, key_of("GET ", " a"), "1");
    learn(heads, key_of("GET ", " a"), "1");
    for (int i = 0; i < 10 * HTTP_HEADS_KEPT; i++) {
        char rest[32];
        snprintf(rest, sizeof rest, " passing %d", i);
        learn(heads, key_of("GET ", rest), "2");
    }
    cr_expect(is_known_as(heads, key_of("GET ", " a"), "1"));
}

Test(http_heads, a_newer_one_takes_the_place_of_an_older)
{
    AUTO(http_heads) heads = http_heads_create();
    struct http_head_key older = {text("GET "), text(" old"), 7};
    struct http_head_key newer = {text("GET "), text(" new"), 7 + HTTP_HEADS_KEPT};
    for (int i = 0; i < 2; i++)
        learn(heads, older, "1");
    for (int i = 0; i < 2; i++)
        learn(heads, newer, "2");
    cr_expect_not(is_known(heads, older));
    cr_expect(is_known_as(heads, newer, "2"));
}

Test(http_heads, keeps_nothing_large)
{
    AUTO(http_heads) heads = http_heads_create();
    static char large[HTTP_HEAD_PARSED_MAX + HTTP_HEAD_KEPT_MAX + 1];
    memset(large, 'x', sizeof large - 1);
    struct http_head_key small_head = key_of("GET ", " a");
    struct http_head_key large_head = key_of("GET ", large + HTTP_HEAD_PARSED_MAX);
    for (int i = 0; i < 2; i++) {
        http_heads_learn(heads, &small_head, large, HTTP_HEAD_PARSED_MAX + 1);
        http_heads_learn(heads, &large_head, "1", 1);
    }
    cr_expect_not(is_known(heads, small_head));
    cr_expect_not(is_known(heads, large_head));
}

Test(http_heads, every_byte_counts_in_the_hash)
{
    char bytes[81] = "";
    memset(bytes, 'x', 80);
    for (size_t length = 1; length <= 80; length++) {
        struct http_text rest = {bytes, length};
        uint64_t hash = http_heads_hash(text("GET "), rest);
        cr_expect_neq(hash, http_heads_hash(text("PUT "), rest));
        cr_expect_neq(hash, http_heads_hash(text("GET "), (struct http_text){bytes, length - 1}), "of %zu", length);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = 'y';
            cr_expect_neq(hash, http_heads_hash(text("GET "), rest), "byte %zu of %zu", i, length);
            bytes[i] = 'x';
        }
    }
}
