#ifndef TEST_FUZZ_PROVIDER_REPLY_H
#define TEST_FUZZ_PROVIDER_REPLY_H

#include <ctype.h>

#include "fuzz.h"
#include "model/connection/connection.h"
#include "model/iclient/iclient.h"
#include "protocol/reply/token_response.h"

/* CLIENT EXCHANGE STATUS TYPE and a newline, then the body: a reply to one of these clients, as fuzz_pick() picks. */
enum { REPLY_NOW = 1795000000, REPLY_BODY_AT = 5 };

#define REPLY_CLIENT_SECRET "client-secret-4711"
#define REPLY_PASSWORD "correct-horse-battery"
#define REPLY_CODE "SplxlOBeZQQYbYS6WxSbIA"
#define REPLY_ACCESS_TOKEN "old-access-token-2YotnFZFEjr1zCsicMWpAA"
#define REPLY_REFRESH_TOKEN "old-refresh-token-tGzv3JOkF0XG5Qx2TlKWIA"

#define REPLY_ICLIENT(members, rest)                                                                                   \
    "{\"name\":\"test\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":"      \
    "\"id\","                                                                                                          \
    "\"clientSecret\":\"" REPLY_CLIENT_SECRET "\",\"username\":\"u\",\"password\":\"" REPLY_PASSWORD "\","             \
    "\"auth\":{\"uri\":\"https://server.example.com/authorize\"},\"token\":{\"uri\":\"https://server.example.com/"     \
    "token\"},\"revoke\":{\"uri\":\"https://server.example.com/revoke\"}" members "}" rest "}"

static const char *const reply_iclients[] = {
    REPLY_ICLIENT("", ""),
    /* Slack */
    REPLY_ICLIENT(
        ",\"accessTokenPath\":\"authed_user.access_token\",\"refreshTokenPath\":\"authed_user.refresh_token\","
        "\"expiresInPath\":\"authed_user.expires_in\",\"refreshAccessTokenPath\":\"access_token\","
        "\"refreshRefreshTokenPath\":\"refresh_token\",\"failPath\":\"ok\",\"failValues\":[\"false\"],"
        "\"responseMetadata\":[\"team.id\"]",
        ""),
    /* Clover, Square: points in time */
    REPLY_ICLIENT(
        ",\"expiresAtPath\":\"expires_at\",\"refreshExpiresInPath\":\"refresh_token_expiration\","
        "\"tokenFailures\":[{\"path\":\"errors\"},{\"statusCode\":403,\"path\":\"code\",\"values\":[7,true]}]",
        ",\"refreshCount\":2"),
    REPLY_ICLIENT(",\"accessTokenPath\":\"data.0.token\",\"scopePath\":\"data.0.scopes\",\"tokenTypePath\":\"kind\","
                  "\"expiresInUnit\":\"milliseconds\",\"responseMetadata\":[\"instance_url\",\"data\"],"
                  "\"callbackMetadata\":[\"realmId\"],\"failStatusCode\":418",
                  ",\"accessTokenLifetime\":\"never\""),
};
enum { REPLY_ICLIENT_COUNT = sizeof reply_iclients / sizeof reply_iclients[0] };

static inline struct connection *reply_connection(const char *text)
{
    static const struct iclient_options options = {.default_redirect_uri = "http://127.0.0.1:8085/callback"};
    AUTO_JSON document = fuzz_json(text, strlen(text));
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = provider_preset_create_empty("custom_oauth2");
    AUTO(iclient) iclient = NULL;
    enum status status = iclient_from_json(document, preset, "", &options, NULL, faults, &iclient);
    REQUIRE(status == OK, "%s", fault_list_at(faults, 0)->message);
    return connection_implicit(iclient);
}

/* The context of the picked client, made once. */
static inline struct grant_context reply_context(size_t picked)
{
    static struct connection *connections[REPLY_ICLIENT_COUNT];
    static struct token_set *tokens;
    static json_t *callback;
    if (!connections[picked])
        connections[picked] = reply_connection(reply_iclients[picked]);
    if (!tokens) {
        tokens = token_set_create();
        tokens->access_token = secret_from_text(REPLY_ACCESS_TOKEN);
        tokens->refresh_token = secret_from_text(REPLY_REFRESH_TOKEN);
        tokens->scope = strdup("old");
        tokens->generation = 3;
        callback = json_pack("{s:s}", "realmId", "9130");
    }
    return (struct grant_context){.connection = connections[picked],
                                  .tokens = tokens,
                                  .code = REPLY_CODE,
                                  .callback = callback,
                                  .token = tokens->refresh_token,
                                  .token_type_hint = "refresh_token",
                                  .now = REPLY_NOW};
}

/* body: free() after use of the reply. */
static inline struct provider_reply reply_read(const uint8_t *data, size_t size, char **ret_body)
{
    static const int statuses[] = {200, 400, 401, 403, 408, 418, 429, 500, 503, 302, 404, 201};
    static const char *const types[] = {"application/json", NULL, "application/x-www-form-urlencoded", "text/html"};
    static const char *const waits[] = {NULL, "120", "Fri, 31 Dec 2100 23:59:59 GMT", "-1"};
    struct provider_reply reply = {
        .status = statuses[fuzz_pick(data, size, 2, sizeof statuses / sizeof statuses[0])],
        .content_type = types[fuzz_pick(data, size, 3, 4)],
        .retry_after = waits[fuzz_pick(data, size, 3, 16) / 4],
        .too_large = size > REPLY_BODY_AT - 1 && data[REPLY_BODY_AT - 1] == '!',
    };
    *ret_body = fuzz_bytes(data, size, REPLY_BODY_AT, &reply.length);
    reply.body = *ret_body;
    return reply;
}

static inline void require_no_secret(const char *text)
{
    static const char *const secrets[] = {REPLY_CLIENT_SECRET, REPLY_PASSWORD, REPLY_CODE, REPLY_ACCESS_TOKEN,
                                          REPLY_REFRESH_TOKEN};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        REQUIRE(!strcasestr(text, secrets[i]), "a secret is quoted: %s", text);
    for (const char *c = text; *c; c++)
        REQUIRE(*c >= ' ' && *c <= '~', "a byte that is not printable is quoted");
}

/* What holds for the outcome of any reply. */
static inline void require_outcome(const struct token_outcome *outcome, const struct provider_reply *reply)
{
    REQUIRE(outcome->outcome <= OUTCOME_BROKEN && outcome_class_name(outcome->outcome), "no class");
    REQUIRE(outcome->status == reply->status, "another status");
    REQUIRE(outcome->retry_after >= 0 && outcome->retry_after <= 24 * 3600, "Retry-After");
    REQUIRE(memchr(outcome->code, '\0', sizeof outcome->code), "the code does not end");
    REQUIRE(memchr(outcome->message, '\0', sizeof outcome->message), "the message does not end");
    REQUIRE(outcome->outcome == OUTCOME_GRANTED || outcome->message[0], "no words");
    require_no_secret(outcome->code);
    require_no_secret(outcome->message);
}

#endif
