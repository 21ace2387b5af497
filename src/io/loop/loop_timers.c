#include "io/loop/loop_timers.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/loop/loop_slice.h"

enum { HEAP_FIRST_CAPACITY = 64 };
#define NOT_IN_HEAP SIZE_MAX
#define NOT_ARMED INT64_MAX

struct loop_timer {
    struct loop_timers *timers;
    loop_timer_callback *callback;
    void *context;
    int64_t deadline;  /* clock_boot_ms() */
    uint64_t sequence; /* of the start: equal deadlines fire in the order they were started */
    size_t index;      /* in the heap */
};

struct loop_timers {
    struct loop_bulk *bulk;
    struct loop_source source; /* the timerfd */
    int64_t armed_for;         /* the deadline that the timerfd knows: never later than the first one */
    uint64_t sequence;
    struct loop_timer **heap;
    size_t count;
    size_t capacity;
    size_t timer_count; /* existing timers, started or not: the heap has room for all of them */
};

static bool fires_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->deadline < b->deadline || (a->deadline == b->deadline && a->sequence < b->sequence);
}

static void heap_put(struct loop_timers *timers, size_t index, struct loop_timer *timer)
{
    timers->heap[index] = timer;
    timer->index = index;
}

static void heap_sift_up(struct loop_timers *timers, size_t index, struct loop_timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (!fires_before(timer, timers->heap[parent]))
            break;
        heap_put(timers, index, timers->heap[parent]);
        index = parent;
    }
    heap_put(timers, index, timer);
}

static void heap_sift_down(struct loop_timers *timers, size_t index, struct loop_timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && fires_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!fires_before(timers->heap[child], timer))
            break;
        heap_put(timers, index, timers->heap[child]);
        index = child;
    }
    heap_put(timers, index, timer);
}

static void heap_remove(struct loop_timers *timers, struct loop_timer *timer)
{
    size_t index = timer->index;
    timer->index = NOT_IN_HEAP;
    struct loop_timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    if (index > 0 && fires_before(last, timers->heap[(index - 1) / 2]))
        heap_sift_up(timers, index, last);
    else
        heap_sift_down(timers, index, last);
}

/* Only towards an earlier time: a timerfd that fires too early costs less than a system call for each stop. */
static void arm(struct loop_timers *timers)
{
    if (timers->count == 0 || timers->heap[0]->deadline >= timers->armed_for)
        return;
    int64_t deadline = timers->heap[0]->deadline;
    struct itimerspec when = {.it_value = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000}};
    if (timerfd_settime(timers->source.fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        timers->armed_for = deadline;
}

/* A timer that a callback starts waits for the next round, or one with no delay would keep the loop here. */
static void fire_due(struct loop_timers *timers)
{
    int64_t now = clock_boot_ms();
    uint64_t last = timers->sequence;
    struct loop_slice slice = loop_slice_begin();
    while (timers->count > 0 && timers->heap[0]->deadline <= now && timers->heap[0]->sequence <= last) {
        struct loop_timer *timer = timers->heap[0];
        heap_remove(timers, timer);
        timer->callback(timer->context); /* may destroy it */
        if (loop_slice_is_over(&slice))
            break;
    }
}

static void on_timerfd(void *context)
{
    struct loop_timers *timers = context;
    uint64_t expirations;
    if (read(timers->source.fd, &expirations, sizeof expirations) < 0)
        return;
    timers->armed_for = NOT_ARMED;
    fire_due(timers);
    arm(timers);
}

enum status loop_timers_create(struct loop_bulk *bulk, struct loop_timers **ret_timers, struct error *ret_error)
{
    struct loop_timers *timers = calloc(1, sizeof *timers);
    if (!timers)
        return error_set(ret_error, ERR_NO_MEMORY, "timers");
    timers->armed_for = NOT_ARMED;
    timers->bulk = bulk;
    timers->source =
        (struct loop_source){timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC), on_timerfd, timers};
    if (timers->source.fd < 0) {
        int reason = errno;
        free(timers);
        return error_set(ret_error, ERR_IO, "timerfd: %s", strerror(reason));
    }
    enum status status = loop_bulk_add(bulk, &timers->source, ret_error);
    if (status != OK) {
        close(timers->source.fd);
        free(timers);
        return status;
    }
    *ret_timers = timers;
    return OK;
}

void loop_timers_destroy(struct loop_timers *timers)
{
    if (!timers)
        return;
    loop_bulk_remove(timers->bulk, &timers->source);
    close(timers->source.fd);
    free(timers->heap);
    free(timers);
}

static bool reserve(struct loop_timers *timers, size_t count)
{
    if (count <= timers->capacity)
        return true;
    size_t capacity = timers->capacity ? 2 * timers->capacity : HEAP_FIRST_CAPACITY;
    struct loop_timer **heap = reallocarray(timers->heap, capacity, sizeof(struct loop_timer *));
    if (!heap)
        return false;
    timers->heap = heap;
    timers->capacity = capacity;
    return true;
}

struct loop_timer *loop_timers_add(struct loop_timers *timers, loop_timer_callback *callback, void *context)
{
    /* Room in the heap is taken now, so that starting cannot fail for want of it. */
    if (!reserve(timers, timers->timer_count + 1))
        return NULL;
    struct loop_timer *timer = malloc(sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (struct loop_timer){.timers = timers, .callback = callback, .context = context, .index = NOT_IN_HEAP};
    timers->timer_count++;
    return timer;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (!timer)
        return;
    loop_timer_stop(timer);
    timer->timers->timer_count--;
    free(timer);
}

enum status loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    struct loop_timers *timers = timer->timers;
    loop_timer_stop(timer);
    int64_t now = clock_boot_ms();
    if (delay_ms < 0)
        delay_ms = 0;
    timer->deadline = delay_ms > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + delay_ms;
    timer->sequence = ++timers->sequence;
    heap_sift_up(timers, timers->count++, timer);
    arm(timers);
    return OK;
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (timer->index != NOT_IN_HEAP)
        heap_remove(timer->timers, timer);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->index != NOT_IN_HEAP;
}
