#include "io/host/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_ROUND = 16, /* then the open connections get their turn */
    RETRY_MS = 100,         /* after the system had no descriptor or memory left */
};

struct listener {
    int fd;
    struct event event;
    struct loop_timer *retry; /* runs while accepting waits for the system to recover */
    listener_accepted *accepted;
    void *context;
    bool paused;    /* by its owner */
    bool watching;  /* the event is added */
    bool *ret_gone; /* set when the listener is destroyed inside its own callback */
};

/* Any refusal that is not the one connection's own: time, not another try at once, may mend it. */
static bool is_connections_own(int reason)
{
    static const int own[] = {ECONNABORTED, EINTR, EPROTO,     ENETDOWN,     ENOPROTOOPT, EHOSTDOWN,
                              ENONET,       EPERM, EOPNOTSUPP, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i] == reason)
            return true;
    }
    return false;
}

static void watch_when_wanted(struct listener *listener)
{
    bool wanted = !listener->paused && !loop_timer_is_running(listener->retry);
    if (wanted == listener->watching)
        return;
    if (!wanted)
        event_del(&listener->event);
    else if (event_add(&listener->event, NULL) < 0) {
        loop_timer_start(listener->retry, RETRY_MS);
        return;
    }
    listener->watching = wanted;
}

static void on_retry(void *context)
{
    watch_when_wanted(context);
}

static void on_readable(evutil_socket_t fd, short events, void *context)
{
    (void)events;
    struct listener *listener = context;
    bool gone = false;
    listener->ret_gone = &gone;
    for (int i = 0; i < ACCEPTS_PER_ROUND && !listener->paused; i++) {
        int accepted = accept4((int)fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            listener->accepted(accepted, listener->context);
            if (gone)
                return;
            continue;
        }
        if (errno == EAGAIN)
            break;
        if (!is_connections_own(errno)) {
            loop_timer_start(listener->retry, RETRY_MS);
            watch_when_wanted(listener);
            break;
        }
    }
    listener->ret_gone = NULL;
}

enum status listener_create(struct event_loop *loop, int take_fd, listener_accepted *accepted, void *context,
                            struct listener **ret_listener, struct error *ret_error)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        close(take_fd);
        return error_set(ret_error, ERR_NO_MEMORY, "listener");
    }
    listener->fd = take_fd;
    listener->accepted = accepted;
    listener->context = context;
    event_assign(&listener->event, event_loop_base(loop), take_fd, EV_READ | EV_PERSIST, on_readable, listener);
    listener->retry = loop_timer_create(loop, on_retry, listener);
    if (!listener->retry) {
        listener_destroy(listener);
        return error_set(ret_error, ERR_NO_MEMORY, "listener");
    }
    if (event_add(&listener->event, NULL) < 0) {
        listener_destroy(listener);
        return error_set(ret_error, ERR_IO, "listener: the event loop refused it");
    }
    listener->watching = true;
    *ret_listener = listener;
    return OK;
}

void listener_destroy(struct listener *listener)
{
    if (!listener)
        return;
    if (listener->ret_gone)
        *listener->ret_gone = true;
    event_del(&listener->event);
    loop_timer_destroy(listener->retry);
    close(listener->fd);
    free(listener);
}

void listener_pause(struct listener *listener)
{
    listener->paused = true;
    watch_when_wanted(listener);
}

void listener_resume(struct listener *listener)
{
    listener->paused = false;
    watch_when_wanted(listener);
}
