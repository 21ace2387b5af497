#include <criterion/criterion.h>
#include <string.h>

#include "base/random.h"

Test(random, bytes_fill_the_whole_array_and_differ)
{
    unsigned char a[64] = {0};
    unsigned char b[64] = {0};
    cr_assert_eq(random_bytes(a, sizeof a), OK);
    cr_assert_eq(random_bytes(b, sizeof b), OK);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
    cr_assert_neq(memcmp(a + 48, (unsigned char[16]){0}, 16), 0);
}

Test(random, token_is_43_characters_that_a_pkce_verifier_may_have)
{
    char first[RANDOM_TOKEN_SIZE];
    char second[RANDOM_TOKEN_SIZE];
    cr_assert_eq(random_token(first), OK);
    cr_assert_eq(random_token(second), OK);
    cr_assert_eq(strlen(first), 43);
    cr_assert_eq(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    cr_assert_str_neq(first, second);
}

Test(random, uuid_is_version_4)
{
    for (int i = 0; i < 100; i++) {
        char text[RANDOM_UUID_SIZE];
        cr_assert_eq(random_uuid(text), OK);
        cr_assert_eq(strlen(text), 36);
        cr_assert_eq(strspn(text, "0123456789abcdef-"), 36);
        cr_assert_eq(text[8], '-');
        cr_assert_eq(text[13], '-');
        cr_assert_eq(text[14], '4');
        cr_assert_eq(text[18], '-');
        cr_assert(strchr("89ab", text[19]));
        cr_assert_eq(text[23], '-');
    }
}

Test(random, fraction_spreads_over_zero_to_one)
{
    enum { DRAWS = 10000, BINS = 10 };
    int bins[BINS] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double fraction = random_fraction();
        cr_assert(fraction >= 0.0 && fraction < 1.0);
        bins[(int)(fraction * BINS)]++;
    }
    /* 1000 are expected in each; eight standard deviations are 240. */
    for (int i = 0; i < BINS; i++)
        cr_assert(bins[i] > 760 && bins[i] < 1240, "bin %d has %d", i, bins[i]);
}
