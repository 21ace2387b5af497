#include "io/http/http_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http/http_turn.h"

enum {
    STEP_SHIFT = 10, /* a KiB costs a step */
    DISCARD_SIZE = 4096,
    RETRY_AFTER_SECONDS = 1,
};

/* What a step leads to. */
enum next { NEXT_STEP, NEXT_WAIT, NEXT_CLOSE };

/* ---- memory ---- */

static bool take_parse(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->parse)
        return true;
    connection->parse = server->parse_count > 0 ? server->parses[--server->parse_count]
                                                : http_parse_create(&server->options, server->heads);
    return connection->parse;
}

static void release_parse(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (!connection->parse)
        return;
    if (http_parse_reset(connection->parse) && server->parse_count < HTTP_POOL_MAX)
        server->parses[server->parse_count++] = connection->parse;
    else
        http_parse_destroy(connection->parse);
    connection->parse = NULL;
}

void http_connection_close(struct http_connection *connection)
{
    struct http_call call = connection->call;
    connection->server->forget(connection);
    event_del(&connection->event);
    event_del(&connection->write_event);
    close(connection->fd);
    release_parse(connection);
    http_output_release(&connection->output, &connection->server->pool);
    peer_identity_finish(&connection->peer);
    free(connection);
    if (call.gone)
        call.gone(call.gone_context);
}

/* ---- steps ---- */

static void charge(struct http_connection *connection, size_t bytes)
{
    connection->uid->steps_left -= (int)(bytes >> STEP_SHIFT);
}

static enum next flush(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    size_t pending = http_output_pending(&connection->output);
    enum http_flush result = http_output_flush(&connection->output, &server->pool, connection->fd);
    if (pending >> STEP_SHIFT > 0)
        charge(connection, pending - http_output_pending(&connection->output));
    switch (result) {
    case HTTP_FLUSH_DONE:
        if (connection->is_blocked)
            event_del(&connection->write_event);
        connection->is_blocked = false;
        connection->write_deadline = 0;
        return NEXT_STEP;
    case HTTP_FLUSH_BLOCKED:
        /* A stream has no last byte to wait for, unless it is pulled: its backlog is what is limited. */
        if (connection->write_deadline == 0 && (connection->state != HTTP_STATE_STREAMING || connection->call.more))
            connection->write_deadline = http_connection_deadline_in(server, server->options.write_deadline_ms);
        if (!connection->is_blocked && event_add(&connection->write_event, NULL) < 0)
            return NEXT_CLOSE;
        connection->is_blocked = true;
        return NEXT_WAIT;
    case HTTP_FLUSH_BROKEN:
        break;
    }
    return NEXT_CLOSE;
}

static enum next read_input(struct http_connection *connection)
{
    size_t size;
    char *room = take_parse(connection) ? http_parse_room(connection->parse, &size) : NULL;
    if (!room) {
        http_reply_refuse(connection, 503, "There is no memory for this request now.", RETRY_AFTER_SECONDS);
        return NEXT_STEP;
    }
    ssize_t length = recv(connection->fd, room, size, 0);
    if (length < 0) {
        connection->is_readable = errno == EINTR;
        return errno == EAGAIN || errno == EINTR ? NEXT_STEP : NEXT_CLOSE;
    }
    charge(connection, (size_t)length);
    http_parse_filled(connection->parse, (size_t)length);
    connection->input_ended = length == 0;
    /* A short read emptied the socket (epoll(7)); only the end may still stand behind it. */
    connection->is_readable = length > 0 && ((size_t)length == size || connection->hung_up);
    return NEXT_STEP;
}

static void handle_request(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    metrics_add(server->metrics, METRIC_HTTP_REQUESTS, 1);
    http_connection_change_state(connection, HTTP_STATE_HANDLING);
    server->callbacks.handle(&connection->call, server->callbacks.context);
}

static void refuse_request(struct http_connection *connection)
{
    const char *message;
    int status = http_parse_refusal(connection->parse, &message);
    http_reply_refuse(connection, status, message, 0);
}

/* Replies of one batch go out with one write, before the next read; a client that does not take them is not read. */
static enum next receive(struct http_connection *connection)
{
    if (connection->is_blocked || http_output_pending(&connection->output) >= HTTP_BATCH_MAX) {
        enum next next = flush(connection);
        if (next != NEXT_STEP)
            return next;
    }
    switch (connection->parse ? http_parse_run(connection->parse) : HTTP_PARSE_NEEDS_MORE) {
    case HTTP_PARSE_COMPLETE:
        handle_request(connection);
        return NEXT_STEP;
    case HTTP_PARSE_REFUSED:
        refuse_request(connection);
        return NEXT_STEP;
    case HTTP_PARSE_NEEDS_MORE:
        break;
    }
    if (connection->parse && http_parse_wants_continue(connection->parse))
        http_output_append_text(&connection->output, &connection->server->pool, "HTTP/1.1 100 Continue\r\n\r\n");
    enum next next = flush(connection);
    if (next != NEXT_STEP)
        return next;
    if (connection->input_ended)
        return NEXT_CLOSE;
    if (connection->is_readable)
        return read_input(connection);
    bool is_between = !connection->parse || http_parse_is_empty(connection->parse);
    return is_between && connection->server->is_draining ? NEXT_CLOSE : NEXT_WAIT;
}

/*
 * A peer that only shut down its sending side still waits for the answer; on a Unix socket one that closed altogether
 * shows as POLLHUP. (TCP cannot tell the two apart before the reply is refused.)
 */
static bool is_peer_gone(const struct http_connection *connection)
{
    struct pollfd probe = {.fd = connection->fd};
    return poll(&probe, 1, 0) > 0 && (probe.revents & (POLLHUP | POLLERR));
}

/* While the call is kept. */
static enum next attend(struct http_connection *connection)
{
    enum next next = flush(connection);
    bool may_be_gone = connection->is_readable || connection->hung_up || connection->input_ended;
    if (next != NEXT_CLOSE && !connection->is_dropped && !(may_be_gone && is_peer_gone(connection))) {
        if (next == NEXT_WAIT || !connection->call.more)
            return NEXT_WAIT;
        connection->call.more(connection->call.more_context);
        return NEXT_STEP;
    }
    connection->is_dropped = true;
    return NEXT_CLOSE;
}

/* Closing with unread input would let the peer's writing fail before it reads the reply: that is dropped first. */
static enum next end(struct http_connection *connection)
{
    enum next next = flush(connection);
    if (next != NEXT_STEP)
        return next;
    bool has_unread = connection->is_refused || connection->is_readable;
    if (!has_unread || connection->input_ended)
        return NEXT_CLOSE;
    http_connection_change_state(connection, HTTP_STATE_LINGERING);
    return NEXT_STEP;
}

static enum next linger(struct http_connection *connection)
{
    char discarded[DISCARD_SIZE];
    ssize_t length = recv(connection->fd, discarded, sizeof discarded, 0);
    if (length > 0 || (length < 0 && errno == EINTR))
        return NEXT_STEP;
    return length < 0 && errno == EAGAIN ? NEXT_WAIT : NEXT_CLOSE;
}

static enum next take_step(struct http_connection *connection)
{
    switch (connection->state) {
    case HTTP_STATE_IDLE:
    case HTTP_STATE_READING:
        return receive(connection);
    case HTTP_STATE_HANDLING:
    case HTTP_STATE_STREAMING:
        return attend(connection);
    case HTTP_STATE_ENDING:
        return end(connection);
    case HTTP_STATE_LINGERING:
        return linger(connection);
    }
    return NEXT_CLOSE;
}

/* ---- the loop's side ---- */

/* Between requests no memory is kept; with the first byte of one its deadline begins. */
static void settle(struct http_connection *connection)
{
    if (connection->state != HTTP_STATE_IDLE && connection->state != HTTP_STATE_READING) {
        if (connection->state >= HTTP_STATE_ENDING)
            release_parse(connection);
        return;
    }
    if (connection->is_blocked || connection->is_waiting)
        return;
    bool is_between = !connection->parse || http_parse_is_empty(connection->parse);
    if (is_between)
        release_parse(connection);
    enum http_state state = is_between ? HTTP_STATE_IDLE : HTTP_STATE_READING;
    if (connection->state != state)
        http_connection_change_state(connection, state);
}

static bool watch(struct http_connection *connection)
{
    if (!connection->is_watched)
        connection->is_watched = event_add(&connection->event, NULL) == 0;
    return connection->is_watched;
}

/* Nobody could be told that the call is gone: it stays until its reply. */
static bool is_kept_silently(const struct http_connection *connection)
{
    bool is_kept = connection->state == HTTP_STATE_HANDLING || connection->state == HTTP_STATE_STREAMING;
    return is_kept && !connection->call.gone;
}

void http_connection_run(struct http_connection *connection)
{
    if (connection->is_running || connection->is_waiting)
        return;
    connection->is_running = true;
    enum next next = NEXT_STEP;
    for (struct http_uid *uid = connection->uid; uid->steps_left > 0 && next == NEXT_STEP; uid->steps_left--)
        next = take_step(connection);
    connection->is_running = false;
    if ((next == NEXT_CLOSE || !watch(connection)) && !is_kept_silently(connection)) {
        http_connection_close(connection);
        return;
    }
    if (next == NEXT_STEP)
        http_turn_wait(connection);
    settle(connection);
}

static void on_event(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    struct http_connection *connection = context;
    if (events & EV_CLOSED)
        connection->hung_up = true;
    if (events & (EV_READ | EV_CLOSED))
        connection->is_readable = true;
    http_connection_run(connection);
}

void http_connection_on_deadline(struct http_connection *connection, int64_t now)
{
    bool is_state_late = connection->deadline > 0 && connection->deadline <= now;
    bool is_write_late = connection->write_deadline > 0 && connection->write_deadline <= now;
    if (!is_state_late && !is_write_late)
        return;
    if (is_kept_silently(connection)) {
        connection->output.failed = true;
    } else if (is_write_late || connection->state != HTTP_STATE_READING) {
        http_connection_close(connection);
    } else {
        http_reply_refuse(connection, 408, "The request did not arrive in time.", 0);
        http_connection_run(connection);
    }
}

struct http_connection *http_connection_create(struct http_server *server, int take_fd)
{
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        close(take_fd);
        return NULL;
    }
    connection->server = server;
    connection->fd = take_fd;
    connection->call.connection = connection;
    struct event_base *base = event_loop_base(server->loop);
    event_assign(&connection->event, base, take_fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_event, connection);
    event_assign(&connection->write_event, base, take_fd, EV_WRITE | EV_ET | EV_PERSIST, on_event, connection);
    connection->is_readable = true;
    http_connection_change_state(connection, HTTP_STATE_IDLE);
    return connection;
}
