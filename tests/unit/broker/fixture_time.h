/*
 * A clock and timers that stand still until the test moves them: both stand in for the real ones at link time. Included
 * once by each program.
 */
#ifndef TEST_FIXTURE_TIME_H
#define TEST_FIXTURE_TIME_H

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash_table.h"
#include "io/loop/event_loop.h"

/* ---- clock ---- */

static int64_t fixture_now = 1800000000;
static int64_t fixture_set_back; /* seconds that the wall clock was set back by: the other clock goes on */

int64_t clock_wall(void)
{
    return fixture_now;
}

int64_t clock_cpu_ms(void)
{
    return 0;
}

int64_t clock_boot_ms(void)
{
    return (fixture_now + fixture_set_back) * 1000;
}

/* ---- timers ---- */

struct loop_timer {
    loop_timer_callback *callback;
    void *context;
    int64_t due_ms; /* -1: stopped */
    struct loop_timer *next, *prev;
};
static struct loop_timer *fixture_timers;

struct loop_timer *loop_timer_create(struct event_loop *loop, loop_timer_callback *callback, void *context)
{
    (void)loop;
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (struct loop_timer){.callback = callback, .context = context, .due_ms = -1};
    DL_APPEND(fixture_timers, timer);
    return timer;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (!timer)
        return;
    DL_DELETE(fixture_timers, timer);
    free(timer);
}

enum status loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    timer->due_ms = clock_boot_ms() + (delay_ms > 0 ? delay_ms : 0);
    return OK;
}

void loop_timer_stop(struct loop_timer *timer)
{
    timer->due_ms = -1;
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->due_ms >= 0;
}

static loop_clock_callback *fixture_clock_callback;
static void *fixture_clock_context;

enum status event_loop_on_clock_change(struct event_loop *loop, loop_clock_callback *callback, void *context,
                                       struct error *ret_error)
{
    (void)loop;
    (void)ret_error;
    fixture_clock_callback = callback;
    fixture_clock_context = context;
    return OK;
}

/* As an administrator would; the loop notices. */
static __attribute__((unused)) void fixture_set_clock_back(int64_t seconds)
{
    fixture_now -= seconds;
    fixture_set_back += seconds;
    fixture_clock_callback(fixture_clock_context);
}

/* Runs the timer that is due now and was created first; false when there is none. */
static bool fixture_run_due_timer(void)
{
    struct loop_timer *timer;
    DL_FOREACH (fixture_timers, timer) {
        if (timer->due_ms < 0 || timer->due_ms > clock_boot_ms())
            continue;
        timer->due_ms = -1;
        timer->callback(timer->context);
        return true;
    }
    return false;
}

#endif
