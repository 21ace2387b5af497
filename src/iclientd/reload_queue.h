#ifndef ICLIENTD_RELOAD_QUEUE_H
#define ICLIENTD_RELOAD_QUEUE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "io/loop/event_loop.h"

/*
 * One reload that runs and one that waits, however many are asked for. A reload occupies the loop while it reads files,
 * so the next one begins only after a pause: four times as long as the last one took, from 0.2 to 10 seconds. The first
 * request after a pause is served at once, and a request that comes while a reload runs is served by another one.
 */
struct reload_queue;

enum { RELOAD_PAUSE_FACTOR = 4, RELOAD_PAUSE_LEAST_MS = 200, RELOAD_PAUSE_MOST_MS = 10 * 1000 };

/* Begins a reload, at whose end reload_queue_end() is called. */
typedef void reload_begin(void *context);

/* loop: borrowed. Closed: requests wait. */
enum status reload_queue_create(struct event_loop *loop, reload_begin *begin, void *context,
                                struct reload_queue **ret_queue, struct error *ret_error);
void reload_queue_destroy(struct reload_queue *queue);
AUTO_DEFINE(reload_queue);

void reload_queue_ask(struct reload_queue *queue);
void reload_queue_open(struct reload_queue *queue);
/* No reload begins any more. */
void reload_queue_close(struct reload_queue *queue);
/* The reload has ended; it occupied the loop for so long. */
void reload_queue_end(struct reload_queue *queue, int64_t took_ms);

#endif
