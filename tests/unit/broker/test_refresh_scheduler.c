#include <criterion/criterion.h>

#include "broker/refresh_scheduler.h"

Test(refresh_scheduler, leaves_the_margin_of_the_design_before_expiry)
{
    static const struct {
        int64_t lifetime;
        int64_t margin; /* min(max(300, 20 %), half) */
    } cases[] = {{60, 30}, {600, 300}, {900, 300}, {1500, 300}, {3600, 720}, {86400, 17280}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t expires_at = 1000000 + cases[i].lifetime;
        cr_expect_eq(refresh_scheduler_moment(1000000, expires_at, 0.5), expires_at - cases[i].margin,
                     "lifetime %ld", (long)cases[i].lifetime);
    }
}

Test(refresh_scheduler, spreads_by_ten_percent_of_the_margin)
{
    cr_expect_eq(refresh_scheduler_moment(0, 3600, 0.0), 3600 - 648);
    cr_expect_geq(refresh_scheduler_moment(0, 3600, 0.999999), 3600 - 792);
    cr_expect_lt(refresh_scheduler_moment(0, 3600, 0.999999), 3600 - 780);
}

Test(refresh_scheduler, never_refreshes_what_never_expires)
{
    cr_expect_eq(refresh_scheduler_moment(1000, 0, 0.5), 0);
}

Test(refresh_scheduler, a_lifetime_of_nothing_is_due_at_its_end)
{
    cr_expect_eq(refresh_scheduler_moment(1000, 1000, 0.5), 1000);
    cr_expect_eq(refresh_scheduler_moment(1000, 900, 0.5), 900);
}
