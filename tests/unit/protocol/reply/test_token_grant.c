#include "protocol/fixture.h"
#include "protocol/reply/token_grant.h"

#define IN(head, more) HEAD head "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT "," URIS more "}}"
#define PLAIN IN("", "")

static struct token_set *read_tokens(struct fixture *fixture, enum token_exchange exchange, const char *text,
                                     struct error *ret_error)
{
    AUTO_FINISH(reply_document) body = {.json = fixture_json(text)};
    struct token_set *tokens = NULL;
    cr_assert_eq(token_grant_read(exchange, &fixture->context, &body, &tokens, ret_error), OK, "%s: %s", text,
                 ret_error->message);
    return tokens;
}

static struct token_set *granted(struct fixture *fixture, enum token_exchange exchange, const char *text)
{
    struct error error;
    struct token_set *tokens = read_tokens(fixture, exchange, text, &error);
    cr_assert_str_empty(error.message);
    return tokens;
}

#define NEVER INT64_C(0)
#define CENTURY (INT64_C(100) * 365 * 24 * 3600)

/* ---- expiry ---- */

static const struct {
    const char *iclient, *body;
    int64_t expires_at;
} expiries[] = {
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":120}", NOW + 120},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"120\"}", NOW + 120},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":119.9}", NOW + 119},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"119.9\"}", NOW + 119},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"-119.9\"}", NOW},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"99999999999999999999999\"}", NOW + CENTURY},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"0x1p9\"}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"infinity\"}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"120 \"}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":0}", NOW},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":-1}", NOW},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":-1e300}", NOW},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":1e300}", NOW + CENTURY},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":9223372036854775807}", NOW + CENTURY},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":99999999999999999999999}", NOW + CENTURY},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"NaN\"}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":\"\"}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":{}}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\",\"expires_in\":null}", NOW + 3600},
    {PLAIN, "{\"access_token\":\"a\"}", NOW + 3600},
    {IN("\"accessTokenLifetime\":7200,", ""), "{\"access_token\":\"a\"}", NOW + 7200},
    {IN("\"accessTokenLifetime\":\"never\",", ""), "{\"access_token\":\"a\"}", NEVER},
    {IN("\"accessTokenLifetime\":0,", ""), "{\"access_token\":\"a\"}", NEVER},
    {IN("\"accessTokenLifetime\":0,", ""), "{\"access_token\":\"a\",\"expires_in\":60}", NOW + 60},
    {IN("", ",\"expiresInUnit\":\"milliseconds\""), "{\"access_token\":\"a\",\"expires_in\":90000}", NOW + 90},
    {IN("", ",\"expiresInUnit\":\"minutes\""), "{\"access_token\":\"a\",\"expires_in\":2}", NOW + 120},
    {IN("", ",\"expiresInPath\":\"authed_user.expires_in\""),
     "{\"access_token\":\"a\",\"authed_user\":{\"expires_in\":43200}}", NOW + 43200},
    {IN("", ",\"expiresInPath\":\"authed_user.expires_in\""), "{\"access_token\":\"a\",\"expires_in\":43200}",
     NOW + 43200},
    /* Square's ISO 8601, Clover's seconds, milliseconds; what cannot be read falls back to expires_in */
    {IN("", ",\"expiresAtPath\":\"expires_at\""), "{\"access_token\":\"a\",\"expires_at\":\"2026-11-18T12:06:40Z\"}",
     NOW + 3600},
    {IN("", ",\"expiresAtPath\":\"expires_at\""),
     "{\"access_token\":\"a\",\"expires_at\":\"2026-11-18T13:06:40.123+01:00\"}", NOW + 3600},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":\"2026-11-18T11:16:40\"}", NOW + 600},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":1795000100}", NOW + 100},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":\"1795000100\"}", NOW + 100},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":1795000100500}", NOW + 100},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":1}", NOW},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":1e300}", NOW + CENTURY},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":-1e300}", NOW},
    {IN("", ",\"expiresAtPath\":\"x\""), "{\"access_token\":\"a\",\"x\":\"tomorrow\",\"expires_in\":5}", NOW + 5},
};

Test(token_grant, expiry_is_read_in_every_spelling_and_clamped)
{
    for (size_t i = 0; i < sizeof expiries / sizeof expiries[0]; i++) {
        struct fixture fixture = fixture_create(expiries[i].iclient, NULL);
        AUTO(token_set) tokens = granted(&fixture, TOKEN_EXCHANGE_CODE, expiries[i].body);
        cr_expect_eq(tokens->expires_at, expiries[i].expires_at, "%s: now%+lld", expiries[i].body,
                     (long long)(tokens->expires_at - NOW));
        cr_expect_eq(tokens->obtained_at, NOW);
        fixture_finish(&fixture);
    }
}

static const struct {
    const char *path, *body;
    int64_t expires_at;
} refresh_expiries[] = {
    {"refresh_token_expires_in", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"refresh_token_expires_in\":600}",
     NOW + 600},
    {"x", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"x\":\"600\"}", NOW + 600},
    {"x", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"x\":1795000600}", NOW + 600},
    {"x", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"x\":\"2026-11-18T12:06:40Z\"}", NOW + 3600},
    {"x", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"x\":\"soon\"}", 0},
    {"x", "{\"access_token\":\"a\",\"refresh_token\":\"r\"}", 0},
    {"x", "{\"access_token\":\"a\",\"x\":600}", 0},
};

Test(token_grant, the_refresh_tokens_expiry_is_a_lifetime_or_a_point_in_time)
{
    for (size_t i = 0; i < sizeof refresh_expiries / sizeof refresh_expiries[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, IN("", ",\"refreshExpiresInPath\":\"%s\""), refresh_expiries[i].path);
        struct fixture fixture = fixture_create(text, NULL);
        AUTO(token_set) tokens = granted(&fixture, TOKEN_EXCHANGE_CODE, refresh_expiries[i].body);
        cr_expect_eq(tokens->refresh_expires_at, refresh_expiries[i].expires_at, "%s", refresh_expiries[i].body);
        fixture_finish(&fixture);
    }
}

/* ---- what a refresh keeps ---- */

Test(token_grant, refresh_keeps_old_token_scope_and_metadata_when_reply_has_none)
{
    static const char *const silent[] = {
        "{\"access_token\":\"new\"}",
        "{\"access_token\":\"new\",\"refresh_token\":null,\"scope\":null,\"instance_url\":null}",
        "{\"access_token\":\"new\",\"refresh_token\":\"\",\"scope\":\"\"}",
    };
    struct fixture fixture = fixture_create(IN("", ",\"responseMetadata\":[\"instance_url\"]"), NULL);
    fixture_set_tokens(&fixture, "old", "old-refresh");
    fixture.tokens->scope = strdup("a b");
    fixture.tokens->refresh_expires_at = NOW + 9;
    fixture.tokens->metadata = fixture_json("{\"instance_url\":\"https://i\",\"realmId\":\"7\"}");
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        AUTO(token_set) tokens = granted(&fixture, TOKEN_EXCHANGE_REFRESH, silent[i]);
        cr_expect_str_eq(secret_reveal(tokens->access_token), "new");
        cr_expect_str_eq(secret_reveal(tokens->refresh_token), "old-refresh", "%s", silent[i]);
        cr_expect_str_eq(tokens->scope, "a b");
        cr_expect_eq(tokens->refresh_expires_at, NOW + 9);
        cr_expect(json_equal(tokens->metadata, fixture.tokens->metadata));
        cr_expect_neq(tokens->metadata, fixture.tokens->metadata, "the old set is immutable, so that ours is a copy");
    }
    fixture_finish(&fixture);
}

Test(token_grant, refresh_takes_what_the_reply_has)
{
    struct fixture fixture = fixture_create(IN("", ",\"responseMetadata\":[\"instance_url\",\"user.id\"]"), NULL);
    fixture_set_tokens(&fixture, "old", "old-refresh");
    fixture.tokens->refresh_expires_at = NOW + 9;
    fixture.tokens->metadata = fixture_json("{\"instance_url\":\"https://old\",\"realmId\":\"7\"}");
    AUTO(token_set)
    tokens = granted(
        &fixture, TOKEN_EXCHANGE_REFRESH,
        "{\"access_token\":\"new\",\"refresh_token\":\"r 2\",\"scope\":\"x\",\"token_type\":\"User Access Token\","
        "\"instance_url\":\"https://new\",\"user\":{\"id\":12}}");
    cr_expect_str_eq(secret_reveal(tokens->refresh_token), "r 2", "RFC 6749 A.17 allows the space");
    cr_expect_str_eq(tokens->scope, "x");
    cr_expect_str_eq(tokens->token_type, "User Access Token");
    cr_expect_eq(tokens->refresh_expires_at, 0, "the old one's expiry is not the new one's");
    AUTO_JSON expected = fixture_json("{\"instance_url\":\"https://new\",\"realmId\":\"7\",\"user.id\":12}");
    cr_expect(json_equal(tokens->metadata, expected));
    cr_expect_eq(tokens->generation, 0);
    fixture_finish(&fixture);
}

Test(token_grant, other_exchanges_keep_nothing_of_old_tokens)
{
    struct fixture fixture = fixture_create(PLAIN, NULL);
    fixture_set_tokens(&fixture, "old", "old-refresh");
    fixture.tokens->scope = strdup("a b");
    AUTO(token_set) tokens = granted(&fixture, TOKEN_EXCHANGE_CODE, "{\"access_token\":\"new\"}");
    cr_expect_null(tokens->refresh_token);
    cr_expect_null(tokens->scope);
    cr_expect_null(tokens->token_type);
    cr_expect_null(tokens->metadata);
    fixture_finish(&fixture);
}

Test(token_grant, replies_show_whether_the_refresh_token_is_replaced)
{
    static const struct {
        const char *body;
        enum token_exchange exchange;
        enum token_rotation before, after;
    } cases[] = {
        {"{\"access_token\":\"a\"}", TOKEN_EXCHANGE_REFRESH, TOKEN_ROTATION_UNKNOWN, TOKEN_ROTATION_KEPT},
        {"{\"access_token\":\"a\",\"refresh_token\":\"old-refresh\"}", TOKEN_EXCHANGE_REFRESH, TOKEN_ROTATION_UNKNOWN,
         TOKEN_ROTATION_KEPT},
        {"{\"access_token\":\"a\",\"refresh_token\":\"new\"}", TOKEN_EXCHANGE_REFRESH, TOKEN_ROTATION_UNKNOWN,
         TOKEN_ROTATION_REPLACED},
        {"{\"access_token\":\"a\",\"refresh_token\":\"new\"}", TOKEN_EXCHANGE_REFRESH, TOKEN_ROTATION_KEPT,
         TOKEN_ROTATION_REPLACED},
        {"{\"access_token\":\"a\"}", TOKEN_EXCHANGE_REFRESH, TOKEN_ROTATION_REPLACED, TOKEN_ROTATION_REPLACED},
        {"{\"access_token\":\"a\",\"refresh_token\":\"new\"}", TOKEN_EXCHANGE_CODE, TOKEN_ROTATION_KEPT,
         TOKEN_ROTATION_UNKNOWN},
    };
    struct fixture fixture = fixture_create(PLAIN, NULL);
    fixture_set_tokens(&fixture, "old", "old-refresh");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture.tokens->rotation = cases[i].before;
        AUTO(token_set) tokens = granted(&fixture, cases[i].exchange, cases[i].body);
        cr_expect_eq(tokens->rotation, cases[i].after, "%zu: %s", i, cases[i].body);
    }
    fixture_finish(&fixture);
}

Test(token_grant, a_refresh_token_that_is_no_string_costs_nothing_but_a_remark)
{
    struct fixture fixture = fixture_create(PLAIN, NULL);
    fixture_set_tokens(&fixture, "old", "old-refresh");
    struct error error;
    AUTO(token_set)
    tokens = read_tokens(&fixture, TOKEN_EXCHANGE_REFRESH, "{\"access_token\":\"new\",\"refresh_token\":5}", &error);
    cr_expect_str_eq(secret_reveal(tokens->refresh_token), "old-refresh");
    cr_expect(strstr(error.message, "refresh token"));
    cr_expect_eq(tokens->rotation, TOKEN_ROTATION_UNKNOWN);
    fixture_finish(&fixture);
}

/* ---- refreshCount ---- */

static const struct {
    const char *count; /* the iClient's refreshCount member, or "" */
    enum token_exchange exchange;
    int64_t left_before, left_after;
    bool kept;
} counts[] = {
    {"", TOKEN_EXCHANGE_CODE, -1, -1, true},
    {"", TOKEN_EXCHANGE_REFRESH, -1, -1, true},
    {"\"refreshCount\":0,", TOKEN_EXCHANGE_CODE, -1, 0, false},
    {"\"refreshCount\":3,", TOKEN_EXCHANGE_CODE, -1, 3, true},
    {"\"refreshCount\":3,", TOKEN_EXCHANGE_REFRESH, 3, 2, true},
    {"\"refreshCount\":3,", TOKEN_EXCHANGE_REFRESH, 1, 0, false},
    {"\"refreshCount\":3,", TOKEN_EXCHANGE_REFRESH, 0, 0, false},
    {"\"refreshCount\":3,", TOKEN_EXCHANGE_REFRESH, -1, 2, true},
    {"", TOKEN_EXCHANGE_REFRESH, 2, -1, true},
};

Test(token_grant, refresh_count_counts_down_and_ends_without_a_refresh_token)
{
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, IN("%s", ""), counts[i].count);
        struct fixture fixture = fixture_create(text, NULL);
        fixture_set_tokens(&fixture, "old", "old-refresh");
        fixture.tokens->refreshes_left = counts[i].left_before;
        AUTO(token_set)
        tokens = granted(&fixture, counts[i].exchange, "{\"access_token\":\"a\",\"refresh_token\":\"r\"}");
        cr_expect_eq(tokens->refreshes_left, counts[i].left_after, "case %zu: %lld", i,
                     (long long)tokens->refreshes_left);
        cr_expect_eq(tokens->refresh_token != NULL, counts[i].kept, "case %zu", i);
        fixture_finish(&fixture);
    }
}

/* ---- paths, scope, metadata ---- */

Test(token_grant, slack_has_its_tokens_nested_and_a_refresh_reply_flat)
{
    struct fixture fixture =
        fixture_create(IN("", ",\"accessTokenPath\":\"authed_user.access_token\","
                              "\"refreshTokenPath\":\"authed_user.refresh_token\",\"refreshAccessTokenPath\":"
                              "\"access_token\",\"refreshRefreshTokenPath\":\"refresh_token\""),
                       NULL);
    AUTO(token_set)
    first = granted(
        &fixture, TOKEN_EXCHANGE_CODE,
        "{\"ok\":true,\"access_token\":\"bot\",\"authed_user\":{\"access_token\":\"user\",\"refresh_token\":\"r1\"}}");
    cr_expect_str_eq(secret_reveal(first->access_token), "user");
    cr_expect_str_eq(secret_reveal(first->refresh_token), "r1");
    AUTO(token_set)
    second =
        granted(&fixture, TOKEN_EXCHANGE_REFRESH, "{\"ok\":true,\"access_token\":\"user2\",\"refresh_token\":\"r2\"}");
    cr_expect_str_eq(secret_reveal(second->access_token), "user2");
    cr_expect_str_eq(secret_reveal(second->refresh_token), "r2");
    fixture_finish(&fixture);
}

Test(token_grant, a_scope_array_is_joined_and_an_unfit_one_is_left_out)
{
    static const struct {
        const char *body, *scope;
    } scopes[] = {
        {"{\"access_token\":\"a\",\"scope\":\"repo,gist\"}", "repo,gist"},
        {"{\"access_token\":\"a\",\"scope\":[\"chat:read\",\"chat:edit\",7]}", "chat:read chat:edit"},
        {"{\"access_token\":\"a\",\"scope\":[]}", NULL},
        {"{\"access_token\":\"a\",\"scope\":\"a\\nb\"}", NULL},
        {"{\"access_token\":\"a\",\"scope\":5}", NULL},
    };
    struct fixture fixture = fixture_create(PLAIN, NULL);
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        AUTO(token_set) tokens = granted(&fixture, TOKEN_EXCHANGE_CODE, scopes[i].body);
        if (scopes[i].scope)
            cr_expect_str_eq(tokens->scope ? tokens->scope : "(none)", scopes[i].scope);
        else
            cr_expect_null(tokens->scope, "%s", scopes[i].body);
    }
    fixture_finish(&fixture);
}

Test(token_grant, callback_metadata_is_kept_with_the_code_exchange)
{
    struct fixture fixture =
        fixture_create(IN("", ",\"callbackMetadata\":[\"realmId\",\"absent\"],\"responseMetadata\":[\"id\"]"), NULL);
    fixture_set_callback(&fixture, "{\"code\":\"c\",\"realmId\":\"4620816365\"}");
    AUTO(token_set) tokens = granted(&fixture, TOKEN_EXCHANGE_CODE, "{\"access_token\":\"a\",\"id\":\"u\"}");
    AUTO_JSON expected = fixture_json("{\"realmId\":\"4620816365\",\"id\":\"u\"}");
    cr_expect(json_equal(tokens->metadata, expected));
    fixture_finish(&fixture);
}
