#include "io/loop/loop_signals.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signal_listener {
    struct signal_listener *next;
    int signal_number;
    loop_signal_callback *callback;
    void *context;
};

struct loop_signals {
    int fd;
    sigset_t watched;
    struct event event;
    struct signal_listener *first;
};

static void on_readable(evutil_socket_t fd, short events, void *context)
{
    (void)events;
    struct loop_signals *signals = context;
    struct signalfd_siginfo info;
    if (read((int)fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    for (struct signal_listener *listener = signals->first; listener; listener = listener->next) {
        if (listener->signal_number == (int)info.ssi_signo)
            listener->callback(listener->signal_number, listener->context);
    }
}

enum status loop_signals_create(struct event_base *base, struct loop_signals **ret_signals, struct error *ret_error)
{
    struct loop_signals *signals = calloc(1, sizeof *signals);
    if (!signals)
        return error_set(ret_error, ERR_NO_MEMORY, "signals");
    sigemptyset(&signals->watched);
    signals->fd = signalfd(-1, &signals->watched, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals->fd < 0) {
        int reason = errno;
        free(signals);
        return error_set(ret_error, ERR_IO, "signalfd: %s", strerror(reason));
    }
    if (event_assign(&signals->event, base, signals->fd, EV_READ | EV_PERSIST, on_readable, signals) < 0 ||
        event_add(&signals->event, NULL) < 0) {
        close(signals->fd);
        free(signals);
        return error_set(ret_error, ERR_IO, "signals: the event loop refused them");
    }
    *ret_signals = signals;
    return OK;
}

void loop_signals_destroy(struct loop_signals *signals)
{
    if (!signals)
        return;
    while (signals->first) {
        struct signal_listener *listener = signals->first;
        signals->first = listener->next;
        free(listener);
    }
    event_del(&signals->event);
    close(signals->fd);
    free(signals);
}

/* Blocked first, so that none takes its default action in between. */
static bool watch(struct loop_signals *signals, int signal_number)
{
    sigset_t one;
    sigemptyset(&one);
    if (signal_number == SIGKILL || signal_number == SIGSTOP || sigaddset(&one, signal_number) != 0)
        return false;
    sigaddset(&signals->watched, signal_number);
    return pthread_sigmask(SIG_BLOCK, &one, NULL) == 0 && signalfd(signals->fd, &signals->watched, 0) >= 0;
}

enum status loop_signals_add(struct loop_signals *signals, int signal_number, loop_signal_callback *callback,
                             void *context, struct error *ret_error)
{
    struct signal_listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return error_set(ret_error, ERR_NO_MEMORY, "signal %d", signal_number);
    if (!watch(signals, signal_number)) {
        free(listener);
        return error_set(ret_error, ERR_IO, "signal %d cannot be caught", signal_number);
    }
    *listener = (struct signal_listener){signals->first, signal_number, callback, context};
    signals->first = listener;
    return OK;
}
