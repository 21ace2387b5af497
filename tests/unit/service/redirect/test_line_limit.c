#include <criterion/criterion.h>
#include <string.h>

#include "service/redirect/line_limit.h"

/* In the place of the loop's: the minute is over when the test says so. */
struct loop_timer {
    loop_timer_callback *callback;
    void *context;
    bool is_running;
    int64_t delay_ms;
};

static struct loop_timer minute;
static char said[8192];

struct loop_timer *loop_timer_create(struct event_loop *loop, loop_timer_callback *callback, void *context)
{
    (void)loop;
    minute = (struct loop_timer){.callback = callback, .context = context};
    return &minute;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    (void)timer;
}

enum status loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    timer->is_running = true;
    timer->delay_ms = delay_ms;
    return OK;
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->is_running;
}

static void pass_minute(void)
{
    cr_assert(minute.is_running);
    minute.is_running = false;
    minute.callback(minute.context);
}

static void say(const char *user, uint64_t count)
{
    size_t length = strlen(said);
    snprintf(said + length, sizeof said - length, "%s: %llu\n", user, (unsigned long long)count);
}

static unsigned take(struct line_limit *limit, uid_t uid, unsigned times)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < times; i++)
        taken += line_limit_take(limit, uid);
    return taken;
}

Test(line_limit, each_user_has_as_many_lines_a_minute)
{
    AUTO(line_limit) limit = line_limit_create(NULL, 3, say);
    cr_expect_eq(take(limit, 1000, 2), 2);
    cr_expect_eq(minute.delay_ms, LINE_LIMIT_MINUTE_MS);
    cr_expect_eq(take(limit, 1000, 5), 1);
    cr_expect_eq(take(limit, 0, 3), 3, "another user's lines are his own");
    pass_minute();
    cr_expect_str_eq(said, "uid 1000: 4\n", "%s", said);
    cr_expect_eq(take(limit, 1000, 4), 3, "in the next minute there are as many again");
}

Test(line_limit, minute_in_which_nothing_was_left_out_is_not_mentioned)
{
    AUTO(line_limit) limit = line_limit_create(NULL, 3, say);
    cr_expect_not(minute.is_running, "nothing to wake up for");
    cr_expect_eq(take(limit, 1000, 3), 3);
    pass_minute();
    cr_expect_str_empty(said);
    cr_expect_not(minute.is_running);
}

Test(line_limit, end_counts_what_was_not_counted)
{
    struct line_limit *limit = line_limit_create(NULL, 1, say);
    take(limit, 7, 3);
    line_limit_destroy(limit);
    cr_expect_str_eq(said, "uid 7: 2\n");
}

Test(line_limit, any_number_of_users_bring_about_a_bounded_number_of_lines)
{
    AUTO(line_limit) limit = line_limit_create(NULL, 2, say);
    unsigned taken = 0;
    for (uid_t uid = 100000; uid < 165536; uid++)
        taken += take(limit, uid, 3);
    cr_expect_eq(taken, 2 * (LINE_LIMIT_USERS + 1));
    pass_minute();
    unsigned lines = 0;
    for (const char *at = said; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    cr_expect_eq(lines, LINE_LIMIT_USERS + 1);
    cr_expect(strstr(said, "uid 100063: 1\nother users: 196414\n"), "%s", said);
}
