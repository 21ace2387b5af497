#ifndef IO_LOOP_EVENT_LOOP_H
#define IO_LOOP_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * The one loop of the process (libevent), its timers, signals and wake-ups. Everything below runs on its thread but
 * event_loop_wake().
 */
struct event_loop;
struct event_base;

enum status event_loop_create(struct event_loop **ret_loop, struct error *ret_error);
void event_loop_destroy(struct event_loop *loop);
AUTO_DEFINE(event_loop);

/* For io's own files: raw events on descriptors. */
struct event_base *event_loop_base(struct event_loop *loop);

/* Runs until event_loop_stop(). ERR_IO when the backend fails. */
enum status event_loop_run(struct event_loop *loop, struct error *ret_error);
void event_loop_stop(struct event_loop *loop);

/* One-shot timers in CLOCK_BOOTTIME milliseconds (they go on while the machine sleeps), in a heap: O(log n) each. */
struct loop_timer;
typedef void loop_timer_callback(void *context);
/* Created stopped. NULL when out of memory. */
struct loop_timer *loop_timer_create(struct event_loop *loop, loop_timer_callback *callback, void *context);
void loop_timer_destroy(struct loop_timer *timer);
AUTO_DEFINE(loop_timer);
/* (Re)starts it; delay_ms < 0 counts as 0. Never fires inside this call. ERR_NO_MEMORY leaves it stopped. */
enum status loop_timer_start(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);

/*
 * Calls back on this signal, on the loop's thread: once for all that came since the loop last looked. It is blocked
 * from here on, in threads that are started later as well, and also after the loop is destroyed.
 */
typedef void loop_signal_callback(int signal_number, void *context);
enum status event_loop_on_signal(struct event_loop *loop, int signal_number, loop_signal_callback *callback,
                                 void *context, struct error *ret_error);

/*
 * Calls back when the wall clock was stepped or the machine was resumed (timerfd with TFD_TIMER_CANCEL_ON_SET), so
 * that expiries are looked at again at once. Any number of listeners; they stay for the loop's life.
 */
typedef void loop_clock_callback(void *context);
enum status event_loop_on_clock_change(struct event_loop *loop, loop_clock_callback *callback, void *context,
                                       struct error *ret_error);

/*
 * A wake-up that another thread may give (eventfd): callback runs on the loop's thread, once for any number of
 * event_loop_wake() calls since the last run.
 */
struct loop_wakeup;
enum status loop_wakeup_create(struct event_loop *loop, loop_timer_callback *callback, void *context,
                               struct loop_wakeup **ret_wakeup, struct error *ret_error);
void loop_wakeup_destroy(struct loop_wakeup *wakeup);
AUTO_DEFINE(loop_wakeup);
void loop_wakeup_signal(struct loop_wakeup *wakeup); /* any thread */
/* What a thread with descriptors of its own has to keep in order to signal. */
int loop_wakeup_descriptor(const struct loop_wakeup *wakeup);

#endif
