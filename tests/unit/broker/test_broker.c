#include "broker_fixture.h"

TestSuite(broker, .init = fixture_start, .fini = fixture_finish);

static const char granted[] = "{\"access_token\":\"at-2\",\"expires_in\":3600}";

Test(broker, a_waiter_does_not_outwait_its_time)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    struct fixture_caller caller = {0};
    cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
    fixture_start_waiting(&caller, "crm", 2000);
    fixture_pass(2);
    cr_expect_eq(caller.answer, TOKEN_PROVIDER_UNAVAILABLE);
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(caller.answers, 1);
    cr_expect_eq(fixture_get("crm"), TOKEN_SERVED, "the exchange went on without him");
}

Test(broker, a_cancelled_waiter_hears_nothing)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    struct fixture_caller caller = {0};
    fixture_get("crm");
    fixture_start_waiting(&caller, "crm", 2000);
    token_waiter_cancel(caller.waiter);
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(caller.answers, 0);
}

Test(broker, counts_waiters_against_a_maximum)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    fixture_get("crm");
    static struct fixture_caller callers[2000];
    for (size_t i = 0; i < 2000; i++) {
        fixture_uid = 1000 + (uid_t)i;
        fixture_start_waiting(&callers[i], "crm", 2000);
    }
    struct fixture_caller late = {0};
    cr_expect_eq(fixture_try_to_wait(&late, "crm", 2000), TOKEN_OVERLOADED);
    token_waiter_cancel(callers[0].waiter);
    fixture_uid = 1000;
    cr_expect_eq(fixture_try_to_wait(&late, "crm", 2000), TOKEN_PENDING);
}

Test(broker, min_ttl_waits_only_when_an_exchange_can_help)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 600);
    fixture_now += 100;
    struct token_entry *entry = fixture_entry("mail");
    cr_expect_eq(broker_get(entry, fixture_uid, 500, fixture_now), TOKEN_SERVED);
    cr_expect_eq(broker_get(entry, fixture_uid, 601, fixture_now), TOKEN_SERVED_SHORT,
                 "600 s is all that this provider gives");
    cr_expect_eq(fixture_sent, 0);
    cr_expect_eq(broker_get(entry, fixture_uid, 550, fixture_now), TOKEN_PENDING);
}

Test(broker, an_unmet_min_ttl_says_so_in_the_document)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 600);
    AUTO(secret) text = token_entry_render_short(fixture_entry("mail"), fixture_now);
    AUTO_JSON document = NULL;
    cr_assert_eq(json_read_text(secret_reveal(text), secret_length(text), &document, NULL), OK);
    cr_expect_str_eq(json_read_string(document, "stale_reason"), "min_ttl_unmet");
    cr_expect_eq(json_integer_value(json_object_get(document, "expires_in")), 600);
}

Test(broker, an_outage_serves_what_is_still_valid)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now = fixture_entry("mail")->refresh_after;
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(503, "");
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    const struct token_reply *reply = token_entry_reply(fixture_entry("mail"));
    cr_expect_not_null(strstr(secret_reveal(reply->json), "\"stale_reason\":\"provider_unavailable\""));
}

Test(broker, the_ready_document_is_the_designs)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct token_entry *entry = fixture_entry("mail");
    const struct token_reply *reply = token_entry_reply(entry);
    char text[4096];
    memcpy(text, secret_reveal(reply->json), secret_length(reply->json) + 1);
    token_reply_write_expires_in(entry, fixture_now + 59, text + reply->expires_in_offset);
    AUTO_JSON document = NULL;
    struct error error = {0};
    cr_assert_eq(json_read_text(text, strlen(text), &document, &error), OK, "%s", error.message);
    AUTO_JSON expected = json_pack(
        "{s:s, s:s, s:i, s:I, s:n, s:I, s:i, s:n, s:s, s:s, s:{s:s, s:s, s:s}}", "access_token", "at-1", "token_type",
        "Bearer", "expires_in", 3541, "expires_at", (json_int_t)(fixture_now + 3600), "scope", "refresh_after",
        (json_int_t)entry->refresh_after, "generation", 1, "stale_reason", "connection", "mail", "iclient", "mail",
        "request", "location", "header", "name", "Authorization", "value", "Bearer at-1");
    cr_expect(json_equal(document, expected), "%s", text);
    const struct secret *header = NULL;
    cr_assert_eq(token_entry_header(entry, &header), OK);
    cr_expect_str_eq(secret_reveal(header), "Authorization: Bearer at-1\n");
}

/* ---- reports that an API refused a token ---- */

enum { HONEST = 1000, NOISY = 2000 };

static enum token_answer get_as(uid_t uid)
{
    fixture_uid = uid;
    return fixture_get("mail");
}

/* As a service does it: the report, then the request for a token. */
static enum token_answer report_as(uid_t uid, uint64_t generation)
{
    fixture_uid = uid;
    cr_expect(fixture_report("mail", generation, 401));
    return fixture_get("mail");
}

static void let_refresh_be_granted(void)
{
    fixture_run_store();
    fixture_reply(200, granted);
    fixture_run_store();
}

static void start_with_a_token(void)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
}

/* Refuses each new token until the user's reports are paused; the refreshes that this took. */
static unsigned refuse_until_paused(uid_t uid)
{
    unsigned before = fixture_sent;
    for (unsigned i = 0; i < 50; i++) {
        enum token_answer answer = report_as(uid, fixture_entry("mail")->generation);
        if (answer == TOKEN_REJECTED)
            return fixture_sent - before;
        cr_assert_eq(answer, TOKEN_PENDING);
        let_refresh_be_granted();
    }
    cr_assert_fail("the reports are never paused");
    return 0;
}

static bool stale_reason_is(const char *reason)
{
    const char *actual = token_entry_stale_reason(fixture_entry("mail"));
    return reason ? actual && strcmp(actual, reason) == 0 : !actual;
}

Test(broker, a_rejected_token_is_refreshed_once_however_many_report_it)
{
    start_with_a_token();
    for (uid_t uid = HONEST; uid < HONEST + 10; uid++)
        cr_expect_eq(report_as(uid, 1), TOKEN_PENDING);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 1);
    let_refresh_be_granted();
    for (uid_t uid = HONEST; uid < HONEST + 10; uid++)
        cr_expect_eq(get_as(uid), TOKEN_SERVED);
    cr_expect(fixture_report("mail", 1, 401), "a late report of the old one is an authentication failure");
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED, "but changes nothing");
    cr_expect_eq(fixture_sent, 1);
}

Test(broker, what_is_no_authentication_failure_changes_nothing)
{
    start_with_a_token();
    cr_expect_not(fixture_report("mail", 1, 404));
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect(stale_reason_is(NULL));
}

Test(broker, a_report_takes_the_token_from_the_reporter_alone)
{
    start_with_a_token();
    cr_expect_eq(report_as(NOISY, 1), TOKEN_PENDING);
    cr_expect_eq(get_as(HONEST), TOKEN_SERVED);
    cr_expect(stale_reason_is("token_reported"));
    fixture_run_store();
    fixture_reply(503, "");
    cr_expect_eq(get_as(NOISY), TOKEN_PROVIDER_UNAVAILABLE);
    cr_expect_eq(get_as(HONEST), TOKEN_SERVED, "a refresh that failed costs nobody else the token");
    cr_expect(stale_reason_is("token_reported"));
    fixture_pass(10);
    cr_expect_eq(get_as(NOISY), TOKEN_PENDING);
    let_refresh_be_granted();
    cr_expect_eq(get_as(NOISY), TOKEN_SERVED);
    cr_expect(stale_reason_is(NULL));
}

Test(broker, a_refresh_token_that_is_refused_after_a_report_leaves_others_the_access_token)
{
    start_with_a_token();
    cr_expect_eq(report_as(NOISY, 1), TOKEN_PENDING);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_AUTHORIZATION_REQUIRED);
    cr_expect_eq(get_as(NOISY), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_eq(get_as(HONEST), TOKEN_SERVED);
    fixture_pass(3600);
    cr_expect_eq(get_as(HONEST), TOKEN_AUTHORIZATION_REQUIRED, "as long as it is valid");
}

Test(broker, reports_of_every_token_pause_the_reporter_and_nobody_else)
{
    start_with_a_token();
    cr_expect_eq(refuse_until_paused(NOISY), 4);
    cr_expect_eq(broker_report_pause(fixture_entry("mail"), NOISY), 30);
    cr_expect_eq(get_as(HONEST), TOKEN_SERVED);
    cr_expect(stale_reason_is(NULL), "a report during a pause concerns the reporter alone");
    cr_expect_eq(broker_report_pause(fixture_entry("mail"), HONEST), 0);
    cr_expect_eq(report_as(HONEST, fixture_entry("mail")->generation), TOKEN_PENDING,
                 "the first report of another user counts");
    let_refresh_be_granted();
    cr_expect_eq(get_as(NOISY), TOKEN_SERVED, "a new token is served during the pause, too");
    cr_expect_eq(get_as(HONEST), TOKEN_SERVED);
    cr_expect_eq(fixture_sent, 5);
}

Test(broker, a_pause_ends_in_one_refresh_and_the_next_one_is_longer)
{
    start_with_a_token();
    refuse_until_paused(NOISY);
    fixture_pass(29);
    cr_expect_eq(get_as(NOISY), TOKEN_REJECTED);
    fixture_pass(1);
    cr_expect_eq(get_as(NOISY), TOKEN_PENDING);
    cr_expect(stale_reason_is("token_reported"));
    let_refresh_be_granted();
    cr_expect_eq(refuse_until_paused(NOISY), 0);
    cr_expect_eq(broker_report_pause(fixture_entry("mail"), NOISY), 60);
}

/* Whatever the reporter asks for: a long time to live, no wait, or the same over and over. */
Test(broker, a_day_of_reports_costs_a_bounded_number_of_refreshes)
{
    start_with_a_token();
    int64_t until = fixture_now + 24 * 3600;
    while (fixture_now < until) {
        struct token_entry *entry = fixture_entry("mail");
        fixture_uid = NOISY;
        fixture_report("mail", entry->generation, 401);
        if (broker_get(entry, NOISY, fixture_now % 2 ? 3600 : 0, fixture_now) == TOKEN_PENDING)
            let_refresh_be_granted();
        cr_assert_eq(get_as(HONEST), TOKEN_SERVED);
        fixture_now += 5;
    }
    cr_expect_leq(fixture_sent, 4 + 24 * 6 + 24, "one in ten minutes after the first four");
}

Test(broker, an_expired_token_is_renewed_for_a_paused_reporter_as_for_anybody)
{
    start_with_a_token();
    refuse_until_paused(NOISY);
    fixture_entry("mail")->span.expires_at = fixture_now;
    fixture_pass(1);
    cr_expect_eq(get_as(NOISY), TOKEN_PENDING);
}

Test(broker, an_edit_of_the_configuration_ends_a_pause)
{
    start_with_a_token();
    refuse_until_paused(NOISY);
    fixture_configure_one(CODE_ICLIENT("mail"));
    cr_expect_eq(get_as(NOISY), TOKEN_PENDING);
}

Test(broker, an_operators_refresh_is_not_limited_by_reports)
{
    start_with_a_token();
    refuse_until_paused(NOISY);
    struct fixture_caller caller = {0};
    fixture_uid = NOISY;
    cr_assert_eq(fixture_refresh(&caller, "mail", 30000), TOKEN_PENDING);
    let_refresh_be_granted();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
}

Test(broker, a_min_ttl_of_the_whole_lifetime_costs_no_refresh_a_second)
{
    start_with_a_token();
    struct token_entry *entry = fixture_entry("mail");
    for (int i = 0; i < 3600; i++) {
        if (broker_get(entry, NOISY, 3600, fixture_now) == TOKEN_PENDING)
            let_refresh_be_granted();
        fixture_now++;
    }
    cr_expect_leq(fixture_sent, 60);
}

Test(broker, a_harmless_edit_keeps_the_tokens)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one("{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"description\":\"edited\",\"oauth2\":{"
                          "\"grantType\":\"authorizecode\"," CREDENTIALS "," ENDPOINTS "}}");
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
}

Test(broker, a_changed_client_id_sets_the_tokens_aside_until_it_is_changed_back)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one(
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\","
        "\"clientId\":\"mistyped\",\"clientSecret\":\"very-secret\"," ENDPOINTS "}}");
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "configuration_changed");
    fixture_configure_one(CODE_ICLIENT("mail"));
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
    cr_expect_str_eq(fixture_access_token("mail"), "at-1");
    cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_READY, "and they are refreshed ahead again");
}

Test(broker, an_edit_does_not_make_a_refused_refresh_token_good_again)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now = fixture_entry("mail")->tokens->expires_at + 1;
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_configure_one("{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"description\":\"edited\",\"oauth2\":{"
                          "\"grantType\":\"authorizecode\"," CREDENTIALS "," ENDPOINTS "}}");
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_eq(fixture_sent, 1);
}

Test(broker, a_connection_that_leaves_and_comes_back_keeps_its_tokens)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure(NULL, 0, NULL, 0);
    cr_expect_null(broker_find(fixture_broker, "default", "mail", 4));
    fixture_configure_one(CODE_ICLIENT("mail"));
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
}

Test(broker, an_edit_during_a_refresh_does_not_lose_the_rotated_token)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now = fixture_entry("mail")->tokens->expires_at + 1;
    fixture_get("mail");
    fixture_run_store();
    fixture_configure_one("{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"description\":\"edited\",\"oauth2\":{"
                          "\"grantType\":\"authorizecode\"," CREDENTIALS "," ENDPOINTS "}}");
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}");
    fixture_run_store();
    cr_expect_str_eq(secret_reveal(token_entry_tokens(fixture_entry("mail"))->refresh_token), "rt-2");
}

Test(broker, an_edit_during_a_refresh_does_not_hide_that_its_reply_was_lost)
{
    static const char other[] =
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\","
        "\"clientId\":\"id\",\"clientSecret\":\"other\"," ENDPOINTS "}}";
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now += 3601;
    fixture_get("mail");
    fixture_run_store();
    fixture_configure_one(other);
    fixture_no_reply(true);
    fixture_configure_one(CODE_ICLIENT("mail"));
    cr_assert_eq(fixture_get("mail"), TOKEN_PENDING);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "rotation_ambiguous");
}

Test(broker, inactive_serves_nothing_and_revokes)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one("{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"active\":false,\"oauth2\":{"
                          "\"grantType\":\"authorizecode\"," CREDENTIALS "," ENDPOINTS "}}");
    cr_expect_eq(fixture_get("mail"), TOKEN_INACTIVE);
    cr_expect_not_null(strstr(fixture_request_body(), "token=rt-1"));
    fixture_reply(200, "");
    cr_expect_not_null(strstr(fixture_request_body(), "token=at-1"));
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_null(token_entry_tokens(fixture_entry("mail")));
}

#define SWITCHED_OFF                                                                                                   \
    "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"active\":false,\"oauth2\":{\"grantType\":"                     \
    "\"clientcredentials\"," CREDENTIALS "," ENDPOINTS "}}"

Test(broker, an_exchange_that_fails_after_the_switch_went_off_does_not_turn_it_on)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
    fixture_configure_one(SWITCHED_OFF);
    fixture_reply(503, "");
    fixture_run_store();
    cr_expect_eq(fixture_get("crm"), TOKEN_INACTIVE);
    fixture_pass(301);
    cr_expect_eq(fixture_get("crm"), TOKEN_INACTIVE);
    cr_expect_eq(fixture_sent, 1);
}

Test(broker, a_report_after_the_switch_went_off_does_not_turn_it_on)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    fixture_store_tokens("crm", "at-1", "rt-1", 3600);
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "crm", 1000);
    fixture_run_store();
    fixture_configure_one(SWITCHED_OFF);
    fixture_report("crm", 1, 401);
    cr_expect_eq(token_entry_state(fixture_entry("crm")), ENTRY_INACTIVE);
}

Test(broker, what_an_exchange_brings_after_the_switch_went_off_is_revoked)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
    fixture_configure_one(SWITCHED_OFF);
    fixture_reply(200, "{\"access_token\":\"at-1\",\"expires_in\":3600}");
    fixture_run_store();
    cr_expect_null(token_entry_tokens(fixture_entry("crm")));
    cr_expect_not_null(strstr(fixture_request_body(), "token=at-1"));
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_null(fixture_row(STORE_TOKENS, "default/crm"));
}

Test(broker, an_operators_refresh_ignores_age_and_back_off)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct fixture_caller caller = {0};
    cr_assert_eq(fixture_refresh(&caller, "mail", 30000), TOKEN_PENDING);
    fixture_run_store();
    fixture_reply(503, "");
    cr_expect_eq(caller.answer, TOKEN_PROVIDER_UNAVAILABLE, "the old token is no answer to a forced refresh");
    cr_assert_eq(fixture_refresh(&caller, "mail", 30000), TOKEN_PENDING);
    fixture_run_store();
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
    cr_expect_eq(fixture_sent, 2);
}

Test(broker, an_operators_refresh_without_a_login_says_so)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    struct fixture_caller caller = {0};
    cr_assert_eq(fixture_refresh(&caller, "mail", 30000), TOKEN_PENDING);
    cr_expect_eq(caller.answers, 0, "never from inside the call");
    fixture_run_timers();
    cr_expect_eq(caller.answer, TOKEN_AUTHORIZATION_REQUIRED);
}

static void count_change(void *context)
{
    ++*(int *)context;
}

Test(broker, watchers_hear_of_each_new_token_until_they_cancel)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    int changes = 0;
    struct token_watcher *watcher = token_entry_watch(fixture_entry("crm"), count_change, &changes);
    fixture_get("crm");
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(changes, 1);
    token_watcher_cancel(watcher);
    fixture_now += 3601;
    fixture_get("crm");
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(changes, 1);
}

Test(broker, a_token_of_no_lifetime_still_reaches_those_who_waited)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    struct fixture_caller caller = {0};
    fixture_get("crm");
    fixture_start_waiting(&caller, "crm", 1000);
    fixture_reply(200, "{\"access_token\":\"at\",\"expires_in\":0}");
    fixture_run_store();
    cr_expect_eq(caller.answer, TOKEN_SERVED);
    cr_expect_eq(fixture_sent, 1);
}
