/* What an edit of the configuration means for the tokens, from the entry to the request that goes out. */
#include "broker/broker_fixture.h"

#include "broker/login/authorization_session_state.h"
#include "model/reply/token_binding.h"

TestSuite(token_entry, .init = fixture_start, .fini = fixture_finish);

#define MAIL(client, secret, scope, path)                                                                              \
    "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":"      \
    "\"" client "\",\"clientSecret\":\"" secret "\",\"clientCredentialsLocation\":\"body\",\"scope\":[" scope "],"     \
    "\"auth\":{\"uri\":\"https://as.example.com/authorize\"},\"token\":{\"uri\":\"https://as.example.com/" path "\"}," \
    "\"revoke\":{\"uri\":\"https://as.example.com/revoke\"}}}"
#define HOME MAIL("id", "old", "\"a\",\"b\"", "token")
#define ROBOT(scope)                                                                                                   \
    "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"clientcredentials\"," CREDENTIALS   \
    ",\"scope\":[" scope "]," ENDPOINTS "}}"
#define SHOP                                                                                                           \
    "{\"name\":\"shop\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\"," CREDENTIALS       \
    ",\"validDomainNames\":[\"example.com\"],\"auth\":{\"uri\":\"https://as.example.com/"                              \
    "authorize\"},\"token\":{\"uri\":"                                                                                 \
    "\"https://{{{connection.settings.shop}}}.example.com/token\"},\"revoke\":{\"uri\":"                               \
    "\"https://{{{connection.settings.shop}}}.example.com/revoke\"}}}"
#define SHOP_OF(town) "{\"name\":\"mine\",\"iClient\":\"shop\",\"settings\":{\"shop\":\"" town "\"}}"

static void configure_shop(const char *connection)
{
    static const char *const iclients[] = {SHOP};
    fixture_configure(iclients, 1, &connection, 1);
}

static const char *sent_url(void)
{
    cr_assert_not_null(fixture_requests, "no request is on its way");
    return secret_reveal(http_request_url(fixture_requests->request));
}

static void expire(const char *name)
{
    fixture_now = fixture_entry(name)->tokens->expires_at + 1;
}

static const char new_pair[] = "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}";

static const char *trouble_code(const char *name)
{
    const struct entry_trouble *trouble = token_entry_trouble(fixture_entry(name));
    return trouble ? trouble->code : "";
}

static const char *stale_reason(const char *name)
{
    const char *reason = token_entry_stale_reason(fixture_entry(name));
    return reason ? reason : "";
}

/* ---- what costs nothing ---- */

Test(token_entry, an_edit_of_no_part_of_the_binding_is_used_by_the_next_refresh)
{
    static const struct {
        const char *iclient;
        const char *body, *url;
    } edits[] = {
        {MAIL("id", "new", "\"a\",\"b\"", "token"), "client_secret=new", "https://as.example.com/token"},
        {MAIL("id", "old", "\"a\",\"b\"", "token?v=2"), "refresh_token=rt-1", "https://as.example.com/token?v=2"},
        {MAIL("id", "old", "\"a\",\"b\"", "other/path"), "refresh_token=rt-1", "https://as.example.com/other/path"},
        {MAIL("id", "old", "\"b\",\"a\"", "token"), "refresh_token=rt-1", "https://as.example.com/token"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        fixture_configure_one(HOME);
        fixture_store_tokens("mail", "at-1", "rt-1", 3600);
        unsigned sent = fixture_sent;
        fixture_configure_one(edits[i].iclient);
        cr_expect_eq(fixture_get("mail"), TOKEN_SERVED, "row %zu", i);
        cr_expect_str_eq(stale_reason("mail"), "", "row %zu", i);
        fixture_run_timers();
        cr_expect_eq(fixture_sent, sent, "row %zu", i);
        expire("mail");
        cr_assert_eq(fixture_get("mail"), TOKEN_PENDING);
        fixture_run_store();
        cr_expect(strstr(fixture_request_body(), edits[i].body), "row %zu: %s", i, fixture_request_body());
        cr_expect_str_eq(sent_url(), edits[i].url);
        fixture_reply(200, new_pair);
        fixture_run_store();
        cr_expect_eq(fixture_get("mail"), TOKEN_SERVED, "row %zu", i);
    }
}

/* ---- another server ---- */

Test(token_entry, tokens_of_another_shop_are_kept_aside_until_it_is_back)
{
    configure_shop(SHOP_OF("berlin"));
    fixture_store_tokens("mine", "at-1", "rt-1", 3600);
    configure_shop(SHOP_OF("oslo"));
    cr_expect_eq(fixture_get("mine"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(trouble_code("mine"), "configuration_changed");
    const char *message = token_entry_trouble(fixture_entry("mine"))->message;
    cr_expect(strstr(message, "origin of its token URI was https://berlin.example.com and is now "
                              "https://oslo.example.com"),
              "%s", message);
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "mine", 1000);
    fixture_pass(4000);
    cr_expect_eq(fixture_sent, 0, "berlin's tokens are not for oslo");
    configure_shop(SHOP_OF("berlin"));
    fixture_now -= 4000;
    cr_expect_eq(fixture_get("mine"), TOKEN_SERVED);
    cr_expect_str_eq(fixture_access_token("mine"), "at-1");
}

static void on_revoked(void *context, enum revoke_result result, const char *message)
{
    (void)message;
    *(enum revoke_result *)context = result;
}

Test(token_entry, a_revocation_does_not_go_to_another_shop)
{
    configure_shop(SHOP_OF("berlin"));
    fixture_store_tokens("mine", "at-1", "rt-1", 3600);
    configure_shop(SHOP_OF("oslo"));
    enum revoke_result result = REVOKE_CONFIRMED;
    struct error error = {0};
    cr_assert_eq(broker_revoke(fixture_entry("mine"), on_revoked, &result, &error), OK);
    fixture_run_store();
    cr_expect_eq(result, REVOKE_REFUSED);
    cr_expect_eq(fixture_sent, 0);
}

/* No edit leads here: the entry is told that its tokens fit, as a mistake elsewhere might. */
Test(token_entry, the_refresh_itself_looks_where_it_goes)
{
    configure_shop(SHOP_OF("berlin"));
    fixture_store_tokens("mine", "at-1", "rt-1", 3600);
    configure_shop(SHOP_OF("oslo"));
    struct token_entry *entry = fixture_entry("mine");
    entry->fits = true;
    token_entry_set_state(entry, ENTRY_READY, NULL, NULL, 0);
    fixture_now += 4000;
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "mine", 1000);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 0);
    cr_expect_str_eq(trouble_code("mine"), "request_not_sent");
    cr_expect_eq(token_entry_state(entry), ENTRY_PROVIDER_ERROR);
}

Test(token_entry, what_an_exchange_brings_belongs_to_what_it_was_sent_under)
{
    configure_shop(SHOP_OF("berlin"));
    fixture_store_tokens("mine", "at-1", "rt-1", 3600);
    expire("mine");
    fixture_get("mine");
    fixture_run_store();
    configure_shop(SHOP_OF("oslo"));
    fixture_reply(200, new_pair);
    fixture_run_store();
    cr_expect_eq(fixture_get("mine"), TOKEN_AUTHORIZATION_REQUIRED);
    configure_shop(SHOP_OF("berlin"));
    cr_expect_eq(fixture_get("mine"), TOKEN_SERVED);
    cr_expect_str_eq(fixture_access_token("mine"), "at-2");
}

Test(token_entry, a_host_that_the_reply_names_is_part_of_the_binding)
{
    static const char iclient[] =
        "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"clientcredentials\"," CREDENTIALS
        ",\"validDomainNames\":[\"example.com\"],\"responseMetadata\":[\"host\"],"
        "\"token\":{\"uri\":\"https://as.example.com/token\"},"
        "\"refresh\":{\"uri\":\"https://{{{metadata.host}}}/token\"}}}";
    fixture_configure_one(iclient);
    fixture_get("crm");
    fixture_reply(
        200, "{\"access_token\":\"at-1\",\"expires_in\":3600,\"refresh_token\":\"rt-1\",\"host\":\"a.example.com\"}");
    fixture_run_store();
    fixture_configure_one(iclient);
    cr_expect_eq(fixture_get("crm"), TOKEN_SERVED);
    expire("crm");
    fixture_get("crm");
    fixture_run_store();
    cr_expect_str_eq(sent_url(), "https://a.example.com/token");
}

/* ---- what the provider refused ---- */

Test(token_entry, a_new_secret_ends_that_the_client_is_refused)
{
    fixture_configure_one(HOME);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(401, "{\"error\":\"invalid_client\"}");
    fixture_run_store();
    cr_expect_eq(fixture_get("mail"), TOKEN_CLIENT_REJECTED);
    fixture_configure_one(MAIL("id", "new", "\"a\",\"b\"", "token"));
    cr_assert_eq(fixture_get("mail"), TOKEN_PENDING);
    fixture_run_store();
    cr_expect(strstr(fixture_request_body(), "client_secret=new"));
}

Test(token_entry, a_refusal_of_the_old_secret_says_nothing_of_the_new_one)
{
    fixture_configure_one(HOME);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    struct fixture_caller caller = {0};
    fixture_get("mail");
    fixture_start_waiting(&caller, "mail", 30000);
    fixture_run_store();
    fixture_configure_one(MAIL("id", "new", "\"a\",\"b\"", "token"));
    fixture_reply(401, "{\"error\":\"invalid_client\"}");
    fixture_run_store();
    cr_expect_eq(caller.answers, 0, "the caller gets what the new secret brings");
    cr_expect(strstr(fixture_request_body(), "client_secret=new"), "%s", fixture_request_body());
    fixture_reply(200, new_pair);
    fixture_run_store();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
}

Test(token_entry, a_refusal_of_the_refresh_token_outlives_an_edit_of_the_secret_meanwhile)
{
    fixture_configure_one(HOME);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_configure_one(MAIL("id", "new", "\"a\",\"b\"", "token"));
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_run_store();
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(trouble_code("mail"), "invalid_grant");
    fixture_configure_one(HOME);
    cr_expect_str_eq(trouble_code("mail"), "invalid_grant");
    cr_expect_eq(fixture_sent, 1);
}

/* ---- scope ---- */

Test(token_entry, a_narrower_scope_is_asked_for_at_once_and_kept)
{
    fixture_configure_one(HOME);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one(MAIL("id", "old", "\"b\"", "token"));
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect_str_eq(stale_reason("mail"), "scope_changed");
    cr_expect_str_eq(token_entry_scope(fixture_entry("mail")), "a b");
    fixture_run_timers();
    fixture_run_store();
    cr_expect(strstr(fixture_request_body(), "scope=b"), "%s", fixture_request_body());
    fixture_reply(200, new_pair);
    fixture_run_store();
    cr_expect_str_eq(stale_reason("mail"), "");
    cr_expect_str_eq(token_entry_scope(fixture_entry("mail")), "b");
    cr_expect_str_eq(fixture_access_token("mail"), "at-2");
    /* And so does the one after that. */
    fixture_pass(3400);
    fixture_run_store();
    cr_expect(strstr(fixture_request_body(), "scope=b"), "%s", fixture_request_body());
    fixture_reply(200, new_pair);
    fixture_run_store();
    /* The whole scope needs no login: the refresh token has it (RFC 6749 section 6). */
    fixture_configure_one(HOME);
    fixture_run_timers();
    fixture_run_store();
    cr_expect_null(strstr(fixture_request_body(), "scope="), "%s", fixture_request_body());
    fixture_reply(200, new_pair);
    fixture_run_store();
    cr_expect_str_eq(stale_reason("mail"), "");
    cr_expect_str_eq(token_entry_scope(fixture_entry("mail")), "a b");
}

Test(token_entry, another_scope_of_a_login_is_told_and_nothing_is_lost)
{
    fixture_configure_one(HOME);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one(MAIL("id", "old", "\"a\",\"c\"", "token"));
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect_str_eq(stale_reason("mail"), "scope_changed");
    cr_expect_str_eq(trouble_code("mail"), "scope_changed");
    const char *message = token_entry_trouble(fixture_entry("mail"))->message;
    cr_expect(strstr(message, "the scope was a b and is now a c") && strstr(message, "a login would bring"), "%s",
              message);
    fixture_run_timers();
    cr_expect_eq(fixture_sent, 0);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    cr_expect_null(strstr(fixture_request_body(), "scope="), "%s", fixture_request_body());
    fixture_reply(200, new_pair);
    fixture_run_store();
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect_str_eq(stale_reason("mail"), "scope_changed");
    fixture_configure_one(HOME);
    cr_expect_str_eq(stale_reason("mail"), "");
    cr_expect_str_eq(trouble_code("mail"), "");
}

Test(token_entry, another_scope_without_a_login_is_fetched_at_once)
{
    fixture_configure_one(ROBOT("\"a\""));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one(ROBOT("\"a\",\"c\""));
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect_str_eq(stale_reason("mail"), "scope_changed");
    fixture_run_timers();
    fixture_run_store();
    cr_expect(strstr(fixture_request_body(), "grant_type=client_credentials&scope=a+c"), "%s", fixture_request_body());
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED, "the old one until it comes");
    fixture_reply(200, new_pair);
    fixture_run_store();
    cr_expect_str_eq(stale_reason("mail"), "");
    cr_expect_str_eq(fixture_access_token("mail"), "at-2");
    fixture_run_timers();
    cr_expect_null(fixture_requests);
}
