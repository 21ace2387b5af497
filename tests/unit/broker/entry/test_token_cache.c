#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "broker/broker_state.h"
#include "broker/entry/token_entry_state.h"

enum { MANY = 10000 };

static struct token_entry *find(const struct token_cache *cache, const char *key)
{
    return token_cache_find(cache, key, strlen(key));
}

Test(token_cache, finds_nothing_in_an_empty_cache)
{
    struct token_cache cache = {0};
    size_t position = 0;
    cr_assert_null(find(&cache, "default/mail"));
    cr_assert_null(token_cache_next(&cache, &position));
    token_cache_finish(&cache);
}

Test(token_cache, finds_each_of_many_and_nothing_else)
{
    struct token_cache cache = {0};
    struct broker broker = {0};
    static struct token_entry *entries[MANY];
    char key[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "default/c%d", i);
        entries[i] = token_cache_ensure(&cache, &broker, key);
        cr_assert_not_null(entries[i]);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "default/c%d", i);
        cr_assert_eq(find(&cache, key), entries[i]);
        cr_assert_eq(token_cache_ensure(&cache, &broker, key), entries[i]);
        cr_assert_str_eq(entries[i]->key, key);
        /* The length counts: no longer key, no beginning of one. */
        cr_assert_neq(token_cache_find(&cache, key, strlen(key) - 1), entries[i]);
    }
    cr_assert_null(find(&cache, "default/c10000"));
    cr_assert_null(find(&cache, "other/c1"));
    token_cache_finish(&cache);
}

Test(token_cache, visits_every_entry_once)
{
    struct token_cache cache = {0};
    struct broker broker = {0};
    char key[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "t/%d", i);
        cr_assert_not_null(token_cache_ensure(&cache, &broker, key));
    }
    size_t visited = 0;
    struct token_entry *entry;
    for (size_t i = 0; (entry = token_cache_next(&cache, &i));) {
        cr_assert_eq(entry->reported_generation, 0, "visited before");
        entry->reported_generation = 1;
        visited++;
    }
    cr_assert_eq(visited, MANY);
    token_cache_finish(&cache);
}

Test(token_cache, refuses_a_key_that_does_not_fit)
{
    char key[TOKEN_CACHE_KEY_MAX];
    char name[TOKEN_CACHE_KEY_MAX];
    memset(name, 'n', sizeof name);
    cr_assert_eq(token_cache_key("t", name, TOKEN_CACHE_KEY_MAX - 3, key), TOKEN_CACHE_KEY_MAX - 1);
    cr_assert_eq(strlen(key), TOKEN_CACHE_KEY_MAX - 1);
    cr_assert_eq(token_cache_key("t", name, TOKEN_CACHE_KEY_MAX - 2, key), 0);
}
