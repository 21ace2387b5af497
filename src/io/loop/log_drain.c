#include "io/loop/log_drain.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "base/log/log_output.h"

/* In one round of the loop, so that a long queue holds up nobody. */
enum { LINES_PER_ROUND = 64 };

struct log_drain {
    struct event writable; /* added while lines wait */
};

static void on_writable(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    struct log_drain *drain = context;
    if (log_output_flush(LINES_PER_ROUND) != LOG_FLUSH_BLOCKED)
        event_del(&drain->writable);
}

/* Without memory for it the next line tries again. */
static void on_wait(void *context)
{
    struct log_drain *drain = context;
    if (!event_pending(&drain->writable, EV_WRITE, NULL))
        event_add(&drain->writable, NULL);
}

enum status log_drain_create(struct event_loop *loop, struct log_drain **ret_drain, struct error *ret_error)
{
    struct log_drain *drain = calloc(1, sizeof *drain);
    if (!drain)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the log");
    if (event_assign(&drain->writable, event_loop_base(loop), log_output_descriptor(), EV_WRITE | EV_PERSIST,
                     on_writable, drain) < 0) {
        free(drain);
        return error_set(ret_error, ERR_IO, "log: the event loop refused it");
    }
    log_output_on_wait(on_wait, drain);
    if (log_output_flush(LINES_PER_ROUND) == LOG_FLUSH_BLOCKED)
        on_wait(drain);
    *ret_drain = drain;
    return OK;
}

void log_drain_destroy(struct log_drain *drain)
{
    if (!drain)
        return;
    log_output_on_wait(NULL, NULL);
    event_del(&drain->writable);
    free(drain);
}
