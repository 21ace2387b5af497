#ifndef SRC_IO_LOOP_CLOCK_H
#define SRC_IO_LOOP_CLOCK_H

#include "io/loop/event_loop.h"

/* Notices that the wall clock was stepped or the machine resumed. */
struct loop_clock;

enum status loop_clock_create(struct event_base *base, struct loop_clock **ret_clock, struct error *ret_error);
void loop_clock_destroy(struct loop_clock *clock);

/* What event_loop_on_clock_change() does. */
enum status loop_clock_add_listener(struct loop_clock *clock, loop_clock_callback *callback, void *context,
                                    struct error *ret_error);

#endif
