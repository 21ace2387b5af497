#include "protocol/fixture.h"

#define ICLIENT                                                                                                        \
    HEAD "\"settings\":{\"region\":\"eu\"},\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":"                         \
         "\"0123456789abcdef0123456789abcdef\"},\"oauth2\":{\"grantType\":\"authorizecode\",\"encrypted\":{\"k\":"     \
         "\"hidden\"}," CLIENT "," URIS "}}"
#define CONNECTION "{\"name\":\"c\",\"iClient\":\"test\",\"username\":\"ann\",\"settings\":{\"a\":{\"b\":7}}}"

static void fill(struct fixture *fixture, const struct secret *token)
{
    fixture_set_tokens(fixture, "access", "refresh");
    fixture->tokens->metadata = fixture_json("{\"instance_url\":\"https://i\",\"user.id\":12,\"none\":null}");
    fixture_set_callback(fixture, "{\"shop\":\"s\",\"empty\":\"\",\"none\":null}");
    fixture->context.code = "the-code";
    fixture->context.redirect_uri = "https://r/cb";
    fixture->context.code_verifier = "verifier";
    fixture->context.state = "xyz";
    fixture->context.token = token;
    fixture->context.token_type_hint = "access_token";
}

static const struct {
    const char *path, *value; /* NULL: resolves to nothing */
} paths[] = {
    {"iClient.settings.region", "eu"},
    {"iClient.oauth2.clientSecret", "gX1fBat3bV"},
    {"iClient.oauth2.encrypted.k", "hidden"},
    {"iClient.nothing", NULL},
    {"iClient", NULL},
    {"connection.username", "ann"},
    {"connection.settings.a.b", "7"},
    {"connection.password", NULL},
    {"code", "the-code"},
    {"redirectUri", "https://r/cb"},
    {"codeVerifier", "verifier"},
    {"state", "xyz"},
    {"refreshToken", "refresh"},
    {"accessToken", "access"},
    {"token", "revoke-me"},
    {"tokenTypeHint", "access_token"},
    {"callback.shop", "s"},
    {"callback.empty", ""},
    {"callback.none", NULL},
    {"callback.missing", NULL},
    {"metadata.instance_url", "https://i"},
    {"metadata.user.id", "12"},
    {"metadata.none", NULL},
    {"iClient.jwt.token", NULL}, /* a JWT cannot hold itself */
    {"now", "1795000000"},
    {"Code", NULL},
    {"codes", NULL},
    {"", NULL},
};

Test(grant_context, every_name_gives_its_value_or_nothing)
{
    AUTO(secret) token = secret_from_text("revoke-me");
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    fill(&fixture, token);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        AUTO_FINISH(text_buffer) value;
        text_buffer_init(&value, 1024);
        enum status status = grant_context_lookup(&fixture.context, paths[i].path, &value);
        cr_expect_eq(status, paths[i].value ? OK : ERR_NOT_FOUND, "%s", paths[i].path);
        cr_expect_str_eq(text_buffer_text(&value), paths[i].value ? paths[i].value : "", "%s", paths[i].path);
    }
    fixture_finish(&fixture);
}

Test(grant_context, what_does_not_apply_resolves_to_nothing)
{
    static const char *const absent[] = {"code",  "codeVerifier",  "state",         "refreshToken", "accessToken",
                                         "token", "tokenTypeHint", "callback.shop", "metadata.x"};
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        AUTO_FINISH(text_buffer) value;
        text_buffer_init(&value, 1024);
        cr_expect_eq(grant_context_lookup(&fixture.context, absent[i], &value), ERR_NOT_FOUND, "%s", absent[i]);
    }
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 1024);
    cr_expect_eq(grant_context_lookup(&fixture.context, "redirectUri", &value), OK);
    cr_expect_str_eq(text_buffer_text(&value), "http://127.0.0.1:8085/callback/test",
                     "a refresh may have to repeat it");
    fixture_finish(&fixture);
}

Test(grant_context, uuid_is_fresh_each_time)
{
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    AUTO_FINISH(text_buffer) first;
    AUTO_FINISH(text_buffer) second;
    text_buffer_init(&first, 64);
    text_buffer_init(&second, 64);
    cr_assert_eq(grant_context_lookup(&fixture.context, "uuid", &first), OK);
    cr_assert_eq(grant_context_lookup(&fixture.context, "uuid", &second), OK);
    cr_expect_eq(first.length, 36);
    cr_expect_str_neq(text_buffer_text(&first), text_buffer_text(&second));
    fixture_finish(&fixture);
}

Test(grant_context, a_value_that_does_not_fit_is_no_half_value)
{
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    fixture.context.code = "four";
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 3);
    cr_expect_eq(grant_context_lookup(&fixture.context, "code", &value), ERR_TOO_LARGE);
    cr_expect_str_empty(text_buffer_text(&value));
    fixture_finish(&fixture);
}
