#include <criterion/criterion.h>
#include <time.h>

#include "base/clock.h"

Test(clock, wall_is_the_time_of_day)
{
    int64_t before = time(NULL);
    int64_t wall = clock_wall();
    cr_assert_geq(wall, before);
    cr_assert_leq(wall, before + 5);
}

Test(clock, boot_counts_milliseconds_and_never_goes_back)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    int64_t first = clock_boot_ms();
    cr_assert_geq(first, (int64_t)now.tv_sec * 1000);
    cr_assert_leq(first, (int64_t)now.tv_sec * 1000 + 6000);
    cr_assert_geq(clock_boot_ms(), first);
}

Test(clock, format_writes_utc)
{
    static const struct {
        int64_t wall;
        const char *expected;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795000000, "2026-11-18T11:06:40.000Z"},
        {951782400, "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.000Z"},
        {253402300799, "9999-12-31T23:59:59.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.000Z"},
        {-62135596800, "0001-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLOCK_TEXT_SIZE];
        clock_format(cases[i].wall, text);
        cr_assert_str_eq(text, cases[i].expected, "%s", text);
    }
}

Test(clock, parse_reads_iso_8601_which_is_utc_unless_it_says_another_zone)
{
    static const struct {
        const char *text;
        int64_t expected;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-18T11:06:40.000Z", 1795000000},
        {"2026-11-18T12:06:40+01:00", 1795000000},
        {"2026-11-18T12:06:40+0100", 1795000000},
        {"2026-11-18T12:06:40+01", 1795000000},
        {"2026-11-18T05:36:40.123456789-05:30", 1795000000},
        {"2026-11-18 11:06:40,5z", 1795000000},
        {"2026-11-18t11:06:40z", 1795000000},
        {"2026-11-18T11:06:40", 1795000000},
        {"2026-11-18 11:06:40.5", 1795000000},
        {"2000-02-29T00:00:00Z", 951782400},
        {"2016-12-31T23:59:60Z", 1483228800},
        {"1969-12-31T23:59:59Z", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t wall = 0;
        cr_assert(clock_parse(cases[i].text, &wall), "%s", cases[i].text);
        cr_assert_eq(wall, cases[i].expected, "%s gave %ld", cases[i].text, (long)wall);
    }
}

Test(clock, parse_refuses_everything_else)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11-18",
        "2026-11-18T11:06Z",
        "2026-11-18T11:06:40Zx",
        "2026-11-18T11:06:40.Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00+1",
        "2026-01-01T00:00:00+01:",
        "2026-1-1T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00 Z",
        "+026-01-01T00:00:00Z",
        "2026/01/01T00:00:00Z",
        "3600",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t wall = 42;
        cr_assert_not(clock_parse(texts[i], &wall), "%s", texts[i]);
        cr_assert_eq(wall, 42);
    }
}

Test(clock, formatted_time_reads_back)
{
    for (int64_t wall = -5000000000; wall < 5000000000; wall += 123456789) {
        char text[CLOCK_TEXT_SIZE];
        int64_t back = 0;
        clock_format(wall, text);
        cr_assert(clock_parse(text, &back), "%s", text);
        cr_assert_eq(back, wall, "%s", text);
    }
}

Test(clock, http_date_is_imf_fixdate_alone)
{
    int64_t wall = 0;
    cr_assert(clock_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &wall));
    cr_assert_eq(wall, 784111777);
    static const char *const texts[] = {
        "",
        "120",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "S",
        "Sun",
        "Sun, 06 No",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_not(clock_parse_http_date(texts[i], &wall), "%s", texts[i]);
}
