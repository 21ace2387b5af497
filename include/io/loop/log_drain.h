#ifndef IO_LOOP_LOG_DRAIN_H
#define IO_LOOP_LOG_DRAIN_H

#include "base/cleanup.h"
#include "base/error.h"
#include "io/loop/event_loop.h"

/*
 * Writes the log lines that wait for stderr (base/log/log_output.h) from the loop, as soon as stderr takes them. One at
 * a time.
 */
struct log_drain;

/* loop: borrowed. */
enum status log_drain_create(struct event_loop *loop, struct log_drain **ret_drain, struct error *ret_error);
void log_drain_destroy(struct log_drain *drain);
AUTO_DEFINE(log_drain);

#endif
