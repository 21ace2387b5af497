/* Refreshes that the store cannot note (token_fetch.c): which of them go out, and what is known of them afterwards. */
#include "broker/broker_fixture.h"

TestSuite(token_fetch_unnoted, .init = fixture_start, .fini = fixture_finish);

static const char granted[] = "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}";

static void expire(const char *name)
{
    fixture_now = fixture_entry(name)->tokens->expires_at + 1;
}

/* A login of which the store has the tokens: as after a restart. */
static void begin_with(const char *iclient, enum token_rotation rotation)
{
    fixture_configure_one(iclient);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_entry("mail")->tokens->rotation = rotation;
    fixture_store_fails = true;
}

/* ---- while the present token is valid ---- */

enum wish { WISH_REFRESH, WISH_MIN_TTL, WISH_REPORT };

static void wish_for(enum wish wish, struct fixture_caller *caller)
{
    struct token_entry *entry = fixture_entry("mail");
    if (wish == WISH_REFRESH) {
        cr_expect_eq(fixture_refresh(caller, "mail", 30000), TOKEN_PENDING);
        return;
    }
    int64_t min_ttl = wish == WISH_MIN_TTL ? 3600 : 0;
    if (wish == WISH_REPORT)
        fixture_report("mail", entry->generation, 401);
    cr_expect_eq(broker_get(entry, fixture_uid, min_ttl, fixture_now), TOKEN_PENDING);
    cr_expect_eq(broker_wait(entry, fixture_uid, min_ttl, 30000, fixture_on_answer, caller, &caller->waiter),
                 TOKEN_PENDING);
}

Test(token_fetch_unnoted, whoever_wants_another_token_is_refused_and_nothing_is_sent)
{
    begin_with(CODE_ICLIENT("mail"), TOKEN_ROTATION_KEPT);
    fixture_now += 1000;
    for (enum wish wish = WISH_REFRESH; wish <= WISH_REPORT; wish++) {
        struct fixture_caller caller = {0};
        wish_for(wish, &caller);
        fixture_run_store();
        cr_expect_eq(caller.answers, 1);
        cr_expect_eq(caller.answer, TOKEN_STORE_UNAVAILABLE, "wish %d", (int)wish);
        cr_expect_eq(fixture_sent, 0, "wish %d", (int)wish);
        cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_STORE_UNAVAILABLE);
        cr_expect_str_eq(fixture_entry("mail")->trouble->code, "store_unavailable");
        cr_expect(broker_retry_after(fixture_entry("mail"), fixture_now) > 0);
        cr_expect_eq(broker_get(fixture_entry("mail"), fixture_uid + 1, 0, fixture_now), TOKEN_SERVED, "wish %d",
                     (int)wish);
        fixture_now += 31;
    }
    cr_expect_eq(fixture_metrics.values[METRIC_STORE_PENDING], 0, "nothing happened that would have to be saved");
}

Test(token_fetch_unnoted, a_short_token_is_no_answer_to_min_ttl_while_the_pause_lasts)
{
    begin_with(CODE_ICLIENT("mail"), TOKEN_ROTATION_UNKNOWN);
    fixture_now += 1000;
    struct fixture_caller caller = {0};
    wish_for(WISH_MIN_TTL, &caller);
    fixture_run_store();
    cr_expect_eq(broker_get(fixture_entry("mail"), fixture_uid, 3600, fixture_now), TOKEN_STORE_UNAVAILABLE);
    cr_expect_null(fixture_held, "the store is left alone meanwhile");
    cr_expect_eq(broker_get(fixture_entry("mail"), fixture_uid, 60, fixture_now), TOKEN_SERVED);
    cr_expect_str_eq(token_entry_stale_reason(fixture_entry("mail")), "store_unavailable");
}

Test(token_fetch_unnoted, what_was_kept_back_goes_out_once_the_store_works)
{
    for (enum wish wish = WISH_REFRESH; wish <= WISH_REPORT; wish++) {
        begin_with(CODE_ICLIENT("mail"), TOKEN_ROTATION_UNKNOWN);
        fixture_now += 1000;
        struct fixture_caller caller = {0};
        unsigned sent = fixture_sent;
        wish_for(wish, &caller);
        fixture_run_store();
        fixture_store_fails = false;
        fixture_pass(31);
        fixture_run_store();
        cr_assert_eq(fixture_sent, sent + 1, "wish %d", (int)wish);
        cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"));
        fixture_reply(200, granted);
        fixture_run_store();
        cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
        cr_expect_null(token_entry_stale_reason(fixture_entry("mail")));
        cr_expect_null(fixture_row(STORE_JOURNAL, "default/mail"));
    }
}

/* ---- without one ---- */

Test(token_fetch_unnoted, a_refresh_for_nobody_goes_out_only_where_the_refresh_token_is_kept)
{
    static const struct {
        enum token_rotation rotation;
        unsigned sent;
    } cases[] = {{TOKEN_ROTATION_UNKNOWN, 0}, {TOKEN_ROTATION_REPLACED, 0}, {TOKEN_ROTATION_KEPT, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_with(CODE_ICLIENT("mail"), cases[i].rotation);
        unsigned sent = fixture_sent;
        fixture_pass(3601);
        fixture_run_store();
        cr_expect_eq(fixture_sent, sent + cases[i].sent, "rotation %d", (int)cases[i].rotation);
        fixture_finish();
        while (fixture_requests)
            http_exchange_cancel(fixture_requests);
        fixture_start();
    }
}

Test(token_fetch_unnoted, who_cannot_be_served_otherwise_gets_the_refresh_and_it_is_told)
{
    begin_with(CODE_ICLIENT("mail"), TOKEN_ROTATION_UNKNOWN);
    fixture_pass(3601);
    fixture_run_store();
    cr_assert_eq(fixture_sent, 0, "nobody asks");
    cr_expect_eq(fixture_get("mail"), TOKEN_PENDING, "the pause is not the caller's");
    fixture_run_store();
    cr_expect_eq(fixture_sent, 1);
    cr_expect(token_entry_is_unsaved(fixture_entry("mail")));
    cr_expect_eq(fixture_metrics.values[METRIC_STORE_PENDING], 1);
    fixture_store_fails = false;
    fixture_pass(2);
    fixture_run_store();
    cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"), "noted while it is in flight");
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_null(fixture_row(STORE_JOURNAL, "default/mail"));
    cr_expect_not(token_entry_is_unsaved(fixture_entry("mail")));
    cr_expect_eq(fixture_metrics.values[METRIC_STORE_PENDING], 0);
}

Test(token_fetch_unnoted, who_joins_a_refresh_for_nobody_is_somebody)
{
    begin_with(CODE_ICLIENT("mail"), TOKEN_ROTATION_UNKNOWN);
    fixture_pass(3601);
    struct fixture_caller caller = {0};
    cr_expect_eq(fixture_get("mail"), TOKEN_PENDING);
    fixture_start_waiting(&caller, "mail", 30000);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 1);
}

Test(token_fetch_unnoted, a_grant_that_needs_nobody_is_used_instead_of_the_refresh_token)
{
    begin_with(CLIENT_CREDENTIALS_ICLIENT("mail"), TOKEN_ROTATION_REPLACED);
    expire("mail");
    cr_expect_eq(fixture_get("mail"), TOKEN_PENDING);
    fixture_run_store();
    cr_expect_not_null(strstr(fixture_request_body(), "grant_type=client_credentials"));
    cr_expect_eq(fixture_metrics.values[METRIC_STORE_PENDING], 0, "no refresh token is at stake");
}

/* ---- after a restart ---- */

static void restart(void)
{
    fixture_kill();
    while (fixture_requests)
        http_exchange_cancel(fixture_requests);
    fixture_start();
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_load();
}

/* The answer of the refresh got lost; the store works again before the daemon ends. */
Test(token_fetch_unnoted, a_loss_is_rotation_ambiguous_after_a_restart)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_store_fails = true;
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    cr_assert_eq(fixture_sent, 1);
    fixture_no_reply(true);
    fixture_run_store();
    cr_expect(token_entry_is_unsaved(fixture_entry("mail")));
    fixture_store_fails = false;
    fixture_pass(60);
    fixture_run_store();
    cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"));
    restart();
    cr_expect_eq(fixture_get("mail"), TOKEN_PENDING);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_run_store();
    cr_expect_str_eq(fixture_entry("mail")->trouble->code, "rotation_ambiguous");
}

/* A refusal stays one, though it was never noted: the refresh token is not sent again after a restart. */
Test(token_fetch_unnoted, a_refusal_is_saved_with_its_reason)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_store_fails = true;
    expire("mail");
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_run_store();
    fixture_store_fails = false;
    fixture_pass(60);
    fixture_run_store();
    cr_expect_null(fixture_row(STORE_JOURNAL, "default/mail"));
    restart();
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(fixture_entry("mail")->trouble->code, "invalid_grant");
}
