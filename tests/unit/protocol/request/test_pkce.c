#include <criterion/criterion.h>
#include <string.h>

#include "protocol/request/pkce.h"

/* RFC 7636 appendix B */
#define RFC_VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

Test(pkce, s256_gives_the_challenge_of_rfc_7636_appendix_b)
{
    char challenge[PKCE_CHALLENGE_SIZE];
    cr_assert_eq(pkce_challenge(PKCE_S256, RFC_VERIFIER, challenge, NULL), OK);
    cr_assert_str_eq(challenge, RFC_CHALLENGE);
}

Test(pkce, plain_gives_the_verifier_itself_up_to_128_characters)
{
    char verifier[129];
    memset(verifier, '~', 128);
    verifier[128] = '\0';
    char challenge[PKCE_CHALLENGE_SIZE];
    cr_assert_eq(pkce_challenge(PKCE_PLAIN, verifier, challenge, NULL), OK);
    cr_assert_str_eq(challenge, verifier);
}

Test(pkce, verifiers_outside_section_4_1_are_refused)
{
    char too_long[130];
    memset(too_long, 'a', 129);
    too_long[129] = '\0';
    const char *verifiers[] = {
        "",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX",  /* 42 */
        "dBjftJeZ4CVP+mB92K27uhbUJU1p1r_wW1gFWFOEjXk", /* '+' is reserved */
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\n",
        too_long,
    };
    for (size_t i = 0; i < sizeof verifiers / sizeof verifiers[0]; i++) {
        char challenge[PKCE_CHALLENGE_SIZE] = "untouched";
        struct error error;
        cr_expect_eq(pkce_challenge(PKCE_S256, verifiers[i], challenge, &error), ERR_INVALID, "case %zu", i);
        cr_expect_str_eq(challenge, "untouched");
        cr_expect(strlen(verifiers[i]) < 20 || !strstr(error.message, verifiers[i]), "case %zu", i);
    }
}

Test(pkce, turned_off_there_is_no_challenge_and_no_name)
{
    char challenge[PKCE_CHALLENGE_SIZE];
    cr_assert_eq(pkce_challenge(PKCE_NONE, RFC_VERIFIER, challenge, NULL), ERR_INVALID);
    cr_assert_null(pkce_method_name(PKCE_NONE));
    cr_assert_str_eq(pkce_method_name(PKCE_S256), "S256");
    cr_assert_str_eq(pkce_method_name(PKCE_PLAIN), "plain");
}

Test(pkce, a_fresh_random_token_is_a_verifier)
{
    char verifier[RANDOM_TOKEN_SIZE];
    cr_assert_eq(random_token(verifier), OK);
    char challenge[PKCE_CHALLENGE_SIZE];
    cr_assert_eq(pkce_challenge(PKCE_S256, verifier, challenge, NULL), OK);
    cr_assert_eq(strlen(challenge), 43);
}
