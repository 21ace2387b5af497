#ifndef SRC_IO_LOOP_SIGNALS_H
#define SRC_IO_LOOP_SIGNALS_H

#include "io/loop/event_loop.h"

/*
 * Signals by a signalfd: they are blocked for the process, and the loop reads them when it comes round. The kernel
 * keeps each kind once, so a thousand of one kind are one call, and none of another kind is lost behind them.
 */
struct loop_signals;

enum status loop_signals_create(struct event_base *base, struct loop_signals **ret_signals, struct error *ret_error);
/* The signals stay blocked: one that comes while the process ends by itself must not end it at once. */
void loop_signals_destroy(struct loop_signals *signals);
enum status loop_signals_add(struct loop_signals *signals, int signal_number, loop_signal_callback *callback,
                             void *context, struct error *ret_error);

#endif
