#include "io/http/http_server.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/http/http_connection.h"
#include "io/http/http_turn.h"

enum {
    RETRY_AFTER_SECONDS = 1,
    SWEEP_MS_MIN = 5,
    SWEEP_MS_MAX = 1000,
    SWEEPS_PER_DEADLINE = 8,
    CONNECTIONS_ALWAYS = 16, /* admitted however scarce descriptors are */
    CROWD_LEAST = 256,       /* connections whose end is worth giving memory back */
};

struct http_server_options http_server_default_options(void)
{
    return (struct http_server_options){
        .max_connections = 1024,
        .max_connections_per_uid = 256,
        .max_target = 8 * 1024,
        .max_header_bytes = 32 * 1024,
        .max_header_count = 64,
        .max_body = 256 * 1024,
        .max_stream_backlog = 64 * 1024,
        .request_deadline_ms = 10000,
        .idle_deadline_ms = 60000,
        .write_deadline_ms = 10000,
        .crowded_rest_ms = 1000,
        .is_local = true,
    };
}

/* No user's (chown(2) takes it for "unchanged"). */
static const uid_t UNKNOWN_UID = (uid_t)-1;

/* ---- room ---- */

/* Closes the user's connection that rests longest, if it does for so long. */
static bool close_rested(struct http_server *server, const struct http_uid *user, int64_t least_ms)
{
    struct http_connection *chosen = NULL;
    int64_t longest = least_ms;
    for (struct http_connection *connection = server->first; connection; connection = connection->next) {
        int64_t rested = connection->uid == user ? http_connection_rested_ms(connection) : -1;
        if (rested >= longest) { /* of equal ones the oldest, which stands last */
            chosen = connection;
            longest = rested;
        }
    }
    if (chosen)
        http_connection_close(chosen);
    return chosen;
}

/* Several users together may take every place. Whoever has most gives one up that he does not use. */
static bool make_room(struct http_server *server)
{
    return close_rested(server, http_user_find_largest(server), server->options.crowded_rest_ms);
}

/* ---- connections ---- */

static void start_sweep(struct http_server *server)
{
    server->now = clock_boot_ms();
    loop_timer_start(server->sweep, server->sweep_interval);
}

/*
 * The allocator keeps what a crowd has freed, 10 KiB for each connection that watched, unless it is asked to give it
 * back. That takes 10 ms after 19,000 connections, once, and less than their closing did.
 */
static void give_back_memory(struct http_server *server)
{
    if (server->crowd - server->count < CROWD_LEAST || server->count > server->crowd / 2)
        return;
    malloc_trim(0);
    server->crowd = server->count;
}

static void on_sweep(void *context)
{
    struct http_server *server = context;
    give_back_memory(server);
    if (server->count == 0)
        return;
    start_sweep(server);
    int64_t now = server->now;
    struct http_connection *next;
    for (struct http_connection *connection = server->first; connection; connection = next) {
        next = connection->next;
        http_connection_on_deadline(connection, now);
    }
    if (server->count >= server->options.max_connections)
        make_room(server);
}

static void remember(struct http_server *server, struct http_connection *connection)
{
    connection->next = server->first;
    if (server->first)
        server->first->previous = connection;
    server->first = connection;
    server->count++;
    if (server->crowd < server->count)
        server->crowd = server->count;
    metrics_add(server->metrics, METRIC_HTTP_CONNECTIONS, 1);
    if (server->count >= server->options.max_connections && !make_room(server))
        listener_pause(server->listener);
}

static void forget_refused(struct http_server *server, const struct http_connection *connection)
{
    for (size_t i = 0; i < HTTP_REFUSED_MAX; i++) {
        if (server->refused[i] == connection)
            server->refused[i] = NULL;
    }
}

static void forget(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->uid == &server->strangers)
        forget_refused(server, connection);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->is_waiting)
        TAILQ_REMOVE(&connection->uid->waiting, connection, turn);
    http_user_drop(server, connection->uid);
    metrics_add(server->metrics, METRIC_HTTP_CONNECTIONS, -1);
    if (server->count-- == server->options.max_connections && server->listener)
        listener_resume(server->listener);
}

/* The lowest free descriptor's number tells how many are taken. The limit may be changed from outside. */
static bool are_descriptors_scarce(const struct http_server *server, int newest_fd)
{
    struct rlimit limit;
    rlim_t spare = server->options.spare_descriptors;
    if (spare == 0 || server->count < CONNECTIONS_ALWAYS || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    if (spare > limit.rlim_cur / 2)
        spare = limit.rlim_cur / 2;
    return (rlim_t)newest_fd >= limit.rlim_cur - spare;
}

/* Refused connections take few places: the oldest, which had time to read its reply, makes room for the newest. */
static void refuse_connection(struct http_connection *connection, int status, const char *message)
{
    struct http_server *server = connection->server;
    struct http_connection **place = &server->refused[server->next_refused];
    server->next_refused = (server->next_refused + 1) % HTTP_REFUSED_MAX;
    if (*place)
        http_connection_close(*place);
    *place = connection;
    http_user_enter(connection, &server->strangers);
    http_reply_refuse(connection, status, message, RETRY_AFTER_SECONDS);
}

/* Users whom nobody knows share one allowance. */
static uid_t find_peer_uid(const struct http_server *server, const struct http_connection *connection)
{
    uid_t uid;
    if (server->options.is_local)
        return connection->peer.peer.uid;
    if (server->options.owners && peer_owner_find(server->options.owners, connection->fd, &uid))
        return uid;
    return UNKNOWN_UID;
}

/* Finds the connection's user, or refuses it. */
static void admit_peer(struct http_server *server, struct http_connection *connection)
{
    struct http_uid *user = http_user_find_or_add(server, find_peer_uid(server, connection));
    if (!user || are_descriptors_scarce(server, connection->fd)) {
        refuse_connection(connection, 503, "There is no room for more connections.");
        return;
    }
    http_user_enter(connection, user);
    if (user->count <= server->options.max_connections_per_uid ||
        (server->options.users_give_way && close_rested(server, user, 0)))
        return;
    http_user_drop(server, user);
    refuse_connection(connection, 429, "This user has too many connections.");
}

static void on_accepted(int take_fd, void *context)
{
    struct http_server *server = context;
    struct peer_identity peer = {0};
    if (server->options.is_local && peer_identity_read(take_fd, &peer, NULL) != OK) {
        close(take_fd);
        return;
    }
    if (!loop_timer_is_running(server->sweep))
        start_sweep(server);
    struct http_connection *connection = http_connection_create(server, take_fd);
    if (!connection) {
        peer_identity_finish(&peer);
        return;
    }
    connection->peer = peer;
    if (!server->options.is_local) {
        int on = 1;
        setsockopt(take_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    admit_peer(server, connection);
    remember(server, connection);
    http_connection_run(connection);
}

/* ---- the server ---- */

static int64_t sweep_interval(const struct http_server_options *options)
{
    int64_t shortest = options->request_deadline_ms;
    if (options->idle_deadline_ms < shortest)
        shortest = options->idle_deadline_ms;
    if (options->write_deadline_ms < shortest)
        shortest = options->write_deadline_ms;
    int64_t interval = shortest / SWEEPS_PER_DEADLINE;
    if (interval < SWEEP_MS_MIN)
        return SWEEP_MS_MIN;
    return interval > SWEEP_MS_MAX ? SWEEP_MS_MAX : interval;
}

enum status http_server_create(struct event_loop *loop, int take_fd, const struct http_server_options *options,
                               struct metrics *metrics, const struct http_server_callbacks *callbacks,
                               struct http_server **ret_server, struct error *ret_error)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        close(take_fd);
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP server");
    }
    server->loop = loop;
    server->options = *options;
    server->metrics = metrics;
    server->callbacks = *callbacks;
    server->run = http_connection_run;
    server->forget = forget;
    server->sweep_interval = sweep_interval(options);
    http_user_init(&server->strangers);
    TAILQ_INIT(&server->waiting);
    server->next_turn = loop_timer_create(loop, http_turn_begin_next, server);
    server->sweep = loop_timer_create(loop, on_sweep, server);
    if (options->is_local)
        server->heads = http_heads_create();
    server->no_request = http_parse_create(&server->options, NULL);
    if (!server->sweep || !server->next_turn || !server->no_request || (options->is_local && !server->heads)) {
        close(take_fd);
        http_server_destroy(server);
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP server");
    }
    enum status status = listener_create(loop, take_fd, on_accepted, server, &server->listener, ret_error);
    if (status != OK) {
        http_server_destroy(server);
        return status;
    }
    *ret_server = server;
    return OK;
}

void http_server_destroy(struct http_server *server)
{
    if (!server)
        return;
    listener_destroy(TAKE(server->listener));
    while (server->first)
        http_connection_close(server->first);
    http_users_finish(server);
    loop_timer_destroy(server->next_turn);
    loop_timer_destroy(server->sweep);
    while (server->parse_count > 0)
        http_parse_destroy(server->parses[--server->parse_count]);
    http_parse_destroy(server->no_request);
    http_heads_destroy(server->heads);
    http_pool_finish(&server->pool);
    free(server);
}

void http_server_drain(struct http_server *server)
{
    server->is_draining = true;
    listener_destroy(TAKE(server->listener));
    struct http_connection *next;
    for (struct http_connection *connection = server->first; connection; connection = next) {
        next = connection->next;
        /* A request that is there already is still answered: it reads once more. */
        if (connection->state == HTTP_STATE_IDLE) {
            connection->is_readable = true;
            http_connection_run(connection);
        }
    }
}

size_t http_server_connection_count(const struct http_server *server)
{
    return server->count;
}
