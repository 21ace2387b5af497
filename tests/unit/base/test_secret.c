#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/wipe_spy.h"

Test(secret, is_wiped_whole_by_its_last_hold_alone)
{
    struct secret *secret = secret_from_text("hunter2");
    const char *bytes = secret_reveal(secret);
    struct secret *held = secret_hold(secret);
    last_wiped = NULL;
    secret_destroy(secret);
    cr_assert_null(last_wiped);
    secret_destroy(held);
    cr_assert_leq((uintptr_t)last_wiped, (uintptr_t)bytes);
    cr_assert_geq((uintptr_t)last_wiped + last_wiped_size, (uintptr_t)bytes + strlen("hunter2"));
}

Test(secret, keeps_bytes_and_adds_a_nul_that_is_not_counted)
{
    AUTO(secret) secret = secret_create("a\0b", 3);
    cr_assert_eq(secret_length(secret), 3);
    cr_assert_eq(memcmp(secret_reveal(secret), "a\0b\0", 4), 0);
}

Test(secret, may_be_empty)
{
    AUTO(secret) secret = secret_create(NULL, 0);
    cr_assert_not_null(secret);
    cr_assert_str_eq(secret_reveal(secret), "");
}

Test(secret, null_has_no_bytes_and_no_length)
{
    cr_assert_null(secret_reveal(NULL));
    cr_assert_eq(secret_length(NULL), 0);
    cr_assert_null(secret_hold(NULL));
    secret_destroy(NULL);
    secret_wipe(NULL, 0);
}

Test(secret, lives_until_its_last_hold_is_dropped)
{
    struct secret *secret = secret_from_text("hunter2");
    struct secret *held = secret_hold(secret);
    cr_assert_eq(held, secret);
    secret_destroy(secret);
    cr_assert_str_eq(secret_reveal(held), "hunter2");
    secret_destroy(held);
}

Test(secret, equal_compares_length_and_bytes)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"abc", "abc", true}, {"abc", "abd", false}, {"abc", "ab", false}, {"", "", true}, {"", "a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(secret) a = secret_from_text(cases[i].a);
        AUTO(secret) b = secret_from_text(cases[i].b);
        cr_assert_eq(secret_equal(a, b), cases[i].equal, "%s and %s", cases[i].a, cases[i].b);
    }
    AUTO(secret) empty = secret_from_text("");
    cr_assert(secret_equal(NULL, NULL));
    cr_assert_not(secret_equal(empty, NULL));
    cr_assert_not(secret_equal(NULL, empty));
}

Test(secret, equal_sees_past_a_nul)
{
    AUTO(secret) a = secret_create("a\0b", 3);
    AUTO(secret) b = secret_create("a\0c", 3);
    cr_assert_not(secret_equal(a, b));
}

Test(secret, more_than_the_maximum_is_refused)
{
    char *bytes = calloc(1, SECRET_MAX + 1);
    AUTO(secret) largest = secret_create(bytes, SECRET_MAX);
    cr_assert_not_null(largest);
    cr_assert_null(secret_create(bytes, SECRET_MAX + 1));
    free(bytes);
}

Test(secret, wipe_zeroes)
{
    char bytes[] = "hunter2";
    secret_wipe(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        cr_assert_eq(bytes[i], 0);
}
