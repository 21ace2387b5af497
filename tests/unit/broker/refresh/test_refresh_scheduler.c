#include "broker/broker_fixture.h"

#include "broker/refresh/refresh_moment.h"
#include "broker/refresh/refresh_scheduler.h"

Test(refresh_scheduler, leaves_the_margin_of_the_design_before_expiry)
{
    static const struct {
        int64_t lifetime;
        int64_t margin; /* min(max(300, 20 %), half) */
    } cases[] = {{60, 30}, {600, 300}, {900, 300}, {1500, 300}, {3600, 720}, {86400, 17280}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t expires_at = 1000000 + cases[i].lifetime;
        cr_expect_eq(refresh_moment_of(1000000, expires_at, 0.5), expires_at - cases[i].margin, "lifetime %ld",
                     (long)cases[i].lifetime);
    }
}

Test(refresh_scheduler, spreads_by_ten_percent_of_the_margin)
{
    cr_expect_eq(refresh_moment_of(0, 3600, 0.0), 3600 - 648);
    cr_expect_geq(refresh_moment_of(0, 3600, 0.999999), 3600 - 792);
    cr_expect_lt(refresh_moment_of(0, 3600, 0.999999), 3600 - 780);
}

Test(refresh_scheduler, never_refreshes_what_never_expires)
{
    cr_expect_eq(refresh_moment_of(1000, 0, 0.5), 0);
}

Test(refresh_scheduler, never_refreshes_ahead_what_has_no_lifetime)
{
    cr_expect_eq(refresh_moment_of(1000, 1000, 0.5), 0);
    cr_expect_eq(refresh_moment_of(1000, 900, 0.5), 0);
}

/* ---- the loop is left alone ---- */

/* A timer that is due again as soon as it ran would keep a processor busy. */
static void require_quiet_loop(void)
{
    unsigned runs = 0;
    while (runs < 100 && fixture_run_due_timer())
        runs++;
    cr_expect_lt(runs, 100, "timers are due without end");
}

static void age_into_back_off(int64_t refresh_lifetime)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct token_entry *entry = fixture_entry("mail");
    entry->tokens->refresh_expires_at = refresh_lifetime ? fixture_now + refresh_lifetime : 0;
    fixture_now += 3590;
    fixture_run_timers();
    fixture_run_store();
    fixture_now += 20;
    struct http_client_result result = {
        .status = OK, .http_status = 503, .retry_after = "120", .body = "", .content_type = "text/plain"};
    fixture_finish_request(&result);
    fixture_run_store();
}

Test(refresh_scheduler, a_refresh_token_that_ended_meanwhile_is_not_waited_for, .init = fixture_start,
     .fini = fixture_finish)
{
    age_into_back_off(3600);
    require_quiet_loop();
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_eq(fixture_sent, 1);
}

Test(refresh_scheduler, a_back_off_is_waited_for_at_rest, .init = fixture_start, .fini = fixture_finish)
{
    age_into_back_off(0);
    require_quiet_loop();
    cr_expect_eq(fixture_sent, 1);
    fixture_now += 150;
    require_quiet_loop();
    fixture_run_store();
    cr_expect_eq(fixture_sent, 2);
}

static void on_revoked(void *context, enum revoke_result result, const char *message)
{
    (void)message;
    *(enum revoke_result *)context = result;
}

Test(refresh_scheduler, a_revocation_is_waited_for_at_rest, .init = fixture_start, .fini = fixture_finish)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    enum revoke_result result = REVOKE_NOTHING;
    struct error error;
    cr_assert_eq(broker_revoke(fixture_entry("mail"), on_revoked, &result, &error), OK);
    fixture_now += 3500;
    require_quiet_loop();
    fixture_no_reply(true);
    cr_assert_eq(result, REVOKE_UNREACHED);
    require_quiet_loop();
    cr_expect(token_entry_is_refreshing(fixture_entry("mail")), "what the revocation held up goes on");
}

Test(refresh_scheduler, the_end_of_the_process_is_waited_for_at_rest, .init = fixture_start, .fini = fixture_finish)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    bool is_drained = false;
    broker_drain(fixture_broker, fixture_on_loaded, &is_drained);
    fixture_now += 3500;
    require_quiet_loop();
    cr_expect_eq(fixture_broker->fetch_count, 0);
}

Test(refresh_scheduler, a_token_without_a_lifetime_is_fetched_when_asked_for, .init = fixture_start,
     .fini = fixture_finish)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
    fixture_reply(200, "{\"access_token\":\"at-1\",\"expires_in\":0}");
    fixture_run_store();
    require_quiet_loop();
    cr_expect_eq(fixture_get("crm"), TOKEN_SERVED, "within its second it serves everybody");
    cr_expect_eq(broker_get(fixture_entry("crm"), fixture_uid, 60, fixture_now), TOKEN_SERVED_SHORT,
                 "no exchange would bring more");
    fixture_pass(1);
    cr_expect_eq(fixture_sent, 1);
    cr_expect_eq(fixture_get("crm"), TOKEN_PENDING);
    cr_expect_eq(fixture_sent, 2);
}

Test(refresh_scheduler, the_end_of_a_token_that_nobody_can_renew_is_noticed_on_demand_too, .init = fixture_start,
     .fini = fixture_finish)
{
    const char *iclients[] = {CODE_ICLIENT("mail")};
    const char *connections[] = {"{\"name\":\"box\",\"iClient\":\"mail\",\"refresh\":\"onDemand\"}"};
    fixture_configure(iclients, 1, connections, 1);
    fixture_store_tokens("box", "at-1", NULL, 3600);
    fixture_pass(3601);
    cr_expect_eq(fixture_entry("box")->state, ENTRY_AUTHORIZATION_REQUIRED);
}
