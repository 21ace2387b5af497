#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/loop/event_loop.h"
#include "io/loop/loop_slice.h"

static struct event_loop *loop;

static void open_loop(void)
{
    cr_assert_eq(event_loop_create(&loop, NULL), OK);
}

static void close_loop(void)
{
    event_loop_destroy(loop);
}

TestSuite(event_loop, .init = open_loop, .fini = close_loop, .timeout = 300);

static void run(void)
{
    struct error error;
    cr_assert_eq(event_loop_run(loop, &error), OK, "%s", error.message);
}

/* Writes its own letter when it fires; '.' stops the loop. */
struct mark {
    char letter;
    struct loop_timer *timer;
    struct loop_timer *victim;
};

static char marks[64];
static size_t mark_count;

static void on_mark(void *context)
{
    struct mark *mark = context;
    marks[mark_count++] = mark->letter;
    loop_timer_destroy(mark->victim);
    mark->victim = NULL;
    if (mark->letter == '.')
        event_loop_stop(loop);
}

static void make_marks(struct mark *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        all[i].timer = loop_timer_create(loop, on_mark, &all[i]);
        cr_assert(all[i].timer);
        cr_assert_not(loop_timer_is_running(all[i].timer));
    }
}

static void destroy_marks(struct mark *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        loop_timer_destroy(all[i].timer);
}

Test(event_loop, timers_fire_in_the_order_of_their_deadlines)
{
    struct mark all[] = {{.letter = 'c'}, {.letter = 'a'}, {.letter = 'b'}, {.letter = '.'}};
    make_marks(all, 4);
    int64_t begin = clock_boot_ms();
    cr_assert_eq(loop_timer_start(all[0].timer, 100), OK);
    cr_assert_eq(loop_timer_start(all[1].timer, -5), OK);
    cr_assert_eq(loop_timer_start(all[2].timer, 50), OK);
    cr_assert_eq(loop_timer_start(all[3].timer, 150), OK);
    cr_assert(loop_timer_is_running(all[0].timer));
    run();
    cr_assert_str_eq(marks, "abc.");
    cr_assert_geq(clock_boot_ms() - begin, 150);
    cr_assert_not(loop_timer_is_running(all[0].timer));
    destroy_marks(all, 4);
}

Test(event_loop, timers_of_one_deadline_fire_in_the_order_they_were_started)
{
    struct mark all[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}, {.letter = 'd'}, {.letter = '.'}};
    make_marks(all, 5);
    for (size_t i = 0; i < 5; i++)
        loop_timer_start(all[i].timer, 0);
    run();
    cr_assert_str_eq(marks, "abcd.");
    destroy_marks(all, 5);
}

Test(event_loop, stopped_timer_does_not_fire)
{
    struct mark all[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = '.'}};
    make_marks(all, 3);
    loop_timer_start(all[0].timer, 1);
    loop_timer_start(all[1].timer, 2);
    loop_timer_start(all[2].timer, 5);
    loop_timer_stop(all[0].timer);
    loop_timer_stop(all[0].timer);
    cr_assert_not(loop_timer_is_running(all[0].timer));
    run();
    cr_assert_str_eq(marks, "b.");
    destroy_marks(all, 3);
}

Test(event_loop, started_again_timer_fires_once_at_the_later_time)
{
    struct mark all[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = '.'}};
    make_marks(all, 3);
    loop_timer_start(all[0].timer, 1);
    loop_timer_start(all[1].timer, 10);
    loop_timer_start(all[2].timer, 150);
    loop_timer_start(all[0].timer, 80);
    run();
    cr_assert_str_eq(marks, "ba.");
    destroy_marks(all, 3);
}

Test(event_loop, callback_may_destroy_its_own_and_other_due_timers)
{
    struct mark all[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}, {.letter = '.'}};
    make_marks(all, 4);
    all[0].victim = all[1].timer;
    all[1].timer = NULL;
    all[2].victim = all[2].timer;
    for (size_t i = 0; i < 4; i++) {
        if (all[i].timer)
            loop_timer_start(all[i].timer, 1);
    }
    loop_timer_start(all[0].victim, 1);
    all[2].timer = NULL;
    loop_timer_start(all[3].timer, 10);
    run();
    cr_assert_str_eq(marks, "ac.");
    destroy_marks(all, 4);
}

/* ---- turns ---- */

/* Keeps the loop for longer than a slice. */
static void on_heavy(void *context)
{
    size_t *count = context;
    struct loop_slice slice = loop_slice_begin();
    while (!loop_slice_is_over(&slice))
        ;
    ++*count;
}

struct visitor {
    const size_t *heavy_count;
    size_t seen;
};

static void on_visit(void *context)
{
    struct visitor *visitor = context;
    visitor->seen = *visitor->heavy_count;
    event_loop_stop(loop);
}

Test(event_loop, heap_of_due_timers_leaves_others_their_turn)
{
    enum { TIMERS = 500 };
    static struct loop_timer *timers[TIMERS];
    size_t heavy_count = 0;
    struct visitor visitor = {.heavy_count = &heavy_count};
    struct loop_wakeup *wakeup = NULL;
    cr_assert_eq(loop_wakeup_create(loop, on_visit, &visitor, &wakeup, NULL), OK);
    for (size_t i = 0; i < TIMERS; i++) {
        timers[i] = loop_timer_create(loop, on_heavy, &heavy_count);
        cr_assert_eq(loop_timer_start(timers[i], 0), OK);
    }
    loop_wakeup_signal(wakeup);
    run();
    cr_assert_leq(visitor.seen, 2, "%zu timers ran first", visitor.seen);
    loop_wakeup_signal(wakeup);
    run();
    cr_assert_leq(visitor.seen, 4);
    for (size_t i = 0; i < TIMERS; i++)
        loop_timer_destroy(timers[i]);
    loop_wakeup_destroy(wakeup);
}

struct repeater {
    struct loop_timer *timer;
    int runs;
};

static void on_repeat(void *context)
{
    struct repeater *repeater = context;
    repeater->runs++;
    loop_timer_start(repeater->timer, 0);
}

Test(event_loop, timer_that_starts_itself_without_delay_does_not_starve_others)
{
    struct repeater repeater = {0};
    repeater.timer = loop_timer_create(loop, on_repeat, &repeater);
    struct mark end[] = {{.letter = '.'}};
    make_marks(end, 1);
    loop_timer_start(repeater.timer, 0);
    cr_assert_geq(event_base_loop(event_loop_base(loop), EVLOOP_ONCE), 0);
    cr_assert_eq(repeater.runs, 1);
    loop_timer_start(end[0].timer, 5);
    run();
    cr_assert_gt(repeater.runs, 1);
    loop_timer_destroy(repeater.timer);
    destroy_marks(end, 1);
}

static int64_t last_fired;
static int fired;

static void on_ordered(void *context)
{
    int64_t *due = context;
    cr_assert_geq(*due, last_fired);
    cr_assert_geq(clock_boot_ms(), *due);
    last_fired = *due;
    fired++;
}

Test(event_loop, many_timers_stay_in_order_when_some_are_stopped_and_moved)
{
    enum { COUNT = 1000 };
    static int64_t due[COUNT];
    static struct loop_timer *timers[COUNT];
    unsigned random = 12345;
    int expected = 0;
    int64_t begin = clock_boot_ms();
    for (int i = 0; i < COUNT; i++)
        timers[i] = loop_timer_create(loop, on_ordered, &due[i]);
    for (int i = 0; i < 3 * COUNT; i++) {
        random = random * 1103515245 + 12345;
        int which = (int)(random >> 8) % COUNT;
        if (i % 3 == 2) {
            loop_timer_stop(timers[which]);
            continue;
        }
        int64_t delay = (random >> 4) % 60;
        loop_timer_start(timers[which], delay);
        due[which] = begin + delay;
    }
    for (int i = 0; i < COUNT; i++)
        expected += loop_timer_is_running(timers[i]);
    /* begin is the same millisecond for all of them, or the order below would not hold. */
    int64_t shift = clock_boot_ms() - begin;
    struct mark end[] = {{.letter = '.'}};
    make_marks(end, 1);
    loop_timer_start(end[0].timer, 61);
    if (shift == 0) {
        run();
        cr_assert_eq(fired, expected);
    }
    for (int i = 0; i < COUNT; i++)
        loop_timer_destroy(timers[i]);
    destroy_marks(end, 1);
}

Test(event_loop, stop_before_run_ends_the_run_at_once_and_only_that_one)
{
    event_loop_stop(loop);
    run();
    struct mark end[] = {{.letter = '.'}};
    make_marks(end, 1);
    loop_timer_start(end[0].timer, 1);
    run();
    cr_assert_str_eq(marks, ".");
    destroy_marks(end, 1);
}

static int signals_seen[2];

static void on_signal(int number, void *context)
{
    cr_assert_eq(number, SIGUSR1);
    int *seen = context;
    (*seen)++;
    if (signals_seen[0] && signals_seen[1])
        event_loop_stop(loop);
}

Test(event_loop, signal_reaches_every_listener_on_the_loop)
{
    cr_assert_eq(event_loop_on_signal(loop, SIGUSR1, on_signal, &signals_seen[0], NULL), OK);
    cr_assert_eq(event_loop_on_signal(loop, SIGUSR1, on_signal, &signals_seen[1], NULL), OK);
    raise(SIGUSR1);
    run();
    cr_assert_eq(signals_seen[0], 1);
    cr_assert_eq(signals_seen[1], 1);
}

static unsigned storm_calls;

static void on_storm(int number, void *context)
{
    (void)context;
    storm_calls += number == SIGUSR1;
}

static void on_end(int number, void *context)
{
    (void)number;
    (void)context;
    event_loop_stop(loop);
}

/* More than a socket between a handler and the loop would hold. */
Test(event_loop, a_storm_of_one_signal_is_one_call_and_hides_no_other)
{
    cr_assert_eq(event_loop_on_signal(loop, SIGUSR1, on_storm, NULL, NULL), OK);
    cr_assert_eq(event_loop_on_signal(loop, SIGUSR2, on_end, NULL, NULL), OK);
    for (int i = 0; i < 5000; i++)
        kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    event_loop_run(loop, NULL);
    cr_expect_eq(storm_calls, 1);
}

Test(event_loop, signal_that_cannot_be_caught_is_an_error)
{
    struct error error;
    cr_assert_eq(event_loop_on_signal(loop, SIGKILL, on_signal, NULL, &error), ERR_IO);
}

struct wakeup_count {
    struct loop_wakeup *wakeup;
    int runs;
};

static void on_wakeup(void *context)
{
    struct wakeup_count *count = context;
    count->runs++;
    event_loop_stop(loop);
}

static void *wake_ten_times(void *context)
{
    for (int i = 0; i < 10; i++)
        loop_wakeup_signal(context);
    return NULL;
}

Test(event_loop, many_wakeups_from_another_thread_are_one_call)
{
    struct wakeup_count count = {0};
    cr_assert_eq(loop_wakeup_create(loop, on_wakeup, &count, &count.wakeup, NULL), OK);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, wake_ten_times, count.wakeup), 0);
    pthread_join(thread, NULL);
    run();
    cr_assert_eq(count.runs, 1);
    loop_wakeup_signal(count.wakeup);
    run();
    cr_assert_eq(count.runs, 2);
    loop_wakeup_destroy(count.wakeup);
}

static void on_wakeup_destroy(void *context)
{
    struct wakeup_count *count = context;
    loop_wakeup_destroy(count->wakeup);
    event_loop_stop(loop);
}

Test(event_loop, wakeup_callback_may_destroy_the_wakeup)
{
    struct wakeup_count count = {0};
    cr_assert_eq(loop_wakeup_create(loop, on_wakeup_destroy, &count, &count.wakeup, NULL), OK);
    loop_wakeup_signal(count.wakeup);
    run();
}

static void on_clock_change(void *context)
{
    (void)context;
}

Test(event_loop, clock_watches_do_not_fire_while_the_clock_runs_on)
{
    for (int i = 0; i < 3; i++)
        cr_assert_eq(event_loop_on_clock_change(loop, on_clock_change, NULL, NULL), OK);
    struct mark end[] = {{.letter = '.'}};
    make_marks(end, 1);
    loop_timer_start(end[0].timer, 5);
    run();
    destroy_marks(end, 1);
}
