#include "io/loop/loop_bulk.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct loop_bulk {
    int fd;
    struct event event;
};

/* One at a time: it may remove any other. The kernel puts one that stays ready behind the others. */
static void on_ready(evutil_socket_t fd, short events, void *context)
{
    (void)events;
    (void)context;
    struct epoll_event ready;
    if (epoll_wait((int)fd, &ready, 1, 0) <= 0)
        return;
    const struct loop_source *source = ready.data.ptr;
    source->work(source->context);
}

enum status loop_bulk_create(struct event_base *base, struct loop_bulk **ret_bulk, struct error *ret_error)
{
    struct loop_bulk *bulk = calloc(1, sizeof *bulk);
    if (!bulk)
        return error_set(ret_error, ERR_NO_MEMORY, "event loop");
    bulk->fd = epoll_create1(EPOLL_CLOEXEC);
    if (bulk->fd < 0) {
        int reason = errno;
        free(bulk);
        return error_set(ret_error, ERR_IO, "epoll: %s", strerror(reason));
    }
    if (event_assign(&bulk->event, base, bulk->fd, EV_READ | EV_PERSIST, on_ready, bulk) < 0 ||
        event_add(&bulk->event, NULL) < 0) {
        close(bulk->fd);
        free(bulk);
        return error_set(ret_error, ERR_IO, "epoll: the event loop refused it");
    }
    *ret_bulk = bulk;
    return OK;
}

void loop_bulk_destroy(struct loop_bulk *bulk)
{
    if (!bulk)
        return;
    event_del(&bulk->event);
    close(bulk->fd);
    free(bulk);
}

enum status loop_bulk_add(struct loop_bulk *bulk, struct loop_source *source, struct error *ret_error)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(bulk->fd, EPOLL_CTL_ADD, source->fd, &event) < 0)
        return error_set(ret_error, ERR_IO, "epoll: %s", strerror(errno));
    return OK;
}

void loop_bulk_remove(struct loop_bulk *bulk, struct loop_source *source)
{
    epoll_ctl(bulk->fd, EPOLL_CTL_DEL, source->fd, NULL);
}
