/* {"iClient": {…}, "connection": {…}}: nothing gives its secrets back, and its requests go where they may. */
#include "base/http_request.h"
#include "base/text/url.h"
#include "documents.h"
#include "model/connection/connection.h"
#include "protocol/request/authorization_url.h"
#include "protocol/request/revoke_request.h"
#include "protocol/request/token_request.h"

static const struct secret *sent_token(void)
{
    static struct secret *token;
    if (!token)
        token = secret_from_text("refresh\r\nX: y&a=b");
    return token;
}

static struct grant_context make_context(const struct connection *connection)
{
    static struct token_set *tokens;
    static json_t *callback;
    if (!tokens) {
        tokens = token_set_create();
        tokens->access_token = secret_from_text("access");
        tokens->refresh_token = secret_hold(sent_token());
        tokens->metadata = json_pack("{s:s}", "instance_url", "https://evil.example/?");
        callback = json_pack("{s:s}", "realmId", "91/30?a=b&c#d");
    }
    return (struct grant_context){.connection = connection,
                                  .tokens = tokens,
                                  .code = "co de&grant_type=x\r\nHost: evil",
                                  .redirect_uri = "http://127.0.0.1:8085/callback",
                                  .code_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                                  .state = "xyz",
                                  .callback = callback,
                                  .token = sent_token(),
                                  .token_type_hint = "refresh_token",
                                  .now = 1795000000};
}

static void require_request(const struct connection *connection, const struct http_request *request)
{
    struct error error = {0};
    const char *url = secret_reveal(http_request_url(request));
    REQUIRE(url_policy_check_text(iclient_url_policy(connection_iclient(connection)), url, &error) == OK, "%s",
            error.message);
    for (size_t i = 0; i < http_request_header_count(request); i++) {
        const struct secret *value = http_request_header_value(request, i);
        REQUIRE(strcspn(secret_reveal(value), "\r\n") == secret_length(value), "a header of two lines");
        REQUIRE(strcspn(http_request_header_name(request, i), "\r\n: ") > 0, "a header without a name");
    }
    REQUIRE(secret_length(http_request_body(request)) <= HTTP_REQUEST_BODY_MAX, "a body that is too large");
}

static void require_requests(const struct connection *connection)
{
    struct grant_context context = make_context(connection);
    struct error error = {0};
    for (int exchange = TOKEN_EXCHANGE_CODE; exchange <= TOKEN_EXCHANGE_REFRESH; exchange++) {
        AUTO(http_request) request = NULL;
        if (token_request_create((enum token_exchange)exchange, &context, &request, &error) == OK)
            require_request(connection, request);
        else
            REQUIRE(error.message[0] && !canary_is_in(error.message), "%s", error.message);
    }
    AUTO(http_request) revoke = NULL;
    if (revoke_request_create(&context, &revoke, &error) == OK)
        require_request(connection, revoke);
    else
        REQUIRE(error.message[0] && !canary_is_in(error.message), "%s", error.message);
    AUTO_TEXT url = NULL;
    if (iclient_grant(connection_iclient(connection)) == GRANT_AUTHORIZATION_CODE &&
        authorization_url_create(&context, &url, &error) == OK)
        REQUIRE(url_policy_check_text(iclient_url_policy(connection_iclient(connection)), url, NULL) == OK,
                "the browser is sent elsewhere");
}

static void put_canaries(json_t *connection)
{
    canary_put(connection, "/password");
    canary_put(connection, "/encrypted");
}

static void require_stable(const json_t *given, const struct iclient *iclient)
{
    AUTO_JSON filled = json_deep_copy(given);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(connection) again = NULL;
    put_canaries(filled);
    enum status status = connection_from_json(filled, iclient, "", NULL, NULL, faults, &again);
    REQUIRE(status == OK, "what was given back is refused: %s: %s", fault_list_at(faults, 0)->pointer,
            fault_list_at(faults, 0)->message);
    AUTO_JSON given_again = connection_to_json(again);
    REQUIRE(json_equal(given, given_again), "what was given back comes back otherwise");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT text = fuzz_text(data, size, 0);
    AUTO_JSON both = canary_is_in(text) ? NULL : fuzz_json(text, strlen(text));
    json_t *own = json_object_get(both, "connection");
    if (!own)
        return 0;
    canary_put_iclient(json_object_get(both, "iClient"));
    put_canaries(own);
    AUTO(fault_list) iclient_faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    if (read_iclient(json_object_get(both, "iClient"), &document_resolver, false, iclient_faults, &iclient) != OK)
        return 0;
    AUTO(fault_list) faults = fault_list_create();
    AUTO(connection) connection = NULL;
    enum status status = connection_from_json(own, iclient, "", &document_resolver, NULL, faults, &connection);
    require_faults(faults, status);
    REQUIRE((status == OK) == (connection != NULL), "half a result");
    if (status != OK)
        return 0;
    AUTO_JSON given = connection_to_json(connection);
    require_masked(given);
    require_stable(given, iclient);
    require_requests(connection);
    return 0;
}
