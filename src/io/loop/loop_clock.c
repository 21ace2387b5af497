#include "io/loop/loop_clock.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct clock_listener {
    struct clock_listener *next;
    loop_clock_callback *callback;
    void *context;
};

struct loop_clock {
    int fd;
    struct event event;
    struct clock_listener *first;
    struct clock_listener **end;
};

/* A time that never comes; what counts is its cancellation (timerfd_create(2)). */
static int arm(int fd)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    enum { CENTURY = 100 * 365 * 24 * 3600UL };
    struct itimerspec far = {.it_value = {.tv_sec = now.tv_sec + (time_t)CENTURY}};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void on_timerfd(evutil_socket_t fd, short events, void *context)
{
    (void)events;
    struct loop_clock *clock = context;
    uint64_t expirations;
    if (read((int)fd, &expirations, sizeof expirations) < 0 && errno != ECANCELED)
        return;
    /* First, so that a change during the callbacks is seen too. It may answer ECANCELED for the change just read. */
    arm((int)fd);
    for (struct clock_listener *listener = clock->first; listener; listener = listener->next)
        listener->callback(listener->context);
}

enum status loop_clock_create(struct event_base *base, struct loop_clock **ret_clock, struct error *ret_error)
{
    struct loop_clock *clock = calloc(1, sizeof *clock);
    if (!clock)
        return error_set(ret_error, ERR_NO_MEMORY, "clock watch");
    clock->end = &clock->first;
    clock->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (clock->fd < 0 || arm(clock->fd) < 0) {
        int reason = errno;
        if (clock->fd >= 0)
            close(clock->fd);
        free(clock);
        return error_set(ret_error, ERR_IO, "timerfd: %s", strerror(reason));
    }
    if (event_assign(&clock->event, base, clock->fd, EV_READ | EV_PERSIST, on_timerfd, clock) < 0 ||
        event_add(&clock->event, NULL) < 0) {
        close(clock->fd);
        free(clock);
        return error_set(ret_error, ERR_IO, "clock watch: the event loop refused it");
    }
    *ret_clock = clock;
    return OK;
}

void loop_clock_destroy(struct loop_clock *clock)
{
    if (!clock)
        return;
    while (clock->first) {
        struct clock_listener *listener = clock->first;
        clock->first = listener->next;
        free(listener);
    }
    event_del(&clock->event);
    close(clock->fd);
    free(clock);
}

enum status loop_clock_add_listener(struct loop_clock *clock, loop_clock_callback *callback, void *context,
                                    struct error *ret_error)
{
    struct clock_listener *listener = malloc(sizeof *listener);
    if (!listener)
        return error_set(ret_error, ERR_NO_MEMORY, "clock watch");
    *listener = (struct clock_listener){.callback = callback, .context = context};
    *clock->end = listener;
    clock->end = &listener->next;
    return OK;
}
