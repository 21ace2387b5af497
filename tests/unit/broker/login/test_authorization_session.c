#include "broker/broker_fixture.h"

#include "base/text/url.h"
#include "broker/login/authorization_session_state.h"

TestSuite(authorization_session, .init = fixture_start, .fini = fixture_finish);

struct login {
    const struct authorization_session *session;
    char state[64];
    char *cookie_name;
    char *cookie;
    char cookies[256];
    unsigned told;
    enum session_state end;
};

static void login_finish(struct login *login)
{
    free(login->cookie_name);
    free(login->cookie);
}

static void on_end(void *context, const struct authorization_session *session)
{
    struct login *login = context;
    login->told++;
    login->end = authorization_session_state(session);
}

static void begin_present(struct login *login)
{
    struct error error = {0};
    cr_assert_eq(authorization_session_begin(fixture_broker, fixture_entry("mail"), NULL, &login->session, &error), OK,
                 "%s", error.message);
    AUTO(url) url = NULL;
    cr_assert_eq(url_parse(authorization_session_url(login->session), &url, &error), OK, "%s", error.message);
    AUTO_TEXT state = NULL;
    cr_assert_eq(form_find(url_query(url), strlen(url_query(url)), "state", &state), OK);
    strcpy(login->state, state);
}

static void begin(struct login *login)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    begin_present(login);
}

static void take_up(struct login *login)
{
    char ticket[64];
    const struct authorization_session *session = NULL;
    strcpy(ticket, authorization_session_ticket(login->session));
    cr_assert_eq(authorization_session_take_up(fixture_broker, ticket, &session, &login->cookie_name, &login->cookie),
                 OK);
    snprintf(login->cookies, sizeof login->cookies, "other=1; %s=%s", login->cookie_name, login->cookie);
    char *name = NULL, *cookie = NULL;
    cr_assert_eq(authorization_session_take_up(fixture_broker, ticket, &session, &name, &cookie), ERR_NOT_FOUND,
                 "a ticket works once");
}

static enum status answer_with(struct login *login, const char *path, const char *parameters, const char *cookie,
                               struct token_entry *paste_entry)
{
    char query[512];
    snprintf(query, sizeof query, "state=%s&%s", login->state, parameters);
    struct authorization_answer answer = {.path = path, .query = query, .cookie = cookie, .paste_entry = paste_entry};
    const struct authorization_session *session = NULL;
    struct error error = {0};
    return authorization_session_answer(fixture_broker, &answer, on_end, login, &session, &error);
}

static void expect_forgotten(const struct authorization_session *session)
{
    static const char nothing[RANDOM_TOKEN_SIZE];
    const char *const secrets[] = {session->ticket, session->state_text, session->verifier, session->cookie};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        cr_expect_arr_eq(secrets[i], nothing, sizeof nothing, "secret %zu", i);
    cr_expect_null(authorization_session_url(session));
    cr_expect_null(session->connection, "it holds the client's secret");
    cr_expect_null(session->code);
    cr_expect_null(session->callback);
}

Test(authorization_session, a_login_by_browser_brings_the_tokens)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    cr_assert_eq(
        answer_with(&login, "/callback/mail", "code=the-code&iss=https%3A%2F%2Fas.example.com", login.cookies, NULL),
        OK);
    const char *body = fixture_request_body();
    cr_expect_not_null(strstr(body, "code=the-code"), "%s", body);
    cr_expect_not_null(strstr(body, "code_verifier="));
    cr_expect_not_null(strstr(body, "redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback"), "%s", body);
    cr_expect_eq(login.told, 0);
    fixture_reply(200, "{\"access_token\":\"at-1\",\"expires_in\":3600,\"refresh_token\":\"rt-1\"}");
    fixture_run_store();
    cr_expect_eq(login.told, 1);
    cr_expect_eq(login.end, SESSION_COMPLETED);
    expect_forgotten(login.session);
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=the-code", login.cookies, NULL), ERR_NOT_FOUND,
                 "a state works once");
    login_finish(&login);
}

Test(authorization_session, refuses_answers_that_are_not_this_browsers)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", NULL, NULL), ERR_DENIED);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", "other=1", NULL), ERR_DENIED);
    char wrong[256];
    snprintf(wrong, sizeof wrong, "%s=%.42sX", login.cookie_name, login.cookie);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", wrong, NULL), ERR_DENIED);
    cr_expect_eq(answer_with(&login, "/other", "code=c", login.cookies, NULL), ERR_NOT_FOUND);
    login.state[5] ^= 1;
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), ERR_NOT_FOUND);
    login.state[5] ^= 1;
    cr_expect_eq(fixture_sent, 0);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK,
                 "none of these spoilt the login");
    login_finish(&login);
}

Test(authorization_session, refuses_another_issuer_and_sends_no_code)
{
    static const char *const issuers[] = {"iss=https%3A%2F%2Fevil.example",
                                          "iss=https%3A%2F%2Fas.example.com.evil.example",
                                          "iss=http%3A%2F%2Fas.example.com", "iss=as.example.com", "iss="};
    for (size_t i = 0; i < sizeof issuers / sizeof *issuers; i++) {
        struct login login = {0};
        begin(&login);
        take_up(&login);
        char parameters[128];
        snprintf(parameters, sizeof parameters, "code=c&%s", issuers[i]);
        cr_expect_eq(answer_with(&login, "/callback/mail", parameters, login.cookies, NULL), ERR_DENIED, "%s",
                     issuers[i]);
        cr_expect_eq(authorization_session_state(login.session), SESSION_FAILED);
        expect_forgotten(login.session);
        login_finish(&login);
    }
    cr_expect_eq(fixture_sent, 0);
}

Test(authorization_session, a_parameter_that_stands_twice_is_refused)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=a&code=b", login.cookies, NULL), ERR_INVALID);
    cr_expect_eq(answer_with(&login, "/callback/mail", "scope=x", login.cookies, NULL), ERR_INVALID,
                 "neither code nor error");
    cr_expect_eq(fixture_sent, 0);
    login_finish(&login);
}

Test(authorization_session, a_refusal_at_the_provider_ends_the_login_in_plain_words)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    cr_expect_eq(answer_with(&login, "/callback/mail", "error=access_denied", login.cookies, NULL), OK);
    cr_expect_eq(login.end, SESSION_FAILED);
    cr_expect_not_null(strstr(authorization_session_message(login.session), "declined"));
    login_finish(&login);
}

/* It is logged and shown to operators; the person's page has the words as they came. */
Test(authorization_session, a_secret_in_a_refusal_is_not_repeated)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    cr_assert_eq(answer_with(&login, "/callback/mail", "error=very-secret&error_description=of+very%2Dsecret",
                             login.cookies, NULL),
                 OK);
    cr_expect_eq(login.end, SESSION_FAILED);
    cr_expect_null(strstr(authorization_session_message(login.session), "very-secret"), "%s",
                   authorization_session_message(login.session));
    login_finish(&login);
}

/* One login of "mail", beside an iClient of another server. NULL: a member that it does not have. */
static const struct {
    const char *issuer, *redirect_uri, *other_issuer, *other_redirect_uri;
    const char *path, *parameters;
    enum status status;
} mix_ups[] = {
    /* each its own redirect URI: the path says whose answer it is */
    {NULL, NULL, NULL, NULL, "/callback/mail", "code=c", OK},
    {NULL, NULL, NULL, NULL, "/callback/other", "code=c", ERR_NOT_FOUND},
    {"https://as.example.com", NULL, NULL, NULL, "/callback/mail", "code=c", OK},
    /* one for both: iss has to say it */
    {NULL, "/shared", NULL, "/shared", "/shared", "code=c", ERR_DENIED},
    {NULL, "/shared", "https://other.example", "/shared", "/shared", "code=c", ERR_DENIED},
    {"https://as.example.com", "/shared", NULL, "/shared", "/shared", "code=c", ERR_DENIED},
    {"https://as.example.com", "/shared", NULL, "/shared", "/shared", "code=c&iss=https://as.example.com", OK},
    {"https://as.example.com", "/shared", NULL, "/shared", "/shared", "code=c&iss=https://other.example", ERR_DENIED},
    {NULL, "/shared", NULL, "/shared", "/shared", "code=c&iss=https://as.example.com", OK},
    {NULL, "/callback/other", NULL, NULL, "/callback/other", "code=c", ERR_DENIED},
    /* an error brings no code */
    {NULL, "/shared", NULL, "/shared", "/shared", "error=access_denied", OK},
    /* RFC 9207 §2.4: exactly, whatever host it is on */
    {"https://as.example.com/a", NULL, NULL, NULL, "/callback/mail", "code=c&iss=https://as.example.com/a", OK},
    {"https://as.example.com/a", NULL, NULL, NULL, "/callback/mail", "code=c&iss=https://as.example.com/b", ERR_DENIED},
    {"https://as.example.com/a", NULL, NULL, NULL, "/callback/mail", "code=c&iss=https://as.example.com/a/",
     ERR_DENIED},
    {"https://as.example.com/a", NULL, NULL, NULL, "/callback/mail", "code=c&iss=https://AS.example.com/a", ERR_DENIED},
    {"https://as.example.com/a", NULL, NULL, NULL, "/callback/mail", "code=c&iss=", ERR_DENIED},
    {"https://login.example", NULL, NULL, NULL, "/callback/mail", "code=c&iss=https://login.example", OK},
    {"https://login.example", NULL, NULL, NULL, "/callback/mail", "code=c&iss=https://as.example.com", ERR_DENIED},
    {"https://login.example/{{iClient.name}}", NULL, NULL, NULL, "/callback/mail",
     "code=c&iss=https://login.example/mail", OK},
    /* not set: no other iClient's issuer, be it on the same host */
    {NULL, "/shared", "https://as.example.com/b", "/shared", "/shared", "code=c&iss=https://as.example.com/b",
     ERR_DENIED},
    {NULL, "/shared", "https://as.example.com/b", "/shared", "/shared", "code=c&iss=https://as.example.com/a", OK},
};

static char *document_of(const char *name, const char *host, const char *issuer, const char *path)
{
    json_t *document =
        json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:s*,s:o*,s:{s:o},s:{s:o}}}", "name", name, "provider", "custom_oauth2",
                  "oauth2", "grantType", "authorizecode", "clientId", "id", "clientSecret", "very-secret", "issuer",
                  issuer, "redirectUri", path ? json_sprintf("http://127.0.0.1:8085%s", path) : NULL, "auth", "uri",
                  json_sprintf("https://%s/authorize", host), "token", "uri", json_sprintf("https://%s/token", host));
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    return text;
}

Test(authorization_session, another_servers_answer_is_told_apart)
{
    for (size_t i = 0; i < sizeof mix_ups / sizeof *mix_ups; i++) {
        AUTO_TEXT mail = document_of("mail", "as.example.com", mix_ups[i].issuer, mix_ups[i].redirect_uri);
        AUTO_TEXT other = document_of("other", "other.example", mix_ups[i].other_issuer, mix_ups[i].other_redirect_uri);
        const char *const iclients[] = {mail, other};
        struct login login = {0};
        fixture_configure(iclients, 2, NULL, 0);
        begin_present(&login);
        take_up(&login);
        enum status status = answer_with(&login, mix_ups[i].path, mix_ups[i].parameters, login.cookies, NULL);
        cr_expect_eq(status, mix_ups[i].status, "row %zu: %s at %s gave %d", i, mix_ups[i].parameters, mix_ups[i].path,
                     (int)status);
        bool is_sent = status == OK && strncmp(mix_ups[i].parameters, "code", 4) == 0;
        cr_expect_eq(fixture_sent, is_sent, "row %zu", i);
        if (is_sent)
            fixture_reply(400, "{\"error\":\"invalid_grant\"}");
        fixture_sent = 0;
        login_finish(&login);
    }
}

Test(authorization_session, a_paste_needs_no_cookie_but_the_right_connection)
{
    static const char *const iclients[] = {CODE_ICLIENT("mail"), CODE_ICLIENT("files")};
    struct login login = {0};
    begin(&login);
    fixture_configure(iclients, 2, NULL, 0);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", NULL, fixture_entry("files")), ERR_NOT_FOUND);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", NULL, fixture_entry("mail")), OK);
    cr_expect_eq(fixture_sent, 1);
}

Test(authorization_session, expires_after_ten_minutes)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    fixture_pass(AUTHORIZATION_SESSION_SECONDS);
    cr_expect_eq(authorization_session_state(login.session), SESSION_EXPIRED);
    const char *message = authorization_session_message(login.session);
    cr_expect_not_null(strstr(message, "register http://127.0.0.1:8085/callback/mail there"), "%s", message);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), ERR_NOT_FOUND);
    fixture_pass(AUTHORIZATION_SESSION_SECONDS);
    cr_expect_null(authorization_session_latest(fixture_entry("mail")), "and is forgotten in the end");
    cr_expect_eq(fixture_broker->session_count, 0);
    login_finish(&login);
}

Test(authorization_session, a_failed_exchange_keeps_the_tokens_there_were)
{
    struct login login = {0};
    begin(&login);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    take_up(&login);
    cr_assert_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK);
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_eq(login.end, SESSION_FAILED);
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    login_finish(&login);
}

Test(authorization_session, a_code_waits_for_the_refresh_in_flight)
{
    struct login login = {0};
    begin(&login);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now += 100;
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "mail", 30000);
    fixture_run_store();
    take_up(&login);
    cr_assert_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK);
    cr_expect_eq(fixture_sent, 1, "one exchange per connection at a time");
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600}");
    fixture_run_store();
    cr_expect_eq(fixture_sent, 2);
    fixture_reply(200, "{\"access_token\":\"at-3\",\"expires_in\":3600,\"refresh_token\":\"rt-3\"}");
    fixture_run_store();
    cr_expect_eq(login.end, SESSION_COMPLETED);
    cr_expect_str_eq(fixture_access_token("mail"), "at-3");
    login_finish(&login);
}

static void on_revoked(void *context, enum revoke_result result, const char *message)
{
    (void)message;
    *(enum revoke_result *)context = result;
}

/* Else it would forget the login's tokens with its own. */
Test(authorization_session, a_code_waits_for_the_revocation_in_flight)
{
    struct login login = {0};
    struct error error = {0};
    enum revoke_result result = REVOKE_NOTHING;
    begin(&login);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    take_up(&login);
    cr_assert_eq(broker_revoke(fixture_entry("mail"), on_revoked, &result, &error), OK);
    cr_assert_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK);
    cr_expect_eq(fixture_sent, 1);
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_eq(result, REVOKE_CONFIRMED);
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}");
    fixture_run_store();
    cr_expect_eq(login.end, SESSION_COMPLETED);
    cr_expect_str_eq(fixture_access_token("mail"), "at-2");
    cr_expect_not_null(fixture_row(STORE_TOKENS, "default/mail"));
    login_finish(&login);
}

Test(authorization_session, a_grant_without_a_person_has_no_login)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    const struct authorization_session *session = NULL;
    struct error error = {0};
    cr_expect_eq(authorization_session_begin(fixture_broker, fixture_entry("crm"), NULL, &session, &error),
                 ERR_UNSUPPORTED);
}

static enum status begin_again(const char *redirect_uri, struct login *login)
{
    struct error error = {0};
    enum status status =
        authorization_session_begin(fixture_broker, fixture_entry("mail"), redirect_uri, &login->session, &error);
    cr_expect_eq(status == OK, error.message[0] == '\0');
    return status;
}

Test(authorization_session, sends_the_browser_back_to_the_iclients_own_uris_alone)
{
    struct login login = {0};
    fixture_configure_one(CODE_ICLIENT("mail"));
    cr_expect_eq(begin_again("http://127.0.0.1:8085/elsewhere", &login), ERR_INVALID);
    cr_expect_eq(begin_again("https://evil.example/callback", &login), ERR_INVALID);
    cr_expect_eq(begin_again("http://127.0.0.1:8085/callback/mail", &login), OK);
}

Test(authorization_session, a_connection_that_is_switched_off_has_no_login)
{
    static const char *const connection = "{\"name\":\"mail\",\"iClient\":\"server\",\"active\":false}";
    static const char *const iclient = CODE_ICLIENT("server");
    struct login login = {0};
    fixture_configure(&iclient, 1, &connection, 1);
    cr_expect_eq(begin_again(NULL, &login), ERR_CONFLICT);
}

Test(authorization_session, a_second_login_ends_the_first)
{
    struct login first = {0};
    begin(&first);
    take_up(&first);
    struct login second = {0};
    cr_assert_eq(begin_again(NULL, &second), OK);
    cr_expect_eq(authorization_session_state(first.session), SESSION_FAILED);
    cr_expect_eq(answer_with(&first, "/callback/mail", "code=c", first.cookies, NULL), ERR_NOT_FOUND);
    cr_expect_eq(authorization_session_latest(fixture_entry("mail")), second.session);
    cr_expect_eq(authorization_session_entry(second.session), fixture_entry("mail"));
    login_finish(&first);
}

Test(authorization_session, a_login_that_is_being_finished_is_not_pushed_aside)
{
    struct login login = {0}, other = {0};
    begin(&login);
    take_up(&login);
    cr_assert_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK);
    cr_expect_eq(begin_again(NULL, &other), ERR_BUSY);
    fixture_reply(200, "{\"access_token\":\"at-1\",\"refresh_token\":\"rt-1\"}");
    fixture_run_store();
    cr_expect_eq(login.end, SESSION_COMPLETED);
    login_finish(&login);
}

Test(authorization_session, there_is_a_most_of_logins_at_once)
{
    struct login login = {0};
    fixture_configure_one(CODE_ICLIENT("mail"));
    for (int i = 0; i < AUTHORIZATION_SESSIONS_MAX; i++)
        cr_assert_eq(begin_again(NULL, &login), OK);
    cr_expect_eq(begin_again(NULL, &login), ERR_BUSY);
    fixture_pass(AUTHORIZATION_SESSION_SECONDS);
    cr_expect_eq(begin_again(NULL, &login), OK, "those that ended have made room");
}

Test(authorization_session, says_how_long_it_still_waits)
{
    struct login login = {0};
    begin(&login);
    cr_expect_eq(authorization_session_expires_in(login.session), AUTHORIZATION_SESSION_SECONDS);
    fixture_pass(100);
    cr_expect_eq(authorization_session_expires_in(login.session), AUTHORIZATION_SESSION_SECONDS - 100);
    take_up(&login);
    cr_assert_eq(answer_with(&login, "/callback/mail", "error=access_denied", login.cookies, NULL), OK);
    cr_expect_eq(authorization_session_expires_in(login.session), 0, "it has ended");
    login_finish(&login);
}

Test(authorization_session, who_went_away_hears_nothing_and_the_login_goes_on)
{
    struct login login = {0}, stranger = {0};
    begin(&login);
    take_up(&login);
    cr_assert_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK);
    authorization_session_forget_waiter(login.session, &stranger);
    authorization_session_forget_waiter(login.session, &login);
    fixture_reply(200, "{\"access_token\":\"at-1\"}");
    fixture_run_store();
    cr_expect_eq(login.told, 0);
    cr_expect_eq(authorization_session_state(login.session), SESSION_COMPLETED);
    cr_expect_str_eq(fixture_access_token("mail"), "at-1");
    login_finish(&login);
}

Test(authorization_session, an_answer_without_bounds_or_of_bad_encoding_is_refused)
{
    struct login login = {0};
    begin(&login);
    take_up(&login);
    static char query[32 * 1024];
    int length = snprintf(query, sizeof query, "state=%s&code=c&padding=", login.state);
    memset(query + length, 'x', sizeof query - (size_t)length - 1);
    const char *const queries[] = {query, "state=%zz&code=c", "state=a&state=b&code=c"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct authorization_answer answer = {.path = "/callback/mail", .query = queries[i], .cookie = login.cookies};
        const struct authorization_session *session = NULL;
        struct error error = {0};
        cr_expect_eq(authorization_session_answer(fixture_broker, &answer, on_end, &login, &session, &error),
                     ERR_INVALID);
    }
    cr_expect_eq(fixture_sent, 0);
    cr_expect_eq(answer_with(&login, "/callback/mail", "code=c", login.cookies, NULL), OK,
                 "none of these spoilt the login");
    login_finish(&login);
}

/* eBay's RuName stands where the redirect URI stands, but is none. */
Test(authorization_session, a_redirect_name_that_is_no_uri_tells_no_path)
{
    struct login login = {0};
    fixture_configure_one(
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"ebay\":{\"ruName\":\"Ru-Name\"},\"oauth2\":{"
        "\"grantType\":\"authorizecode\"," CREDENTIALS "," ENDPOINTS "}}");
    cr_assert_eq(begin_again(NULL, &login), OK);
    cr_expect_not_null(strstr(authorization_session_url(login.session), "redirect_uri=Ru-Name"));
    strcpy(login.state, login.session->state_text);
    take_up(&login);
    cr_expect_eq(answer_with(&login, "/wherever", "code=c", login.cookies, NULL), OK);
    cr_expect_not_null(strstr(fixture_request_body(), "redirect_uri=Ru-Name"));
    login_finish(&login);
}
