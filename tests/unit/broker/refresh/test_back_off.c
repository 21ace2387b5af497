#include <criterion/criterion.h>

#include "broker/refresh/back_off.h"

static int64_t ceiling(enum back_off kind, unsigned failures)
{
    int64_t most = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t delay = back_off_delay(kind, failures, 0);
        most = delay > most ? delay : most;
    }
    return most;
}

Test(back_off, stays_between_its_bounds)
{
    static const struct {
        enum back_off kind;
        int64_t least, most;
    } cases[] = {{BACK_OFF_TRANSIENT, 1, 300}, {BACK_OFF_BROKEN, 30, 3600}, {BACK_OFF_CLIENT, 60, 3600}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned failures = 1; failures < 100; failures++) {
            int64_t delay = back_off_delay(cases[i].kind, failures, 0);
            cr_assert_geq(delay, cases[i].least);
            cr_assert_leq(delay, cases[i].most);
        }
}

Test(back_off, grows_with_failures)
{
    cr_expect_leq(ceiling(BACK_OFF_TRANSIENT, 1), 2);
    cr_expect_gt(ceiling(BACK_OFF_TRANSIENT, 20), 150);
}

Test(back_off, survives_a_count_without_end)
{
    cr_expect_leq(back_off_delay(BACK_OFF_TRANSIENT, 4000000000u, 0), 300);
}

Test(back_off, obeys_a_longer_retry_after)
{
    cr_expect_geq(back_off_delay(BACK_OFF_TRANSIENT, 1, 1000), 1000);
}
