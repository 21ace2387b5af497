#ifndef SRC_IO_LOOP_BULK_H
#define SRC_IO_LOOP_BULK_H

#include "io/loop/event_loop.h"

/*
 * Where work comes from in heaps: the timers, other threads' wake-ups, libcurl's sockets. The loop sees one descriptor
 * for all of them (an epoll within its own), and in each round one source does a slice of its work, in turn; then
 * whoever asks on a socket is looked at again. So a token that stands ready waits for one slice and not for all that is
 * due.
 */
struct loop_bulk;

/* fd: ready to be read for as long as there is work (level-triggered). Must outlive its being added. */
struct loop_source {
    int fd;
    void (*work)(void *context); /* a slice, see loop_slice.h; may remove any source */
    void *context;
};

enum status loop_bulk_create(struct event_base *base, struct loop_bulk **ret_bulk, struct error *ret_error);
void loop_bulk_destroy(struct loop_bulk *bulk);
/* source: borrowed until it is removed. ERR_IO. */
enum status loop_bulk_add(struct loop_bulk *bulk, struct loop_source *source, struct error *ret_error);
void loop_bulk_remove(struct loop_bulk *bulk, struct loop_source *source);

/* Of the loop. */
struct loop_bulk *event_loop_bulk(struct event_loop *loop);

#endif
