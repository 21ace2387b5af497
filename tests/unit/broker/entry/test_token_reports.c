#include <criterion/criterion.h>

#include "broker/entry/token_reports.h"

static struct token_reports *reports;

static bool add(uid_t uid, uint64_t generation, int64_t now_ms)
{
    return token_reports_add(&reports, uid, generation, now_ms);
}

static void finish(void)
{
    token_reports_destroy(TAKE(reports));
}

TestSuite(token_reports, .fini = finish);

Test(token_reports, nobody_has_refused_anything_at_first)
{
    cr_expect_eq(token_reports_refused(NULL, 1000), 0);
    cr_expect_eq(token_reports_pause(NULL, 1000, 0), 0);
    token_reports_forgive(NULL);
    token_reports_drop_old(&reports, 1, 0);
    cr_expect_null(reports);
}

Test(token_reports, a_refusal_is_the_users_own)
{
    cr_assert(add(1000, 7, 0));
    cr_expect_eq(token_reports_refused(reports, 1000), 7);
    cr_expect_eq(token_reports_refused(reports, 1001), 0);
    cr_assert(add(1000, 6, 0), "an older generation changes nothing");
    cr_expect_eq(token_reports_refused(reports, 1000), 7);
}

/* Each row: one user's reports, each of a new generation, so many seconds apart; the pause after the last one. */
Test(token_reports, the_pause_grows_and_reports_are_forgotten)
{
    static const struct {
        const char *name;
        unsigned reports;
        unsigned seconds_apart;
        int64_t pause_seconds;
    } rows[] = {
        {"one", 1, 0, 0},
        {"four at once", 4, 0, 0},
        {"five at once", 5, 0, 30},
        {"during a pause none counts", 50, 0, 30},
        {"six, the last after a pause", 6, 30, 60},
        {"one each ten minutes", 100, 600, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t now_ms = 0;
        for (unsigned n = 0; n < rows[i].reports; n++) {
            now_ms = (int64_t)n * rows[i].seconds_apart * 1000;
            cr_assert(add(1000, n + 1, now_ms));
        }
        cr_expect_eq(token_reports_pause(reports, 1000, now_ms), rows[i].pause_seconds * 1000, "%s", rows[i].name);
        cr_expect_eq(token_reports_refused(reports, 1000), rows[i].reports, "%s", rows[i].name);
        finish();
    }
}

Test(token_reports, the_same_generation_counts_once)
{
    for (unsigned i = 0; i < 50; i++)
        cr_assert(add(1000, 1, 0));
    cr_expect_eq(token_reports_pause(reports, 1000, 0), 0);
}

Test(token_reports, forgiving_ends_pauses_and_keeps_refusals)
{
    for (uint64_t generation = 1; generation <= 5; generation++)
        add(1000, generation, 0);
    token_reports_forgive(reports);
    cr_expect_eq(token_reports_pause(reports, 1000, 0), 0);
    cr_expect_eq(token_reports_refused(reports, 1000), 5);
}

Test(token_reports, drops_a_user_when_time_has_passed_and_the_generation_is_gone)
{
    cr_assert(add(1000, 1, 0));
    token_reports_drop_old(&reports, 2, REPORT_FORGOTTEN_MS - 1);
    cr_expect_not_null(reports, "the report still counts");
    token_reports_drop_old(&reports, 1, REPORT_FORGOTTEN_MS);
    cr_expect_not_null(reports, "it concerns the present generation");
    token_reports_drop_old(&reports, 2, REPORT_FORGOTTEN_MS);
    cr_expect_null(reports);
}

/* By many users in turn, as somebody with a range of user ids can do it: the budgets are not refilled by that. */
Test(token_reports, a_full_table_gives_nobody_a_fresh_budget)
{
    enum { USERS = 1000 };
    uint64_t generation = 0;
    unsigned refreshes = 0;
    for (unsigned round = 0; round < 20; round++) {
        for (uid_t uid = 0; uid < USERS; uid++) {
            cr_assert(add(uid, ++generation, 0));
            refreshes += token_reports_pause(reports, uid, 0) == 0;
        }
    }
    cr_expect_leq(refreshes, REPORTERS_MAX * REPORTS_AT_ONCE, "%u refreshes", refreshes);
}

Test(token_reports, a_full_table_still_takes_an_honest_first_report)
{
    for (uid_t uid = 0; uid < REPORTERS_MAX; uid++)
        cr_assert(add(uid, 1, 0));
    cr_assert(add(5000, 2, 0));
    cr_expect_eq(token_reports_refused(reports, 5000), 2);
    cr_expect_eq(token_reports_pause(reports, 5000, 0), 0);
}
