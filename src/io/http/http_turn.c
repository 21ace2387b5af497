#include "io/http/http_turn.h"

#include <limits.h>
#include <stdlib.h>

enum {
    USERS_KEPT = 64, /* counts of users without a connection, who will be back */
    STEPS_PER_TURN = 128,
    STEPS_ALONE = 512,  /* of a turn that nobody else waits for: beginning one costs as much as ten steps */
    STEPS_PER_CALL = 3, /* a read, the request, the wait for more */
};

/* ---- how many connections each user has ---- */

void http_user_init(struct http_uid *entry)
{
    entry->steps_left = STEPS_PER_TURN;
    TAILQ_INIT(&entry->waiting);
}

struct http_uid *http_user_find_or_add(struct http_server *server, uid_t uid)
{
    struct http_uid *entry;
    HASH_FIND(hh, server->uids, &uid, sizeof uid, entry);
    if (entry)
        return entry;
    entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->uid = uid;
    http_user_init(entry);
    HASH_ADD(hh, server->uids, uid, sizeof uid, entry);
    if (!entry->hh.tbl) { /* uthash was out of memory */
        free(entry);
        return NULL;
    }
    return entry;
}

void http_users_finish(struct http_server *server)
{
    struct http_uid *entry;
    struct http_uid *next;
    HASH_ITER (hh, server->uids, entry, next) {
        HASH_DEL(server->uids, entry);
        free(entry);
    }
}

void http_user_enter(struct http_connection *connection, struct http_uid *user)
{
    connection->uid = user;
    if (user->count++ == 0)
        connection->server->user_count++;
}

void http_user_drop(struct http_server *server, struct http_uid *entry)
{
    if (--entry->count > 0)
        return;
    server->user_count--;
    if (entry == &server->strangers || HASH_COUNT(server->uids) <= USERS_KEPT)
        return;
    if (entry->is_waiting)
        TAILQ_REMOVE(&server->waiting, entry, link);
    HASH_DEL(server->uids, entry);
    free(entry);
}

struct http_uid *http_user_find_largest(struct http_server *server)
{
    struct http_uid *largest = &server->strangers;
    struct http_uid *user;
    struct http_uid *next;
    HASH_ITER (hh, server->uids, user, next) {
        if (user->count > largest->count)
            largest = user;
    }
    return largest;
}

/* ---- turns ---- */

static void uid_wait(struct http_server *server, struct http_uid *user)
{
    if (user->is_waiting)
        return;
    user->is_waiting = true;
    TAILQ_INSERT_TAIL(&server->waiting, user, link);
    if (!loop_timer_is_running(server->next_turn))
        loop_timer_start(server->next_turn, 0);
}

void http_turn_wait(struct http_connection *connection)
{
    connection->is_waiting = true;
    TAILQ_INSERT_TAIL(&connection->uid->waiting, connection, turn);
    uid_wait(connection->server, connection->uid);
}

static void take_turn(struct http_server *server, struct http_uid *user)
{
    int steps = server->user_count > 1 ? STEPS_PER_TURN : STEPS_ALONE;
    user->steps_left += steps;
    if (user->steps_left > steps)
        user->steps_left = steps;
    if (TAILQ_EMPTY(&user->waiting))
        return;
    user->count++; /* its last connection may end here */
    struct http_connection *connection;
    while (user->steps_left > 0 && (connection = TAILQ_FIRST(&user->waiting))) {
        TAILQ_REMOVE(&user->waiting, connection, turn);
        connection->is_waiting = false;
        server->run(connection);
    }
    if (!TAILQ_EMPTY(&user->waiting))
        uid_wait(server, user);
    http_user_drop(server, user);
}

/* From a timer, so that the loop has asked the kernel again who else is there. */
void http_turn_begin_next(void *context)
{
    struct http_server *server = context;
    size_t count = 0;
    struct http_uid *user;
    TAILQ_FOREACH (user, &server->waiting, link) {
        count++;
    }
    /* Whoever comes to wait meanwhile stands behind these. */
    for (; count > 0 && (user = TAILQ_FIRST(&server->waiting)); count--) {
        TAILQ_REMOVE(&server->waiting, user, link);
        user->is_waiting = false;
        take_turn(server, user);
    }
}

void http_call_charge(struct http_call *call, size_t usual_calls)
{
    struct http_uid *user = call->connection->uid;
    size_t most = INT_MAX / 4 / STEPS_PER_CALL;
    if (user->steps_left > -(INT_MAX / 4))
        user->steps_left -= (int)(usual_calls < most ? usual_calls : most) * STEPS_PER_CALL;
}
