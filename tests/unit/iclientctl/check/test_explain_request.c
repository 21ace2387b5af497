#include "iclientctl/check/explain_request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json/json_read.h"
#include "iclientctl/check/explain_document.h"
#include "protocol/jwt/jwt_signature.h"

/* Documents as `check --explain` reads them: secrets are placeholders. */
struct explained {
    struct placeholders *placeholders;
    struct secret_stand_ins *stand_ins;
    json_t *requests;
};

static struct connection *read_connection(const struct explained *explained, const char *iclient_text,
                                          const char *connection_text)
{
    static const struct iclient_options options = {.default_redirect_uri = "http://127.0.0.1:8085/callback",
                                                   .check_jwt_key = jwt_key_check};
    const struct secret_resolver *resolver = secret_stand_ins_resolver(explained->stand_ins);
    AUTO_JSON document = json_loads(iclient_text, 0, NULL);
    AUTO_JSON shown = explain_document_iclient(document, "RS256");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = provider_preset_create_empty("custom_oauth2");
    AUTO(iclient) iclient = NULL;
    iclient_from_json(shown, preset, "", &options, resolver, faults, &iclient);
    struct connection *connection = NULL;
    AUTO_JSON own = connection_text ? json_loads(connection_text, 0, NULL) : NULL;
    AUTO_JSON shown_own = own ? explain_document_connection(own) : NULL;
    if (iclient && own)
        connection_from_json(shown_own, iclient, "", resolver, NULL, faults, &connection);
    else if (iclient)
        connection = connection_implicit(iclient);
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        cr_expect(fault_list_at(faults, i)->warning, "%s", text);
    }
    cr_assert_not_null(connection, "%s", iclient_text);
    return connection;
}

static struct explained explain(const char *iclient_text, const char *connection_text)
{
    struct explained explained = {.placeholders = placeholders_create()};
    explained.stand_ins = secret_stand_ins_create(explained.placeholders);
    AUTO(connection) connection = read_connection(&explained, iclient_text, connection_text);
    size_t count = placeholders_count(explained.placeholders);
    explained.requests = explain_requests(connection, explained.placeholders);
    cr_assert_not_null(explained.requests);
    cr_expect_eq(placeholders_count(explained.placeholders), count, "its own placeholders are forgotten");
    return explained;
}

static void explained_finish(struct explained *explained)
{
    json_decref(explained->requests);
    secret_stand_ins_destroy(explained->stand_ins);
    placeholders_destroy(explained->placeholders);
}

/* The names of the requests, each with a space behind it. */
static void list_names(const json_t *requests, char names[256])
{
    size_t length = 0;
    names[0] = '\0';
    for (size_t i = 0; i < json_array_size(requests); i++)
        length += (size_t)snprintf(names + length, 256 - length, "%s ",
                                   json_read_string(json_array_get(requests, i), "request"));
}

#define IN_APP(own, oauth2)                                                                                            \
    "{\"name\": \"app\", \"provider\": \"custom_oauth2\", " own "\"oauth2\": {\"clientId\": \"id\","                   \
    " \"clientSecret\": \"s3cret\", \"token\": {\"uri\": \"https://as.example/token\"}, " oauth2 "}}"
#define OAUTH2(oauth2) IN_APP("", oauth2)
#define LOGIN "\"grantType\": \"authorizecode\", \"auth\": {\"uri\": \"https://as.example/auth\"}"
#define REVOKE "\"revoke\": {\"uri\": \"https://as.example/revoke\"}"

Test(explain_requests, a_grant_has_its_requests_in_the_order_in_which_they_come)
{
    static const struct {
        const char *iclient, *names;
    } rows[] = {
        {OAUTH2(LOGIN), "authorization_url authorization_code refresh_token "},
        {OAUTH2(LOGIN ", " REVOKE),
         "authorization_url authorization_code refresh_token revoke_refresh_token revoke_access_token "},
        {OAUTH2("\"grantType\": \"clientcredentials\""), "client_credentials refresh_token "},
        {IN_APP("\"refreshCount\": 0, ", "\"grantType\": \"clientcredentials\", " REVOKE),
         "client_credentials revoke_access_token "},
        {OAUTH2("\"grantType\": \"password\", \"username\": \"u\", \"password\": \"s3cret\""),
         "password refresh_token "},
        {OAUTH2("\"grantType\": \"clientcredentials\", \"revoke\": {\"uri\": \"https://as.example/revoke\","
                " \"body\": {\"all\": \"yes\"}, \"method\": \"POST\"}"),
         "client_credentials refresh_token revoke_access_token "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char names[256];
        struct explained explained = explain(rows[i].iclient, NULL);
        list_names(explained.requests, names);
        cr_expect_str_eq(names, rows[i].names, "%s", rows[i].iclient);
        explained_finish(&explained);
    }
}

static const json_t *find_request(const json_t *requests, const char *name)
{
    for (size_t i = 0; i < json_array_size(requests); i++) {
        const json_t *request = json_array_get(requests, i);
        if (strcmp(json_read_string(request, "request"), name) == 0)
            return request;
    }
    cr_assert_fail("no request %s", name);
    return NULL;
}

static void expect_member(const json_t *request, const char *name, const char *expected)
{
    AUTO_TEXT text = json_dumps(json_object_get(request, name), JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    cr_expect_str_eq(text, expected, "%s of %s: %s", name, json_read_string(request, "request"), text);
}

Test(explain_requests, what_is_known_at_run_time_alone_has_a_name)
{
    struct explained explained = explain(OAUTH2(LOGIN ", \"clientCredentialsLocation\": \"body\""), NULL);
    const json_t *url = find_request(explained.requests, "authorization_url");
    expect_member(url, "url",
                  "\"https://as.example/auth?response_type=code&client_id=id&redirect_uri=http%3A%2F%2F127.0.0.1%3A8085"
                  "%2Fcallback%2Fapp&state=<state>&code_challenge=<code_challenge>&code_challenge_method=S256\"");
    expect_member(url, "method", "\"GET\"");
    expect_member(url, "body", "null");
    expect_member(url, "headers", "[]");
    const json_t *code = find_request(explained.requests, "authorization_code");
    expect_member(code, "method", "\"POST\"");
    expect_member(code, "url", "\"https://as.example/token\"");
    expect_member(
        code, "body",
        "\"grant_type=authorization_code&code=<code>&redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback%2Fapp"
        "&code_verifier=<code_verifier>&client_id=id&client_secret=******\"");
    const json_t *refresh = find_request(explained.requests, "refresh_token");
    expect_member(refresh, "body",
                  "\"grant_type=refresh_token&refresh_token=<refresh_token>&client_id=id&client_secret=******\"");
    explained_finish(&explained);
}

Test(explain_requests, what_a_template_names_of_an_answer_is_shown_by_its_name)
{
    struct explained explained =
        explain(OAUTH2(LOGIN ", \"tokenParams\": {\"realm\": \"{{callback.realmId}}\"}"), NULL);
    AUTO_TEXT text = json_dumps(find_request(explained.requests, "authorization_code"), 0);
    cr_expect_not_null(strstr(text, "realm=<callback.realmId>"), "%s", text);
    explained_finish(&explained);
}

Test(explain_requests, a_jwt_is_shown_in_its_parts)
{
    struct explained explained = explain(
        "{\"name\": \"robot\", \"provider\": \"custom_oauth2\", \"enableJWT\": true, \"oauth2\": {"
        " \"grantType\": \"jwtbearer\", \"clientId\": \"id\", \"token\": {\"uri\": \"https://as.example/token\"}},"
        " \"jwt\": {\"signatureMethod\": \"RS256\", \"privateKey\": \"PEM\", \"payload\": {\"sub\": \"user\"}}}",
        NULL);
    const json_t *request = find_request(explained.requests, "jwt_bearer");
    AUTO_TEXT text = json_dumps(json_object_get(request, "body"), JSON_ENCODE_ANY);
    cr_expect_not_null(strstr(text, "assertion=<JWT 1>"), "%s", text);
    const json_t *jwt = json_array_get(json_object_get(request, "jwts"), 0);
    cr_expect_str_eq(json_read_string(json_object_get(jwt, "header"), "alg"), "RS256");
    cr_expect_str_eq(json_read_string(json_object_get(jwt, "payload"), "sub"), "user");
    explained_finish(&explained);
}

Test(explain_requests, a_connection_changes_its_requests)
{
    struct explained explained =
        explain(OAUTH2("\"grantType\": \"password\""),
                "{\"name\": \"crm\", \"iClient\": \"app\", \"username\": \"hers\", \"password\": \"s3cret\"}");
    AUTO_TEXT text = json_dumps(find_request(explained.requests, "password"), 0);
    cr_expect_not_null(strstr(text, "username=hers&password=******"), "%s", text);
    cr_expect_null(strstr(text, "s3cret"));
    explained_finish(&explained);
}

/* With what is missing at load no document comes this far; what is missing at run time says so. */
Test(explain_requests, a_request_that_cannot_be_made_says_why)
{
    struct explained explained = explain(OAUTH2("\"grantType\": \"password\""), NULL);
    const json_t *request = find_request(explained.requests, "password");
    cr_expect_not_null(json_read_string(request, "error"));
    cr_expect_null(json_object_get(request, "url"));
    explained_finish(&explained);
}
