#ifndef SRC_IO_LOOP_TIMERS_H
#define SRC_IO_LOOP_TIMERS_H

#include "io/loop/event_loop.h"
#include "io/loop/loop_bulk.h"

/* The loop's timers: a binary heap over one timerfd in CLOCK_BOOTTIME. */
struct loop_timers;

enum status loop_timers_create(struct loop_bulk *bulk, struct loop_timers **ret_timers, struct error *ret_error);
/* Every timer must be destroyed before. */
void loop_timers_destroy(struct loop_timers *timers);

/* What loop_timer_create() does. */
struct loop_timer *loop_timers_add(struct loop_timers *timers, loop_timer_callback *callback, void *context);

#endif
