#include "broker/broker_fixture.h"

TestSuite(token_fetch, .init = fixture_start, .fini = fixture_finish);

static const char granted[] =
    "{\"access_token\":\"at-2\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}";

static void expire(const char *name)
{
    fixture_now = fixture_entry(name)->tokens->expires_at + 1;
}

Test(token_fetch, a_thousand_callers_make_one_request)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    static struct fixture_caller callers[1000];
    for (size_t i = 0; i < 1000; i++) {
        cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
        fixture_start_waiting(&callers[i], "crm", 30000);
    }
    cr_expect_eq(fixture_sent, 1);
    fixture_reply(200, granted);
    fixture_run_store();
    for (size_t i = 0; i < 1000; i++) {
        cr_assert_eq(callers[i].answers, 1);
        cr_assert_eq(callers[i].answer, TOKEN_SERVED);
    }
    cr_expect_eq(fixture_sent, 1);
}

Test(token_fetch, a_failure_is_shared_by_its_waiters)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    struct fixture_caller callers[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        fixture_get("crm");
        fixture_start_waiting(&callers[i], "crm", 30000);
    }
    fixture_reply(503, "");
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(callers[i].answer, TOKEN_PROVIDER_UNAVAILABLE);
    cr_expect_eq(fixture_get("crm"), TOKEN_PROVIDER_UNAVAILABLE, "backing off: no second request at once");
    cr_expect_eq(fixture_sent, 1);
    fixture_pass(301);
    cr_expect_eq(fixture_get("crm"), TOKEN_PENDING);
    cr_expect_eq(fixture_sent, 2);
}

Test(token_fetch, notes_a_refresh_durably_before_it_sends)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    cr_assert_eq(fixture_get("mail"), TOKEN_PENDING);
    cr_expect_eq(fixture_sent, 0, "nothing is sent before the journal is durable");
    fixture_run_store();
    cr_expect_eq(fixture_sent, 1);
    cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"));
    cr_expect_not_null(strstr(fixture_request_body(), "refresh_token=rt-1"));
}

Test(token_fetch, commits_the_new_pair_before_it_is_served)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    struct fixture_caller caller = {0};
    fixture_get("mail");
    fixture_start_waiting(&caller, "mail", 30000);
    fixture_run_store();
    fixture_reply(200, granted);
    cr_expect_eq(caller.answers, 0, "not before the commit");
    cr_expect_str_eq(fixture_access_token("mail"), "at-1");
    fixture_run_store();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
    cr_expect_str_eq(fixture_access_token("mail"), "at-2");
    cr_expect_null(fixture_row(STORE_JOURNAL, "default/mail"), "the journal ends with the commit");
    cr_expect_not_null(strstr(secret_reveal(fixture_row(STORE_TOKENS, "default/mail")->value), "rt-2"));
}

Test(token_fetch, serves_and_keeps_saving_when_the_commit_fails)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    struct fixture_caller caller = {0};
    fixture_get("mail");
    fixture_start_waiting(&caller, "mail", 30000);
    fixture_run_store();
    fixture_store_fails = true;
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
    cr_expect(token_entry_is_unsaved(fixture_entry("mail")));
    cr_expect_eq(fixture_metrics.values[METRIC_STORE_PENDING], 1);
    fixture_pass(1);
    fixture_run_store();
    cr_expect(token_entry_is_unsaved(fixture_entry("mail")), "still failing");
    fixture_store_fails = false;
    fixture_pass(60);
    fixture_run_store();
    cr_expect_not(token_entry_is_unsaved(fixture_entry("mail")));
    cr_expect_eq(fixture_metrics.values[METRIC_STORE_PENDING], 0);
    cr_expect_not_null(strstr(secret_reveal(fixture_row(STORE_TOKENS, "default/mail")->value), "rt-2"));
}

Test(token_fetch, a_background_refresh_waits_for_a_store_that_cannot_note_it)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now = fixture_entry("mail")->refresh_after;
    fixture_store_fails = true;
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 0, "the refresh token is not risked while the access token lives");
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    cr_expect_eq(fixture_sent, 1, "without a token, serving goes first");
}

Test(token_fetch, silence_about_the_refresh_token_keeps_the_old_one)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600}");
    fixture_run_store();
    cr_expect_str_eq(secret_reveal(token_entry_tokens(fixture_entry("mail"))->refresh_token), "rt-1");
}

Test(token_fetch, a_refused_refresh_token_needs_a_login_and_is_not_sent_again)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "invalid_grant");
    fixture_pass(100000);
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_eq(fixture_sent, 1);
}

Test(token_fetch, an_unclear_refresh_that_is_then_refused_is_ambiguous)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_no_reply(true);
    fixture_run_store();
    cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"), "the journal stays open");
    fixture_pass(301);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "rotation_ambiguous");
    cr_expect_eq(fixture_metrics.values[METRIC_ROTATIONS_AMBIGUOUS], 1);
}

Test(token_fetch, a_refresh_that_never_went_out_is_not_ambiguous)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_no_reply(false);
    fixture_run_store();
    cr_expect_null(fixture_row(STORE_JOURNAL, "default/mail"));
    fixture_pass(301);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "invalid_grant");
}

Test(token_fetch, an_unattended_grant_runs_again_when_its_refresh_token_is_refused)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    fixture_store_tokens("crm", "at-1", "rt-1", 3600);
    expire("crm");
    struct fixture_caller caller = {0};
    fixture_get("crm");
    fixture_start_waiting(&caller, "crm", 30000);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_eq(caller.answers, 0);
    cr_expect_not_null(strstr(fixture_request_body(), "grant_type=client_credentials"));
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
}

Test(token_fetch, a_refused_client_stops_all_its_connections_until_one_is_accepted)
{
    static const char *const iclients[] = {CLIENT_CREDENTIALS_ICLIENT("crm")};
    static const char *const connections[] = {"{\"name\":\"one\",\"iClient\":\"crm\"}",
                                              "{\"name\":\"two\",\"iClient\":\"crm\"}"};
    fixture_configure(iclients, 1, connections, 2);
    fixture_get("one");
    fixture_reply(401, "{\"error\":\"invalid_client\"}");
    cr_expect_eq(fixture_get("one"), TOKEN_CLIENT_REJECTED);
    cr_expect_eq(fixture_get("two"), TOKEN_CLIENT_REJECTED);
    cr_expect_eq(fixture_sent, 1, "the second connection does not knock");
    fixture_pass(3601);
    cr_expect_eq(fixture_get("one"), TOKEN_PENDING, "one slow probe");
    cr_expect_eq(fixture_get("two"), TOKEN_CLIENT_REJECTED, "and only one");
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(fixture_get("one"), TOKEN_SERVED);
    cr_expect_eq(fixture_get("two"), TOKEN_PENDING, "accepted again: nobody waits for a probe of his own");
}

Test(token_fetch, rubbish_keeps_the_tokens_and_backs_off_slowly)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now = fixture_entry("mail")->refresh_after;
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    fixture_run_store();
    fixture_reply(200, "<html>Sign in</html>");
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED, "the token is still good");
    cr_expect_str_eq(token_entry_stale_reason(fixture_entry("mail")), "provider_error");
    cr_expect_geq(broker_retry_after(fixture_entry("mail"), fixture_now), 29);
    expire("mail");
    fixture_run_timers();
    cr_expect_str_eq(secret_reveal(fixture_entry("mail")->tokens->refresh_token), "rt-1");
}

Test(token_fetch, obeys_retry_after)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    fixture_get("crm");
    struct http_client_result result = {
        .status = OK, .http_status = 429, .retry_after = "120", .body = "", .content_type = "text/plain"};
    fixture_finish_request(&result);
    cr_expect_geq(broker_retry_after(fixture_entry("crm"), fixture_now), 120);
}

Test(token_fetch, refreshes_ahead_in_the_background)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now = fixture_entry("mail")->refresh_after;
    fixture_run_timers();
    fixture_run_store();
    cr_assert_eq(fixture_sent, 1);
    cr_expect(fixture_requests->background);
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_str_eq(fixture_access_token("mail"), "at-2");
    cr_expect_eq(token_entry_tokens(fixture_entry("mail"))->generation, 2);
}

Test(token_fetch, drains_before_the_process_ends)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    expire("mail");
    fixture_get("mail");
    bool drained = false;
    broker_drain(fixture_broker, fixture_on_loaded, &drained);
    cr_expect_not(drained, "a refresh is on its way");
    fixture_run_store();
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect(drained);
}

#define OTHER_ICLIENT(head, grant, rest)                                                                               \
    "{\"name\":\"crm\",\"provider\":\"custom_oauth2\"," head "\"oauth2\":{\"grantType\":\"" grant "\"," CREDENTIALS    \
    "," rest "}}"
#define TOKEN_ENDPOINT "\"token\":{\"uri\":\"https://as.example.com/token\"}"
#define JWT(use)                                                                                                       \
    "\"jwt\":{\"use\":\"" use "\",\"signatureMethod\":\"HS256\",\"secret\":\"0123456789abcdef0123456789abcdef\"},"

Test(token_fetch, asks_with_the_grant_of_the_iclient)
{
    static const struct {
        const char *iclient;
        const char *sent;
    } cases[] = {
        {OTHER_ICLIENT("", "password", "\"username\":\"ann\",\"password\":\"pw\"," TOKEN_ENDPOINT),
         "grant_type=password&username=ann&password=pw"},
        {OTHER_ICLIENT(JWT("assertion"), "jwtbearer", TOKEN_ENDPOINT),
         "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_configure_one(cases[i].iclient);
        cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
        cr_expect_not_null(strstr(fixture_request_body(), cases[i].sent), "%s", fixture_request_body());
        fixture_reply(200, "{\"access_token\":\"at\",\"expires_in\":3600}");
        fixture_run_store();
        cr_expect_eq(fixture_get("crm"), TOKEN_SERVED);
    }
}

Test(token_fetch, a_jwt_that_is_the_token_is_made_here)
{
    fixture_configure_one(OTHER_ICLIENT("\"enableJWT\":true," JWT("accessToken"), "jwtbearer", TOKEN_ENDPOINT));
    fixture_get("crm");
    fixture_run_store();
    cr_assert_eq(fixture_get("crm"), TOKEN_SERVED);
    cr_expect_eq(fixture_sent, 0, "nobody is asked");
    cr_expect_str_eq(strrchr(fixture_access_token("crm"), '.') ? "a JWT" : fixture_access_token("crm"), "a JWT");
    cr_expect_not_null(fixture_row(STORE_TOKENS, "default/crm"));
}

/* Known only when it is rendered: metadata come with a token. */
Test(token_fetch, a_request_that_cannot_be_made_is_told_and_not_sent)
{
    fixture_configure_one(OTHER_ICLIENT(
        "", "clientcredentials",
        "\"responseMetadata\":[\"shop\"],\"tokenParams\":{\"shop\":\"{{{metadata.shop}}}\"}," TOKEN_ENDPOINT));
    cr_expect_eq(fixture_get("crm"), TOKEN_PROVIDER_ERROR);
    const struct entry_trouble *trouble = token_entry_trouble(fixture_entry("crm"));
    cr_assert_not_null(trouble);
    cr_expect_str_eq(trouble->code, "request_not_sent");
    cr_expect_not_null(strstr(trouble->message, "metadata.shop"), "%s", trouble->message);
    cr_expect_eq(fixture_sent, 0);
}

Test(token_fetch, an_ended_token_without_a_refresh_token_needs_a_login)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", NULL, 3600);
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    fixture_now += 3601;
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "token_expired");
    cr_expect_eq(fixture_sent, 0);
}

/* ---- turns ---- */

enum { CROWD_MAX = REFRESH_TURNS + 50 };
static char crowd_texts[CROWD_MAX][128];
static const char *crowd[CROWD_MAX];

static const char *crowd_name(size_t i)
{
    static char name[32];
    snprintf(name, sizeof name, "c%zu", i);
    return name;
}

/* Connections c0, c1, …, all of them with tokens that are due at once. first_iclient: of c0. */
static void configure_crowd(const char *const *iclients, size_t iclient_count, size_t count, const char *first_iclient)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(crowd_texts[i], sizeof crowd_texts[i], "{\"name\":\"%s\",\"iClient\":\"%s\"}", crowd_name(i),
                 i == 0 ? first_iclient : "mail");
        crowd[i] = crowd_texts[i];
    }
    fixture_configure(iclients, iclient_count, crowd, count);
    for (size_t i = count; i-- > 0;)
        fixture_store_tokens(crowd_name(i), "at-1", "rt-1", 600);
    fixture_pass(400);
}

static void grant_until_nobody_asks(void)
{
    for (int i = 0; i < 10; i++) {
        fixture_run_store();
        while (fixture_requests)
            fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600}");
        fixture_run_store();
        fixture_pass(5);
    }
    cr_expect_eq(fixture_broker->fetch_count, 0);
}

Test(token_fetch, refreshes_ahead_begin_a_few_at_a_time, .init = fixture_start, .fini = fixture_finish)
{
    const char *iclients[] = {CODE_ICLIENT("mail"), CODE_ICLIENT("files")};
    configure_crowd(iclients, 2, CROWD_MAX, "files");
    cr_expect_eq(fixture_broker->fetch_count, REFRESH_TURNS + 1, "and another iClient's has its own turns");
    cr_expect(token_entry_is_refreshing(fixture_entry("c0")));
    grant_until_nobody_asks();
    for (size_t i = 0; i < CROWD_MAX; i++)
        cr_expect_str_eq(fixture_access_token(crowd_name(i)), "at-2", "c%zu", i);
}

static size_t first_without_a_turn(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!token_entry_is_refreshing(fixture_entry(crowd_name(i))))
            return i;
    }
    cr_assert_fail("every one has a turn");
    return count;
}

Test(token_fetch, who_needs_no_turn_any_more_leaves_it_to_the_next, .init = fixture_start, .fini = fixture_finish)
{
    enum { CONNECTIONS = REFRESH_TURNS + 3 };
    const char *iclients[] = {CODE_ICLIENT("mail")};
    configure_crowd(iclients, 1, CONNECTIONS, "mail");
    cr_expect_eq(fixture_broker->fetch_count, REFRESH_TURNS);
    size_t gone = first_without_a_turn(CONNECTIONS);
    struct token_entry *entry = fixture_entry(crowd_name(gone));
    memmove(crowd + gone, crowd + gone + 1, (CONNECTIONS - gone - 1) * sizeof *crowd);
    fixture_configure(iclients, 1, crowd, CONNECTIONS - 1);
    grant_until_nobody_asks();
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (i != gone)
            cr_expect_str_eq(fixture_access_token(crowd_name(i)), "at-2", "c%zu", i);
    cr_expect_null(token_entry_tokens(entry));
}

Test(token_fetch, refresh_that_a_caller_began_is_none_ahead, .init = fixture_start, .fini = fixture_finish)
{
    enum { CONNECTIONS = REFRESH_TURNS + 1 };
    const char *iclients[] = {CODE_ICLIENT("mail")};
    configure_crowd(iclients, 1, CONNECTIONS, "mail");
    /* It stands in line, and its turn comes while the caller's exchange runs. */
    struct fixture_caller caller = {0};
    cr_assert_eq(fixture_refresh(&caller, crowd_name(first_without_a_turn(CONNECTIONS)), 1000), TOKEN_PENDING);
    fixture_run_store();
    for (struct http_exchange *request = fixture_requests; request->next; request = fixture_requests)
        fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600}");
    fixture_run_store();
    fixture_run_timers();
    grant_until_nobody_asks();
    cr_expect_eq(fixture_metrics.values[METRIC_REFRESHES_AHEAD], REFRESH_TURNS);
}
