#include "io/client/http_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"

enum { KIND_COUNT = 2, ACTIVE_FOR_EACH_FREE = 2 };

TAILQ_HEAD(queued_list, http_queued);

/* One user's requests of one kind that wait for a host; there while there are any. */
struct http_queue_user {
    TAILQ_ENTRY(http_queue_user) turn;
    uint32_t number;
    struct queued_list waiting;
};

TAILQ_HEAD(user_list, http_queue_user);

struct http_queue_host {
    UT_hash_handle hh;
    size_t places;
    struct user_list users[KIND_COUNT];
    TAILQ_ENTRY(http_queue_host) turns[KIND_COUNT]; /* in the queue's list while some wait */
    char name[];
};

TAILQ_HEAD(host_list, http_queue_host);

struct http_queue {
    size_t free_places;
    struct http_queue_host *hosts; /* those of requests that wait or have a place */
    struct host_list turns[KIND_COUNT];
};

struct http_queue *http_queue_create(size_t places)
{
    struct http_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->free_places = places;
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        TAILQ_INIT(&queue->turns[kind]);
    return queue;
}

void http_queue_destroy(struct http_queue *queue)
{
    free(queue);
}

static struct http_queue_host *find_or_add_host(struct http_queue *queue, const char *name)
{
    struct http_queue_host *host;
    size_t length = strlen(name);
    HASH_FIND(hh, queue->hosts, name, length, host);
    if (host)
        return host;
    host = calloc(1, sizeof *host + length + 1);
    if (!host)
        return NULL;
    memcpy(host->name, name, length + 1);
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        TAILQ_INIT(&host->users[kind]);
    HASH_ADD_KEYPTR(hh, queue->hosts, host->name, length, host);
    if (!host->hh.tbl) { /* uthash was out of memory */
        free(host);
        return NULL;
    }
    return host;
}

static void drop_unused_host(struct http_queue *queue, struct http_queue_host *host)
{
    if (host->places > 0 || !TAILQ_EMPTY(&host->users[0]) || !TAILQ_EMPTY(&host->users[1]))
        return;
    HASH_DEL(queue->hosts, host);
    free(host);
}

/* Few at a time wait for one host. */
static struct http_queue_user *find_or_add_user(struct http_queue_host *host, size_t kind, uint32_t number)
{
    struct http_queue_user *user;
    TAILQ_FOREACH (user, &host->users[kind], turn) {
        if (user->number == number)
            return user;
    }
    user = calloc(1, sizeof *user);
    if (!user)
        return NULL;
    user->number = number;
    TAILQ_INIT(&user->waiting);
    TAILQ_INSERT_TAIL(&host->users[kind], user, turn);
    return user;
}

bool http_queue_add(struct http_queue *queue, struct http_queued *queued, const char *host_name)
{
    struct http_queue_host *host = find_or_add_host(queue, host_name);
    if (!host)
        return false;
    size_t kind = queued->background;
    bool is_first = TAILQ_EMPTY(&host->users[kind]);
    struct http_queue_user *user = find_or_add_user(host, kind, queued->user);
    if (!user) {
        drop_unused_host(queue, host);
        return false;
    }
    if (is_first)
        TAILQ_INSERT_TAIL(&queue->turns[kind], host, turns[kind]);
    TAILQ_INSERT_TAIL(&user->waiting, queued, link);
    queued->host = host;
    queued->line = user;
    return true;
}

static void stop_waiting(struct http_queue *queue, struct http_queued *queued)
{
    struct http_queue_host *host = queued->host;
    size_t kind = queued->background;
    struct http_queue_user *user = queued->line;
    queued->line = NULL;
    TAILQ_REMOVE(&user->waiting, queued, link);
    if (!TAILQ_EMPTY(&user->waiting))
        return;
    TAILQ_REMOVE(&host->users[kind], user, turn);
    free(user);
    if (TAILQ_EMPTY(&host->users[kind]))
        TAILQ_REMOVE(&queue->turns[kind], host, turns[kind]);
}

/* Its first request, and then it is everybody else's turn. */
static struct http_queued *take_first(struct http_queue *queue, struct http_queue_host *host, size_t kind)
{
    struct http_queue_user *user = TAILQ_FIRST(&host->users[kind]);
    struct http_queued *queued = TAILQ_FIRST(&user->waiting);
    TAILQ_REMOVE(&host->users[kind], user, turn);
    TAILQ_INSERT_TAIL(&host->users[kind], user, turn);
    TAILQ_REMOVE(&queue->turns[kind], host, turns[kind]);
    TAILQ_INSERT_TAIL(&queue->turns[kind], host, turns[kind]);
    stop_waiting(queue, queued);
    return queued;
}

/* Few are passed over: a host must have many places to have more than its share. */
static struct http_queue_host *next_host(const struct http_queue *queue, size_t kind)
{
    struct http_queue_host *host;
    TAILQ_FOREACH (host, &queue->turns[kind], turns[kind]) {
        if (host->places <= ACTIVE_FOR_EACH_FREE * queue->free_places)
            return host;
    }
    return NULL;
}

struct http_queued *http_queue_give_place(struct http_queue *queue)
{
    if (queue->free_places == 0)
        return NULL;
    size_t kind = 0;
    struct http_queue_host *host = next_host(queue, kind);
    if (!host)
        host = next_host(queue, ++kind);
    if (!host)
        return NULL;
    struct http_queued *queued = take_first(queue, host, kind);
    queued->has_place = true;
    host->places++;
    queue->free_places--;
    return queued;
}

void http_queue_leave(struct http_queue *queue, struct http_queued *queued)
{
    struct http_queue_host *host = queued->host;
    if (!host)
        return;
    if (queued->has_place) {
        host->places--;
        queue->free_places++;
    } else {
        stop_waiting(queue, queued);
    }
    queued->host = NULL;
    queued->has_place = false;
    drop_unused_host(queue, host);
}
