#include "broker/broker_fixture.h"

TestSuite(caller_share, .init = fixture_start, .fini = fixture_finish);

static const char granted[] = "{\"access_token\":\"at-2\",\"expires_in\":3600}";

enum { FEW_PLACES = 20, NAME_SIZE = 24 };

static const char *name_of(size_t number)
{
    static char names[FEW_PLACES + 2][NAME_SIZE];
    snprintf(names[number], NAME_SIZE, "c%zu", number);
    return names[number];
}

/* c0, c1 … of one iClient, and few places for those who ask. */
static void configure_many(size_t count)
{
    static const char *const iclient = CLIENT_CREDENTIALS_ICLIENT("crm");
    char texts[FEW_PLACES + 2][64];
    const char *connections[FEW_PLACES + 2];
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "{\"name\":\"c%zu\",\"iClient\":\"crm\"}", i);
        connections[i] = texts[i];
    }
    fixture_configure(&iclient, 1, connections, count);
    fixture_broker->shares.most = FEW_PLACES;
}

Test(caller_share, one_user_leaves_as_many_waiters_places_as_he_takes)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    fixture_get("crm");
    static struct fixture_caller callers[1000];
    for (size_t i = 0; i < 1000; i++)
        fixture_start_waiting(&callers[i], "crm", 2000);
    struct fixture_caller more = {0};
    cr_expect_eq(fixture_try_to_wait(&more, "crm", 2000), TOKEN_BUSY);
    fixture_uid = 2000;
    static struct fixture_caller others[500];
    for (size_t i = 0; i < 500; i++)
        fixture_start_waiting(&others[i], "crm", 2000);
    cr_expect_eq(fixture_try_to_wait(&more, "crm", 2000), TOKEN_BUSY);
    fixture_uid = 3000;
    cr_expect_eq(fixture_try_to_wait(&more, "crm", 2000), TOKEN_PENDING, "there is room for one more user");
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(more.answer, TOKEN_SERVED);
    cr_expect_eq(fixture_metrics.values[METRIC_WAITERS], 0);
    cr_expect_null(fixture_broker->shares.users, "nobody has a place any more");
}

Test(caller_share, one_user_leaves_as_many_exchanges_as_he_sets_off)
{
    configure_many(FEW_PLACES + 2);
    for (size_t i = 0; i < FEW_PLACES / 2; i++) {
        cr_assert_eq(fixture_get(name_of(i)), TOKEN_PENDING);
    }
    cr_expect_eq(fixture_get("c10"), TOKEN_BUSY);
    cr_expect_eq(fixture_sent, FEW_PLACES / 2);
    fixture_uid = 2000;
    cr_expect_eq(fixture_get("c10"), TOKEN_PENDING);
    cr_expect_eq(fixture_get("c0"), TOKEN_PENDING, "one that is under way already takes no place");
    while (fixture_requests)
        fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_null(fixture_broker->shares.users);
    fixture_uid = 1000;
    cr_expect_eq(fixture_get("c11"), TOKEN_PENDING);
}

Test(caller_share, many_users_are_told_of_overload_and_cached_tokens_are_served)
{
    configure_many(FEW_PLACES + 2);
    fixture_get("c0");
    fixture_reply(200, granted);
    fixture_run_store();
    for (size_t i = 1; i <= FEW_PLACES; i++) {
        fixture_uid = 1000 + (uid_t)i;
        cr_assert_eq(fixture_get(name_of(i)), TOKEN_PENDING);
    }
    fixture_uid = 5000;
    cr_expect_eq(fixture_get("c21"), TOKEN_OVERLOADED);
    cr_expect_eq(fixture_get("c0"), TOKEN_SERVED);
}

Test(caller_share, a_full_queue_of_requests_is_overload_and_soon_over)
{
    configure_many(1);
    fixture_send_status = ERR_BUSY;
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(fixture_get("c0"), TOKEN_OVERLOADED);
        cr_expect_leq(broker_retry_after(fixture_entry("c0"), fixture_now), 3, "no back-off: the provider did nothing");
        fixture_now += 4;
    }
    cr_expect_eq(fixture_sent, 0);
    fixture_send_status = OK;
    cr_expect_eq(fixture_get("c0"), TOKEN_PENDING);
    fixture_reply(200, granted);
    fixture_run_store();
    cr_expect_eq(fixture_get("c0"), TOKEN_SERVED);
}
