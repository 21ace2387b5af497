#include <criterion/criterion.h>

#include "protocol/fixture.h"
#include "protocol/request/request_values.h"

#define ICLIENT                                                                                                        \
    HEAD "\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"0123456789abcdef0123456789abcdef\"},\"oauth2\":{"        \
         "\"grantType\":\"authorizecode\"," CLIENT "," URIS "}}"
#define CONNECTION "{\"name\":\"c\",\"iClient\":\"test\"}"

Test(request_values, jwt_token_is_a_signed_jwt)
{
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    AUTO_FINISH(text_buffer) token;
    text_buffer_init(&token, 4096);
    cr_assert_eq(request_values_lookup(&fixture.context, "iClient.jwt.token", &token), OK);
    AUTO_JSON claims = jwt_part(text_buffer_text(&token), 1);
    cr_expect_str_eq(json_read_string(claims, "iss"), "s6BhdRkqt3");
    fixture_finish(&fixture);
}

Test(request_values, other_names_are_those_of_the_grant)
{
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 64);
    fixture.context.code = "the-code";
    cr_expect_eq(request_values_lookup(&fixture.context, "code", &value), OK);
    cr_expect_str_eq(text_buffer_text(&value), "the-code");
    cr_expect_eq(request_values_lookup(&fixture.context, "iClient.jwt.tokens", &value), ERR_NOT_FOUND);
    fixture_finish(&fixture);
}

Test(request_values, a_jwt_that_does_not_fit_is_no_half_jwt)
{
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 30);
    cr_expect_eq(request_values_lookup(&fixture.context, "iClient.jwt.token", &value), ERR_TOO_LARGE);
    cr_expect_str_empty(text_buffer_text(&value));
    fixture_finish(&fixture);
}
