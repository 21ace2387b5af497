#include <dirent.h>

#include "fixture.h"
#include "jws_keys.h"
#include "model/rule/failure_rule.h"
#include "preset_actual.h"
#include "preset_cases.h"
#include "protocol/request/authorization_url.h"
#include "protocol/jwt/jwt_assertion.h"
#include "protocol/jwt/jwt_signature.h"
#include "protocol/request/revoke_request.h"
#include "protocol/request/token_request.h"
#include "protocol/reply/token_response.h"
#include "protocol/request/token_use.h"

/*
 * What each preset of conf/providers makes of an iClient: presets/<provider>.json has the cases, which preset_cases.h
 * completes. Each has an iClient (and a connection), the requests that it is to send and replies in the provider's
 * shape with what is to become of them. The requests were written from collected facts about the providers and the
 * replies in part from memory; none was recorded at a provider. Fixed here: the time, NOW; the code of RFC 6749
 * §4.1.2, the state "STATE"; the token set "ACCESS-1" and "REFRESH-1" with the case's "metadata". "$verifier",
 * "$challenge", "$random" and "$jwt" stand for what varies; "$key" in an iClient is an RSA key.
 */

#define PRESETS TEST_SOURCE_DIR "/conf/providers"
#define CASES TEST_SOURCE_DIR "/tests/unit/protocol/presets"
#define CASE_DEFAULTS TEST_SOURCE_DIR "/tests/unit/protocol", "preset_defaults"

enum { PATH_LENGTH = 512 };

struct provider_case {
    char label[128];
    const json_t *expected; /* the case */
    struct fixture fixture;
};

/* ---- files ---- */

static json_t *load(const char *folder, const char *provider)
{
    char path[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/%s.json", folder, provider);
    json_error_t error;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(document, "%s: line %d: %s", path, error.line, error.text);
    return document;
}

static bool exists(const char *folder, const char *provider)
{
    char path[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/%s.json", folder, provider);
    FILE *file = fopen(path, "r");
    if (file)
        fclose(file);
    return file != NULL;
}

/* Calls each with the name of each *.json of folder. */
static void for_each_provider(const char *folder, void (*each)(const char *provider))
{
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory, "%s", folder);
    const struct dirent *entry;
    size_t count = 0;
    while ((entry = readdir(directory))) {
        const char *end = strstr(entry->d_name, ".json");
        char provider[sizeof entry->d_name];
        if (!end)
            continue;
        snprintf(provider, sizeof provider, "%.*s", (int)(end - entry->d_name), entry->d_name);
        each(provider);
        count++;
    }
    closedir(directory);
    cr_assert_gt(count, 0);
}

static struct provider_preset *load_preset(const char *provider)
{
    AUTO_JSON document = load(PRESETS, provider);
    AUTO(fault_list) faults = fault_list_create();
    struct provider_preset *preset = NULL;
    provider_preset_from_json(provider, document, provider, faults, &preset);
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        cr_expect_fail("%s", text);
    }
    return preset;
}

/* ---- cases ---- */

static json_t *iclient_document(const json_t *expected)
{
    static const char *const groups[] = {"jwt", "salesforce"};
    json_t *document = json_deep_copy(json_object_get(expected, "iClient"));
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        json_t *key = json_object_get(json_object_get(document, groups[i]), "privateKey");
        if (json_is_string(key) && strcmp(json_string_value(key), "$key") == 0)
            json_string_set(key, RSA_A2);
    }
    return document;
}

static void expect_no_faults(const char *label, const struct fault_list *faults)
{
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        cr_expect_fail("%s: %s", label, text);
    }
}

static struct connection *read_connection(const struct provider_case *provider_case, struct provider_preset *preset,
                                          struct fault_list *faults)
{
    static const struct iclient_options options = {.default_redirect_uri = "http://127.0.0.1:8085/callback",
                                                   .check_jwt_key = jwt_key_check};
    AUTO_JSON document = iclient_document(provider_case->expected);
    AUTO(iclient) iclient = NULL;
    struct connection *connection = NULL;
    iclient_from_json(document, preset, "", &options, NULL, faults, &iclient);
    const json_t *own = json_object_get(provider_case->expected, "connection");
    if (iclient && own)
        connection_from_json(own, iclient, "", NULL, NULL, faults, &connection);
    else if (iclient)
        connection = connection_implicit(iclient);
    return connection;
}

static bool load_connection(struct provider_case *provider_case, struct provider_preset *preset)
{
    AUTO(fault_list) faults = fault_list_create();
    struct connection *connection = read_connection(provider_case, preset, faults);
    expect_no_faults(provider_case->label, faults);
    cr_expect_not_null(connection, "%s: no connection", provider_case->label);
    provider_case->fixture.connection = connection;
    return connection != NULL;
}

static void fill_context(struct provider_case *provider_case)
{
    struct fixture *fixture = &provider_case->fixture;
    fixture->context = (struct grant_context){
        .connection = fixture->connection,
        .code = "SplxlOBeZQQYbYS6WxSbIA",
        .code_verifier = VERIFIER,
        .state = "STATE",
        .callback = json_object_get(provider_case->expected, "callback"),
        .now = NOW,
    };
    fixture_set_tokens(fixture, "ACCESS-1", "REFRESH-1");
    fixture->tokens->metadata = json_incref(json_object_get(provider_case->expected, "metadata"));
}

/* Caller frees. */
static json_t *load_cases(const char *provider)
{
    AUTO_JSON defaults = load(CASE_DEFAULTS);
    AUTO_JSON document = load(CASES, provider);
    return complete_cases(defaults, document, provider);
}

static void for_each_case(const char *provider, void (*each)(const struct provider_case *provider_case))
{
    if (!exists(PRESETS, provider) || !exists(CASES, provider))
        return; /* each_preset_has_cases_and_the_other_way_round tells */
    AUTO(provider_preset) preset = load_preset(provider);
    AUTO_JSON cases = load_cases(provider);
    cr_expect_gt(json_array_size(cases), 0, "%s has no cases", provider);
    for (size_t i = 0; preset && i < json_array_size(cases); i++) {
        struct provider_case provider_case = {.expected = json_array_get(cases, i)};
        const char *name = json_read_string(provider_case.expected, "case");
        snprintf(provider_case.label, sizeof provider_case.label, "%s, %s", provider, name ? name : "?");
        if (load_connection(&provider_case, preset)) {
            fill_context(&provider_case);
            each(&provider_case);
        }
        fixture_finish(&provider_case.fixture);
    }
}

static void expect_json(const char *label, const char *what, const json_t *expected, const json_t *actual)
{
    if (expected == actual || json_equal(expected, actual)) /* both absent */
        return;
    AUTO_TEXT wanted = json_dumps(expected, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    AUTO_TEXT found = json_dumps(actual, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    cr_expect_fail("%s, %s:\n  wanted %s\n  found  %s", label, what, wanted ? wanted : "(nothing)",
                   found ? found : "(nothing)");
}

/* ---- what each case expects ---- */

static bool find_exchange(const char *name, enum token_exchange *ret_exchange)
{
    for (enum token_exchange exchange = TOKEN_EXCHANGE_CODE; exchange <= TOKEN_EXCHANGE_REFRESH; exchange++) {
        if (strcmp(token_exchange_name(exchange), name) != 0)
            continue;
        *ret_exchange = exchange;
        return true;
    }
    return false;
}

/* The grant that an iClient makes, as "grant" of its case says it. */
static void check_grant(const struct provider_case *provider_case)
{
    static const char *const names[] = {
        [GRANT_NONE] = "none",
        [GRANT_AUTHORIZATION_CODE] = "authorization_code",
        [GRANT_PASSWORD] = "password",
        [GRANT_CLIENT_CREDENTIALS] = "client_credentials",
        [GRANT_JWT_BEARER] = "jwt_bearer",
        [GRANT_JWT_TOKEN] = "jwt_token",
    };
    const struct iclient *iclient = connection_iclient(provider_case->fixture.connection);
    const char *expected = json_read_string(provider_case->expected, "grant");
    const char *reason = iclient_no_grant_reason(iclient);
    cr_expect_str_eq(names[iclient_grant(iclient)], expected ? expected : "(not said)", "%s", provider_case->label);
    cr_expect_eq(reason != NULL, iclient_grant(iclient) == GRANT_NONE, "%s", provider_case->label);
    const char *part = json_read_string(provider_case->expected, "reason");
    if (part)
        cr_expect(reason && strstr(reason, part), "%s: %s", provider_case->label, reason ? reason : "(no reason)");
}

/* "error": the part of a message that says why nothing is sent. */
static bool expect_refusal(const struct provider_case *provider_case, const char *what, const json_t *expected,
                           enum status status, const struct error *error)
{
    const char *part = json_read_string(expected, "error");
    if (part)
        cr_expect(status != OK && strstr(error->message, part), "%s, %s: %s", provider_case->label, what,
                  error->message);
    return part != NULL;
}

static void check_authorization(const struct provider_case *provider_case)
{
    const json_t *expected = json_object_get(provider_case->expected, "authorize");
    bool asks = iclient_grant(connection_iclient(provider_case->fixture.connection)) == GRANT_AUTHORIZATION_CODE;
    const char *code_param = json_read_string(provider_case->expected, "codeParam");
    cr_expect_eq(expected != NULL, asks, "%s: \"authorize\"", provider_case->label);
    if (!expected || !asks)
        return;
    cr_expect_str_eq(iclient_text(connection_iclient(provider_case->fixture.connection), ICLIENT_CODE_PARAM),
                     code_param ? code_param : "code", "%s", provider_case->label);
    AUTO_TEXT url = NULL;
    struct error error = {0};
    enum status status = authorization_url_create(&provider_case->fixture.context, &url, &error);
    if (expect_refusal(provider_case, "authorize", expected, status, &error))
        return;
    cr_expect_eq(status, OK, "%s: %s", provider_case->label, error.message);
    if (status != OK)
        return;
    AUTO_JSON actual = actual_authorization(url);
    expect_json(provider_case->label, "authorize", expected, actual);
}

static enum status make_request(const struct provider_case *provider_case, const json_t *expected,
                                struct http_request **ret_request, struct error *ret_error)
{
    struct grant_context context = provider_case->fixture.context;
    const char *exchange_name = json_read_string(expected, "exchange");
    enum token_exchange exchange;
    if (find_exchange(exchange_name, &exchange))
        return token_request_create(exchange, &context, ret_request, ret_error);
    cr_expect_eq(strncmp(exchange_name, "revoke", 6), 0, "%s: exchange %s", provider_case->label, exchange_name);
    bool access = strcmp(exchange_name, "revoke access_token") == 0;
    context.token = access ? context.tokens->access_token : context.tokens->refresh_token;
    context.token_type_hint = access ? "access_token" : "refresh_token";
    return revoke_request_create(&context, ret_request, ret_error);
}

static void check_request(const struct provider_case *provider_case, const json_t *expected)
{
    const char *exchange = json_read_string(expected, "exchange");
    AUTO(http_request) request = NULL;
    struct error error = {0};
    enum status status = make_request(provider_case, expected, &request, &error);
    if (expect_refusal(provider_case, exchange, expected, status, &error))
        return;
    cr_expect_eq(status, OK, "%s, %s: %s", provider_case->label, exchange, error.message);
    if (status != OK)
        return;
    AUTO_JSON actual = actual_request(request);
    json_object_set_new(actual, "exchange", json_string(exchange));
    expect_json(provider_case->label, exchange, expected, actual);
}

static void check_requests(const struct provider_case *provider_case)
{
    size_t i;
    json_t *expected;
    json_array_foreach (json_object_get(provider_case->expected, "requests"), i, expected) {
        check_request(provider_case, expected);
    }
}

static void check_use(const struct provider_case *provider_case, const json_t *expected, const struct token_set *tokens)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 4096);
    cr_expect(token_use_append_json(connection_iclient(provider_case->fixture.connection), tokens, &text));
    AUTO_JSON actual = fixture_json(text_buffer_text(&text));
    expect_json(provider_case->label, "use", expected, actual);
}

static void check_outcome(const struct provider_case *provider_case, const char *exchange, const json_t *reply,
                          const struct token_outcome *outcome)
{
    const char *label = provider_case->label;
    const char *expected = json_read_string(reply, "outcome");
    const char *code = json_read_string(reply, "code");
    cr_expect_str_eq(outcome_class_name(outcome->outcome), expected ? expected : "(not said)", "%s, reply to %s: %s",
                     label, exchange, outcome->message);
    cr_expect_str_eq(outcome->code, code ? code : "", "%s, reply to %s: code \"%s\"", label, exchange, outcome->code);
    AUTO_JSON tokens = actual_tokens(outcome->tokens, NOW);
    expect_json(label, "tokens", json_object_get(reply, "tokens"), tokens);
    const json_t *use = json_object_get(reply, "use");
    if (use && outcome->tokens)
        check_use(provider_case, use, outcome->tokens);
}

static void check_reply(const struct provider_case *provider_case, const json_t *reply)
{
    const char *name = json_read_string(reply, "exchange");
    const json_t *body = json_object_get(reply, "body");
    AUTO_TEXT text = json_is_string(body) ? strdup(json_string_value(body)) : json_dumps(body, JSON_COMPACT);
    const struct provider_reply provider_reply = {
        .status = (int)json_integer_value(json_object_get(reply, "status")),
        .content_type = json_read_string(reply, "contentType"),
        .body = text ? text : "",
        .length = text ? strlen(text) : 0,
    };
    struct token_outcome outcome = {0};
    enum token_exchange exchange;
    if (find_exchange(name, &exchange))
        token_response_read(exchange, &provider_case->fixture.context, &provider_reply, &outcome);
    else
        revoke_response_read(&provider_case->fixture.context, &provider_reply, &outcome);
    check_outcome(provider_case, name, reply, &outcome);
    token_outcome_finish(&outcome);
}

static void check_replies(const struct provider_case *provider_case)
{
    size_t i;
    json_t *reply;
    json_array_foreach (json_object_get(provider_case->expected, "replies"), i, reply) {
        check_reply(provider_case, reply);
    }
    /* What the API answers to a token, as services report it. */
    const struct failure_rules *rules = iclient_api_failures(connection_iclient(provider_case->fixture.connection));
    json_array_foreach (json_object_get(provider_case->expected, "apiReplies"), i, reply) {
        const struct reply_document body = {.json = json_object_get(reply, "body")};
        bool failure = failure_rules_match(rules, (int)json_integer_value(json_object_get(reply, "status")), &body);
        cr_expect_eq(failure, json_is_true(json_object_get(reply, "failure")), "%s: API reply %zu",
                     provider_case->label, i);
    }
}

/* Where the JWT is itself the token: "token" of the case. */
static void check_token(const struct provider_case *provider_case)
{
    const json_t *expected = json_object_get(provider_case->expected, "token");
    bool makes = iclient_grant(connection_iclient(provider_case->fixture.connection)) == GRANT_JWT_TOKEN;
    cr_expect_eq(expected != NULL, makes, "%s: \"token\"", provider_case->label);
    if (!expected || !makes)
        return;
    AUTO(token_set) tokens = NULL;
    struct error error = {0};
    cr_assert_eq(jwt_assertion_create_token(&provider_case->fixture.context, &tokens, &error), OK, "%s: %s",
                 provider_case->label, error.message);
    AUTO_JSON actual = jwt_parts(secret_reveal(tokens->access_token));
    json_object_set_new(actual, "expires_in", json_integer(tokens->expires_at - NOW));
    expect_json(provider_case->label, "token", expected, actual);
}

/* ---- where a setting can lead ---- */

static bool is_valid_host(const struct provider_case *provider_case, const char *host, const char *behind)
{
    const struct iclient *iclient = connection_iclient(provider_case->fixture.connection);
    char url[PATH_LENGTH];
    snprintf(url, sizeof url, "https://%s%s/", host, behind);
    return url_policy_check_text(iclient_url_policy(iclient), url, NULL) == OK;
}

/* "validHosts": all that a setting may choose among, where there is more than one. */
static void check_hosts(const struct provider_case *provider_case)
{
    size_t i;
    json_t *value;
    json_array_foreach (json_object_get(provider_case->expected, "validHosts"), i, value) {
        const char *host = json_string_value(value);
        cr_expect(is_valid_host(provider_case, host, ""), "%s: %s", provider_case->label, host);
        cr_expect_not(is_valid_host(provider_case, host, ".evil.example"), "%s: %s", provider_case->label, host);
    }
    cr_expect_not(is_valid_host(provider_case, "evil.example", ""), "%s", provider_case->label);
}

/* The host that a request would go to; NULL when it is refused. Caller frees. */
static char *reached_host(const struct provider_case *provider_case, enum token_exchange exchange)
{
    AUTO(http_request) request = NULL;
    AUTO(url) url = NULL;
    if (token_request_create(exchange, &provider_case->fixture.context, &request, NULL) != OK)
        return NULL;
    cr_assert_eq(url_parse(request_url(request), &url, NULL), OK);
    return strdup(url_host(url));
}

static void expect_same_provider(const struct provider_case *provider_case, const char *setting, const char *value)
{
    for (enum token_exchange exchange = TOKEN_EXCHANGE_CODE; exchange <= TOKEN_EXCHANGE_REFRESH; exchange++) {
        AUTO_TEXT host = reached_host(provider_case, exchange);
        const char *end = host ? strstr(host, "evil.example") : NULL;
        cr_expect(!end || end[strlen("evil.example")] != '\0', "%s: %s \"%s\" leads to %s", provider_case->label,
                  setting, value, host);
    }
}

/* What is known at load is refused there, for this setting and nothing else. */
static void expect_refused_setting(const struct provider_case *provider_case, const struct fault_list *faults,
                                   const char *setting)
{
    char pointer[PATH_LENGTH];
    snprintf(pointer, sizeof pointer, "/settings/%s", setting);
    cr_expect_gt(fault_list_count(faults), 0, "%s", provider_case->label);
    for (size_t i = 0; i < fault_list_count(faults); i++)
        cr_expect_str_eq(fault_list_at(faults, i)->pointer, pointer, "%s", provider_case->label);
}

static void try_setting(struct provider_case *provider_case, struct provider_preset *preset, const char *setting)
{
    static const char *const values[] = {"evil.example",  "evil.example/",  "evil.example?",
                                         "evil.example#", "x@evil.example", "evil.example:443"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct provider_case changed = *provider_case;
        AUTO_JSON expected = json_deep_copy(provider_case->expected);
        AUTO_JSON connection =
            json_pack("{s:s,s:s,s:{s:s}}", "name", "evil", "iClient",
                      json_read_string(json_object_get(expected, "iClient"), "name"), "settings", setting, values[i]);
        json_object_set(expected, "connection", connection);
        changed.expected = expected;
        changed.fixture = (struct fixture){0};
        AUTO(fault_list) faults = fault_list_create();
        changed.fixture.connection = read_connection(&changed, preset, faults);
        if (changed.fixture.connection) {
            fill_context(&changed);
            expect_same_provider(&changed, setting, values[i]);
        } else {
            expect_refused_setting(&changed, faults, setting);
        }
        fixture_finish(&changed.fixture);
    }
}

static void try_settings(const char *provider)
{
    AUTO_JSON cases = load_cases(provider);
    const json_t *expected = json_array_get(cases, 0);
    const json_t *settings = json_object_get(json_object_get(expected, "iClient"), "settings");
    AUTO(provider_preset) preset = load_preset(provider);
    AUTO_JSON defaults = json_deep_copy(json_object_get(provider_preset_document(preset), "settings"));
    AUTO_JSON all = defaults ? TAKE(defaults) : json_object();
    json_object_update(all, (json_t *)settings);
    const char *setting;
    json_t *value;
    json_object_foreach (all, setting, value) {
        struct provider_case provider_case = {.expected = expected};
        snprintf(provider_case.label, sizeof provider_case.label, "%s", provider);
        try_setting(&provider_case, preset, setting);
    }
}

/* ---- tests ---- */

static void expect_cases(const char *provider)
{
    cr_expect(exists(CASES, provider), "conf/providers/%s.json has no presets/%s.json", provider, provider);
}

static void expect_preset(const char *provider)
{
    cr_expect(exists(PRESETS, provider), "presets/%s.json has no conf/providers/%s.json", provider, provider);
}

Test(presets, each_preset_has_cases_and_the_other_way_round)
{
    for_each_provider(PRESETS, expect_cases);
    for_each_provider(CASES, expect_preset);
}

/* The enumeration of integrator.io's schema. */
Test(presets, each_provider_of_the_schema_has_a_preset)
{
    static const char *const names[] = {
        "google",     "salesforce",  "azureoauth",    "windowslive", "shopify",
        "integrator", "zendesk",     "bigcommerce",   "netsuite",    "ebay",
        "ebay-xml",   "asana",       "box",           "dropbox",     "clover",
        "servicenow", "jobvite",     "twilio",        "certify",     "squareup",
        "docusign",   "woocommerce", "custom_oauth2", "amazonmws",   "microsoftbusinesscentral",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        expect_preset(names[i]);
}

static void check_preset(const char *provider)
{
    AUTO(provider_preset) preset = load_preset(provider);
    cr_expect_not_null(preset, "%s", provider);
    if (preset)
        cr_expect_str_eq(json_read_string(provider_preset_document(preset), "provider"), provider);
}

Test(presets, each_preset_loads_without_a_fault_and_names_its_provider)
{
    for_each_provider(PRESETS, check_preset);
}

#define TEST_EACH_CASE(name, check)                                                                                    \
    static void name##_of(const char *provider)                                                                        \
    {                                                                                                                  \
        for_each_case(provider, check);                                                                                \
    }                                                                                                                  \
    Test(presets, name)                                                                                                \
    {                                                                                                                  \
        for_each_provider(PRESETS, name##_of);                                                                         \
    }

TEST_EACH_CASE(an_iclient_has_the_grant_of_its_provider, check_grant)
TEST_EACH_CASE(a_login_asks_as_the_provider_wants_it, check_authorization)
TEST_EACH_CASE(requests_are_what_the_provider_takes, check_requests)
TEST_EACH_CASE(replies_are_read_as_the_provider_means_them, check_replies)

TEST_EACH_CASE(a_jwt_that_is_the_token_is_what_the_provider_takes, check_token)
TEST_EACH_CASE(the_hosts_of_a_provider_and_no_others_are_valid, check_hosts)

Test(presets, no_setting_leads_to_another_host)
{
    for_each_provider(PRESETS, try_settings);
}
