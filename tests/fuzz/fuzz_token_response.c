/* Any reply of a token endpoint: one class, no secret in the words, tokens that can be served and kept. */
#include "provider_reply.h"

static void require_tokens(const struct token_outcome *outcome, const struct grant_context *context, bool is_refresh)
{
    static const int64_t century = INT64_C(100) * 365 * 24 * 3600;
    const struct token_set *tokens = outcome->tokens;
    const char *token = secret_reveal(tokens->access_token);
    REQUIRE(token && *token, "granted without an access token");
    REQUIRE(strlen(token) == secret_length(tokens->access_token), "a NUL in the access token");
    for (const char *c = token; *c; c++)
        REQUIRE(*c > ' ' && *c <= '~', "an access token that no header can carry");
    REQUIRE(strlen(token) < 8 || !strstr(outcome->message, token), "the access token is quoted");
    REQUIRE(tokens->expires_at == 0 ||
                (tokens->expires_at >= context->now && tokens->expires_at <= context->now + century),
            "expires at %lld", (long long)tokens->expires_at);
    REQUIRE(!tokens->refresh_token || secret_length(tokens->refresh_token) > 0, "an empty refresh token");
    if (is_refresh && tokens->refreshes_left != 0)
        REQUIRE(tokens->refresh_token, "silence has lost the refresh token");
    AUTO(secret) stored = token_set_serialise(tokens);
    AUTO(token_set) again = NULL;
    REQUIRE(stored && token_set_parse(stored, &again, NULL) == OK, "what was granted cannot be stored");
    REQUIRE(secret_equal(again->access_token, tokens->access_token) &&
                secret_equal(again->refresh_token, tokens->refresh_token) && again->expires_at == tokens->expires_at,
            "what was stored is not what was granted");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grant_context context = reply_context(fuzz_pick(data, size, 0, REPLY_ICLIENT_COUNT));
    enum token_exchange exchange = (enum token_exchange)fuzz_pick(data, size, 1, TOKEN_EXCHANGE_REFRESH + 1);
    AUTO_TEXT body = NULL;
    struct provider_reply reply = reply_read(data, size, &body);
    struct token_outcome outcome, again;
    token_response_read(exchange, &context, &reply, &outcome);
    require_outcome(&outcome, &reply);
    REQUIRE((outcome.outcome == OUTCOME_GRANTED) == (outcome.tokens != NULL),
            "tokens without a grant, or without them");
    if (outcome.outcome == OUTCOME_GRANTED) {
        REQUIRE(reply.status >= 200 && reply.status < 300, "granted by %d", reply.status);
        REQUIRE(!reply.too_large, "granted by half a reply");
        require_tokens(&outcome, &context, exchange == TOKEN_EXCHANGE_REFRESH);
    }
    token_response_read(exchange, &context, &reply, &again);
    REQUIRE(again.outcome == outcome.outcome && strcmp(again.message, outcome.message) == 0, "not twice the same");
    token_outcome_finish(&outcome);
    token_outcome_finish(&again);
    return 0;
}
