#include "protocol/fixture.h"
#include "protocol/jwt/jwt_assertion.h"

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
    AUTO_JSON expected =
        json_pack("{s:s, s:I, s:I, s:I, s:i, s:{s:[s]}, s:s}", "sub", "ann", "iat", (json_int_t)NOW, "nbf",
                  (json_int_t)NOW, "exp", (json_int_t)NOW + 60, "n", 1, "deep", "list", "c", "year", "2026");
    cr_expect(json_equal(header, expected_header));
    cr_expect(json_equal(claims, expected));
    fixture_finish(&fixture);
}

#define CLAIMS "\"sub\":\"ann\",\"d\":{\"e\":[1,true]}"

/* As it is written: the same whether it is an object or JSON text. */
Test(jwt_assertion, a_payload_is_all_that_is_signed_but_for_iat_and_exp)
{
    static const struct {
        const char *jwt, *claims;
    } cases[] = {
        {",\"payload\":{" CLAIMS "}", "{" CLAIMS ",\"iat\":1795000000,\"exp\":1795000300}"},
        {",\"payload\":\"{\\\"sub\\\":\\\"ann\\\",\\\"d\\\":{\\\"e\\\":[1,true]}}\"",
         "{" CLAIMS ",\"iat\":1795000000,\"exp\":1795000300}"},
        {",\"payload\":{}", "{\"iat\":1795000000,\"exp\":1795000300}"},
        {",\"payload\":{\"iat\":null,\"exp\":null,\"iss\":null}", "{}"},
        {",\"payload\":\"{\\\"exp\\\":\\\"{{{now}}}\\\",\\\"x\\\":\\\"{{{iClient.settings.x}}}\\\"}\"",
         "{\"exp\":1795000000,\"iat\":1795000000,\"x\":\"\\\",\\\"admin\\\":\\\"yes\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) document;
        text_buffer_init(&document, 4096);
        text_buffer_append_format(
            &document,
            HEAD "\"settings\":{\"x\":\"\\\",\\\"admin\\\":\\\"yes\"},\"enableJWT\":true,\"jwt\":{"
                 "\"signatureMethod\":\"HMAC-sha256\",\"secret\":\"" KEY
                 "\"%s},\"oauth2\":{\"grantType\":\"jwtbearer\"" ID ",\"token\":{\"uri\":\"" SERVER "/token\"}}}",
            cases[i].jwt);
        struct fixture fixture = fixture_create(text_buffer_text(&document), NULL);
        AUTO(secret) token = assertion(&fixture);
        AUTO_JSON claims = jwt_part(secret_reveal(token), 1);
        AUTO_JSON expected = fixture_json(cases[i].claims);
        AUTO_TEXT found = json_dumps(claims, 0);
        cr_expect(json_equal(claims, expected), "%s: %s", cases[i].jwt, found);
        fixture_finish(&fixture);
    }
}

Test(jwt_assertion, every_word_for_a_method_signs_alike_and_headers_is_header)
{
    static const char *const methods[][2] = {{"hmac-sha256", "HS256"},
                                             {"HMAC-SHA384", "HS384"},
                                             {"hmac-sha512", "HS512"},
                                             {"hs256", "HS256"},
                                             {"HS512", "HS512"}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        AUTO_FINISH(text_buffer) document;
        text_buffer_init(&document, 4096);
        text_buffer_append_format(&document,
                                  HEAD
                                  "\"jwt\":{\"signatureMethod\":\"%s\",\"secret\":\"" KEY KEY "\",\"headers\":"
                                  "\"{\\\"kid\\\":\\\"{{{uuid}}}\\\"}\"},\"oauth2\":{\"grantType\":\"jwtbearer\"" ID
                                  ",\"token\":{\"uri\":\"" SERVER "/token\"}}}",
                                  methods[i][0]);
        struct fixture fixture = fixture_create(text_buffer_text(&document), NULL);
        AUTO(secret) token = assertion(&fixture);
        AUTO_JSON header = jwt_part(secret_reveal(token), 0);
        cr_expect_str_eq(json_read_string(header, "alg"), methods[i][1]);
        cr_expect_eq(json_string_length(json_object_get(header, "kid")), 36);
        fixture_finish(&fixture);
    }
}

/* RFC 7515 appendix A.1: the key of the HS256 example. */
Test(jwt_assertion, a_secret_in_base64_is_decoded_before_it_signs)
{
    static const char *const secrets[] = {
        KEY, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "MDEyMzQ1Njc4OWFiY2RlZjAx\\nMjM0NTY3ODlhYmNkZWY"};
    AUTO(secret) first = NULL;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        AUTO_FINISH(text_buffer) document;
        text_buffer_init(&document, 4096);
        text_buffer_append_format(
            &document,
            HEAD "\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"%s\",\"isSecretBase64Encoded\":%s,"
                 "\"payload\":{}},\"oauth2\":{\"grantType\":\"jwtbearer\"" ID ",\"token\":{\"uri\":\"" SERVER
                 "/token\"}}}",
            secrets[i], i ? "true" : "false");
        struct fixture fixture = fixture_create(text_buffer_text(&document), NULL);
        AUTO(secret) token = assertion(&fixture);
        if (!first)
            first = secret_hold(token);
        cr_expect_str_eq(secret_reveal(token), secret_reveal(first), "case %zu", i);
        fixture_finish(&fixture);
    }
}

Test(jwt_assertion, a_static_token_is_used_as_it_is)
{
    static const char *const uses[] = {"assertion", "clientAssertion"};
    for (size_t i = 0; i < 2; i++) {
        AUTO_FINISH(text_buffer) document;
        text_buffer_init(&document, 4096);
        text_buffer_append_format(&document,
                                  HEAD "\"jwt\":{\"use\":\"%s\",\"token\":\"head.claims.signature\"},\"oauth2\":{"
                                       "\"grantType\":\"jwtbearer\"" ID ",\"token\":{\"uri\":\"" SERVER "/token\"}}}",
                                  uses[i]);
        struct fixture fixture = fixture_create(text_buffer_text(&document), NULL);
        AUTO(secret) token = NULL;
        enum status status = i == 0 ? jwt_assertion_create(&fixture.context, &token, NULL)
                                    : jwt_assertion_create_client(&fixture.context, &token, NULL);
        cr_assert_eq(status, OK);
        cr_expect_str_eq(secret_reveal(token), "head.claims.signature");
        fixture_finish(&fixture);
    }
}

/* {"alg":"none"}.{"exp":N}.x */
Test(jwt_assertion, a_static_token_as_access_token_ends_when_its_exp_says)
{
    static const struct {
        const char *token;
        enum status status;
        int64_t expires_at;
    } cases[] = {
        {"eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTUwMDAwNDJ9.x", OK, NOW + 42},
        {"eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTQ5OTk5OTl9.x", ERR_INVALID, 0},
        {"eyJhbGciOiJub25lIn0.e30.x", OK, NOW + 7200},
        {"opaque", OK, NOW + 7200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) document;
        text_buffer_init(&document, 4096);
        text_buffer_append_format(&document,
                                  HEAD
                                  "\"accessTokenLifetime\":7200,\"jwt\":{\"use\":\"accessToken\",\"token\":\"%s\"},"
                                  "\"oauth2\":{\"validDomainNames\":[\"a.example\"]}}",
                                  cases[i].token);
        struct fixture fixture = fixture_create(text_buffer_text(&document), NULL);
        AUTO(token_set) tokens = NULL;
        struct error error = {0};
        cr_expect_eq(jwt_assertion_create_token(&fixture.context, &tokens, &error), cases[i].status, "%s",
                     error.message);
        if (tokens) {
            cr_expect_eq(tokens->expires_at, cases[i].expires_at, "%s", cases[i].token);
            cr_expect_str_eq(secret_reveal(tokens->access_token), cases[i].token);
        }
        fixture_finish(&fixture);
    }
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
