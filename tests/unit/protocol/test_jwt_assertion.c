#include "protocol/fixture.h"
#include "protocol/jwt_assertion.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define IN(jwt, oauth2)                                                                                                \
    HEAD "\"enableJWT\":true,\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"" KEY "\"" jwt "},\"oauth2\":{"       \
         "\"grantType\":\"jwtbearer\"" oauth2 ",\"token\":{\"uri\":\"" SERVER "/token\"}}}"
#define ID ",\"clientId\":\"s6BhdRkqt3\""

static struct secret *assertion(struct fixture *fixture)
{
    struct secret *token = NULL;
    struct error error = {0};
    cr_assert_eq(jwt_assertion_create(&fixture->context, &token, &error), OK, "%s", error.message);
    return token;
}

Test(jwt_assertion, a_silent_payload_has_the_default_claims_of_rfc_7523_section_3)
{
    struct fixture fixture = fixture_create(IN("", ID), NULL);
    AUTO(secret) token = assertion(&fixture);
    AUTO_JSON claims = jwt_part(secret_reveal(token), 1);
    cr_expect_eq(json_object_size(claims), 6);
    cr_expect_str_eq(json_read_string(claims, "iss"), "s6BhdRkqt3");
    cr_expect_str_eq(json_read_string(claims, "sub"), "s6BhdRkqt3");
    cr_expect_str_eq(json_read_string(claims, "aud"), SERVER "/token");
    cr_expect_eq(json_integer_value(json_object_get(claims, "iat")), NOW);
    cr_expect_eq(json_integer_value(json_object_get(claims, "exp")), NOW + 300);
    cr_expect_geq(json_string_length(json_object_get(claims, "jti")), 22);

    AUTO(secret) again = assertion(&fixture);
    AUTO_JSON other = jwt_part(secret_reveal(again), 1);
    cr_expect_str_neq(json_read_string(other, "jti"), json_read_string(claims, "jti"));
    fixture_finish(&fixture);
}

Test(jwt_assertion, header_and_payload_are_rendered_null_removes_and_dates_become_numbers)
{
    struct fixture fixture = fixture_create(
        HEAD "\"settings\":{\"kid\":\"k1\"},\"enableJWT\":true,\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"" KEY
             "\",\"lifetime\":60,\"header\":{\"kid\":\"{{{iClient.settings.kid}}}\",\"typ\":null},\"payload\":{"
             "\"sub\":\"{{{connection.username}}}\",\"jti\":null,\"nbf\":\"{{{now}}}\",\"iat\":\"{{{now}}}\",\"n\":1,"
             "\"deep\":{\"list\":[\"{{{connection.name}}}\"]},\"year\":\"2026\"}},\"oauth2\":{\"grantType\":"
             "\"jwtbearer\"" ID ",\"token\":{\"uri\":\"" SERVER "/token\"}}}",
        "{\"name\":\"c\",\"iClient\":\"test\",\"username\":\"ann\"}");
    AUTO(secret) token = assertion(&fixture);
    AUTO_JSON header = jwt_part(secret_reveal(token), 0);
    AUTO_JSON claims = jwt_part(secret_reveal(token), 1);
    AUTO_JSON expected_header = json_pack("{s:s, s:s}", "alg", "HS256", "kid", "k1");
    AUTO_JSON expected = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:{s:[s]}, s:s}", "iss", "s6BhdRkqt3", "sub",
                                   "ann", "aud", SERVER "/token", "iat", (json_int_t)NOW, "nbf", (json_int_t)NOW, "exp",
                                   (json_int_t)NOW + 60, "n", 1, "deep", "list", "c", "year", "2026");
    cr_expect(json_equal(header, expected_header));
    cr_expect(json_equal(claims, expected));
    fixture_finish(&fixture);
}

Test(jwt_assertion, a_value_that_is_missing_is_named)
{
    struct fixture fixture = fixture_create(IN(",\"payload\":{\"a\":\"{{{callback.x}}}\"}", ID), NULL);
    struct secret *token = NULL;
    struct error error = {0};
    cr_expect_eq(jwt_assertion_create(&fixture.context, &token, &error), ERR_NOT_FOUND);
    cr_expect(strstr(error.message, "jwt.payload") && strstr(error.message, "callback.x"), "%s", error.message);
    fixture_finish(&fixture);
}

Test(jwt_assertion, a_token_uri_that_carries_the_jwt_does_not_make_its_audience_endless)
{
    struct fixture fixture =
        fixture_create(HEAD "\"enableJWT\":true,\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"" KEY
                            "\"},\"oauth2\":{\"grantType\":\"jwtbearer\"" ID ",\"token\":{\"uri\":\"" SERVER
                            "/token?jwt={{iClient.jwt.token}}\"}}}",
                       NULL);
    struct secret *token = NULL;
    struct error error = {0};
    cr_expect_eq(jwt_assertion_create(&fixture.context, &token, &error), ERR_NOT_FOUND);
    cr_expect(strstr(error.message, "iClient.jwt.token"), "%s", error.message);
    fixture_finish(&fixture);
}

/* ---- client assertions ---- */

#define SECRET_JWT(method)                                                                                             \
    HEAD method "\"oauth2\":{\"grantType\":\"clientcredentials\",\"clientId\":\"id\",\"clientSecret\":\"" KEY KEY      \
                "\",\"tokenAuthMethod\":\"client_secret_jwt\",\"token\":{\"uri\":\"" SERVER "/token\"}}}"

Test(jwt_assertion, client_secret_jwt_is_signed_with_the_client_secret_by_hs256_or_the_method_given)
{
    static const char *const iclients[][2] = {
        {SECRET_JWT(""), "HS256"},
        {SECRET_JWT("\"jwt\":{\"signatureMethod\":\"HS512\"},"), "HS512"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture = fixture_create(iclients[i][0], NULL);
        AUTO(secret) token = NULL;
        struct error error = {0};
        cr_assert_eq(jwt_assertion_create_client(&fixture.context, &token, &error), OK, "%s", error.message);
        AUTO_JSON header = jwt_part(secret_reveal(token), 0);
        AUTO_JSON claims = jwt_part(secret_reveal(token), 1);
        cr_expect_str_eq(json_read_string(header, "alg"), iclients[i][1]);
        cr_expect_str_eq(json_read_string(claims, "iss"), "id");
        cr_expect_str_eq(json_read_string(claims, "sub"), "id");
        fixture_finish(&fixture);
    }
}

Test(jwt_assertion, the_grants_payload_does_not_change_the_client_assertion)
{
    struct fixture fixture = fixture_create(
        HEAD "\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"" KEY
             "\",\"payload\":{\"sub\":\"somebody\"}},\"oauth2\":{\"grantType\":\"jwtbearer\",\"clientId\":\"id\","
             "\"clientSecret\":\"" KEY "\",\"tokenAuthMethod\":\"client_secret_jwt\",\"token\":{\"uri\":\"" SERVER
             "/token\"}}}",
        NULL);
    AUTO(secret) token = NULL;
    cr_assert_eq(jwt_assertion_create_client(&fixture.context, &token, NULL), OK);
    AUTO_JSON claims = jwt_part(secret_reveal(token), 1);
    cr_expect_str_eq(json_read_string(claims, "sub"), "id");
    fixture_finish(&fixture);
}

/* ---- the JWT as the token ---- */

#define AS_TOKEN(jwt)                                                                                                  \
    HEAD "\"accessTokenLifetime\":7200,\"enableJWT\":true,\"jwt\":{\"use\":\"accessToken\",\"signatureMethod\":"       \
         "\"HS256\",\"secret\":\"" KEY "\"" jwt "},\"oauth2\":{\"clientId\":\"id\",\"grantType\":\"jwtbearer\"}}"

Test(jwt_assertion, as_access_token_it_lives_as_long_as_its_exp_says)
{
    static const struct {
        const char *iclient;
        int64_t expires_at;
    } cases[] = {
        {AS_TOKEN(""), NOW + 300},
        {AS_TOKEN(",\"lifetime\":1200"), NOW + 1200},
        {AS_TOKEN(",\"payload\":{\"exp\":1795000042}"), NOW + 42},
        {AS_TOKEN(",\"payload\":{\"exp\":null}"), NOW + 7200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture = fixture_create(cases[i].iclient, NULL);
        AUTO(token_set) tokens = NULL;
        struct error error = {0};
        cr_assert_eq(jwt_assertion_create_token(&fixture.context, &tokens, &error), OK, "%s", error.message);
        cr_expect_eq(tokens->expires_at, cases[i].expires_at, "case %zu", i);
        cr_expect_eq(tokens->obtained_at, NOW);
        cr_expect_eq(tokens->generation, 0);
        cr_expect_null(tokens->refresh_token);
        AUTO_JSON claims = jwt_part(secret_reveal(tokens->access_token), 1);
        cr_expect_null(json_object_get(claims, "aud"), "there is no token URI");
        fixture_finish(&fixture);
    }
}
