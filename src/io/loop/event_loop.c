#include "io/loop/event_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/loop/loop_bulk.h"
#include "io/loop/loop_clock.h"
#include "io/loop/loop_memory.h"
#include "io/loop/loop_signals.h"
#include "io/loop/loop_timers.h"

struct event_loop {
    struct event_base *base;
    struct loop_bulk *bulk;
    struct loop_timers *timers;
    struct loop_clock *clock;
    struct loop_signals *signals;
    bool stopped;
};

/* Epoll, because it tells of a peer that hung up; no locks, because one thread uses it. */
static struct event_base *make_base(void)
{
    event_set_mem_functions(loop_memory_allocate, loop_memory_reallocate, loop_memory_free);
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    struct event_base *base = NULL;
    int flags = EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NO_CACHE_TIME;
    if (event_config_require_features(config, EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE) == 0 &&
        event_config_set_flag(config, flags) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

enum status event_loop_create(struct event_loop **ret_loop, struct error *ret_error)
{
    AUTO(event_loop) loop = calloc(1, sizeof *loop);
    if (!loop)
        return error_set(ret_error, ERR_NO_MEMORY, "event loop");
    loop->base = make_base();
    if (!loop->base)
        return error_set(ret_error, ERR_IO, "event loop: libevent offers no epoll here");
    enum status status = loop_bulk_create(loop->base, &loop->bulk, ret_error);
    if (status != OK)
        return status;
    status = loop_timers_create(loop->bulk, &loop->timers, ret_error);
    if (status != OK)
        return status;
    status = loop_clock_create(loop->base, &loop->clock, ret_error);
    if (status != OK)
        return status;
    status = loop_signals_create(loop->base, &loop->signals, ret_error);
    if (status != OK)
        return status;
    *ret_loop = TAKE(loop);
    return OK;
}

void event_loop_destroy(struct event_loop *loop)
{
    if (!loop)
        return;
    loop_signals_destroy(loop->signals);
    loop_clock_destroy(loop->clock);
    loop_timers_destroy(loop->timers);
    loop_bulk_destroy(loop->bulk);
    if (loop->base)
        event_base_free(loop->base);
    free(loop);
}

struct event_base *event_loop_base(struct event_loop *loop)
{
    return loop->base;
}

struct loop_bulk *event_loop_bulk(struct event_loop *loop)
{
    return loop->bulk;
}

enum status event_loop_run(struct event_loop *loop, struct error *ret_error)
{
    /* libevent forgets a stop that came before the run; a signal during start-up may be one. */
    while (!loop->stopped) {
        if (event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
            return error_set(ret_error, ERR_IO, "event loop: %s", strerror(errno));
    }
    loop->stopped = false;
    return OK;
}

void event_loop_stop(struct event_loop *loop)
{
    loop->stopped = true;
    event_base_loopbreak(loop->base);
}

struct loop_timer *loop_timer_create(struct event_loop *loop, loop_timer_callback *callback, void *context)
{
    return loop_timers_add(loop->timers, callback, context);
}

enum status event_loop_on_signal(struct event_loop *loop, int signal_number, loop_signal_callback *callback,
                                 void *context, struct error *ret_error)
{
    return loop_signals_add(loop->signals, signal_number, callback, context, ret_error);
}

enum status event_loop_on_clock_change(struct event_loop *loop, loop_clock_callback *callback, void *context,
                                       struct error *ret_error)
{
    return loop_clock_add_listener(loop->clock, callback, context, ret_error);
}

struct loop_wakeup {
    struct loop_bulk *bulk;
    struct loop_source source;
    loop_timer_callback *callback;
    void *context;
};

static void on_wakeup(void *context)
{
    struct loop_wakeup *wakeup = context;
    uint64_t count;
    /* Emptied before the callback looks, so that a signal given meanwhile runs it once more. */
    if (read(wakeup->source.fd, &count, sizeof count) == (ssize_t)sizeof count)
        wakeup->callback(wakeup->context);
}

enum status loop_wakeup_create(struct event_loop *loop, loop_timer_callback *callback, void *context,
                               struct loop_wakeup **ret_wakeup, struct error *ret_error)
{
    struct loop_wakeup *wakeup = calloc(1, sizeof *wakeup);
    if (!wakeup)
        return error_set(ret_error, ERR_NO_MEMORY, "wake-up");
    wakeup->callback = callback;
    wakeup->context = context;
    wakeup->bulk = loop->bulk;
    wakeup->source = (struct loop_source){eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), on_wakeup, wakeup};
    if (wakeup->source.fd < 0) {
        int reason = errno;
        free(wakeup);
        return error_set(ret_error, ERR_IO, "eventfd: %s", strerror(reason));
    }
    enum status status = loop_bulk_add(loop->bulk, &wakeup->source, ret_error);
    if (status != OK) {
        close(wakeup->source.fd);
        free(wakeup);
        return status;
    }
    *ret_wakeup = wakeup;
    return OK;
}

void loop_wakeup_destroy(struct loop_wakeup *wakeup)
{
    if (!wakeup)
        return;
    loop_bulk_remove(wakeup->bulk, &wakeup->source);
    close(wakeup->source.fd);
    free(wakeup);
}

int loop_wakeup_descriptor(const struct loop_wakeup *wakeup)
{
    return wakeup->source.fd;
}

void loop_wakeup_signal(struct loop_wakeup *wakeup)
{
    /* Fails only when the counter is full: then the wake-up is already due. */
    uint64_t one = 1;
    ssize_t written = write(wakeup->source.fd, &one, sizeof one);
    (void)written;
}
