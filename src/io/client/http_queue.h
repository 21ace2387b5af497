#ifndef IO_CLIENT_HTTP_QUEUE_H
#define IO_CLIENT_HTTP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/cleanup.h"

/*
 * Who gets the next place of the HTTP client. Foreground goes before background; within each the providers' hosts take
 * turns, for each host the users, and each user's requests go in order. No host takes all places: one that already has
 * more than twice what is free waits, so that a provider that answers slowly does not hold up another's refreshes.
 * Alone it gets two thirds.
 */
struct http_queue;
struct http_queue_host;
struct http_queue_user;

/* One request, waiting or with a place; part of its owner. All zero before and after. */
struct http_queued {
    TAILQ_ENTRY(http_queued) link; /* while it waits */
    struct http_queue_host *host;
    struct http_queue_user *line; /* while it waits */
    bool background;
    uint32_t user;
    bool has_place;
    void *owner;
};

struct http_queue *http_queue_create(size_t places);
/* Every request must have left. */
void http_queue_destroy(struct http_queue *queue);
AUTO_DEFINE(http_queue);

/* host: "host:port", copied. False when out of memory. */
bool http_queue_add(struct http_queue *queue, struct http_queued *queued, const char *host);
/* Gives a place to the next one; NULL when none may have one now. */
struct http_queued *http_queue_give_place(struct http_queue *queue);
/* It waits no more, or its place is free again. Nothing when it is not in the queue. */
void http_queue_leave(struct http_queue *queue, struct http_queued *queued);

#endif
