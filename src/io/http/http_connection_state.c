#include "io/http/http_connection.h"

#include <sys/socket.h>

#define STATE_DEADLINE(name, deadline)                                                                                 \
    case HTTP_STATE_##name:                                                                                            \
        return (deadline);
static int64_t state_deadline(const struct http_server_options *options, enum http_state state)
{
    switch (state) {
        HTTP_STATE_TABLE(STATE_DEADLINE)
    }
    return 0;
}
#undef STATE_DEADLINE

int64_t http_connection_deadline_in(const struct http_server *server, int64_t ms)
{
    return ms > 0 ? server->now + server->sweep_interval + ms : 0;
}

void http_connection_change_state(struct http_connection *connection, enum http_state state)
{
    connection->state = state;
    connection->deadline =
        http_connection_deadline_in(connection->server, state_deadline(&connection->server->options, state));
    if (state == HTTP_STATE_LINGERING)
        shutdown(connection->fd, SHUT_WR);
}

int64_t http_connection_rested_ms(const struct http_connection *connection)
{
    const struct http_server *server = connection->server;
    if (connection->state != HTTP_STATE_IDLE && connection->state != HTTP_STATE_READING)
        return -1;
    int64_t deadline_of_now = http_connection_deadline_in(server, state_deadline(&server->options, connection->state));
    return deadline_of_now - connection->deadline;
}

void http_connection_wake(struct http_connection *connection)
{
    event_active(&connection->event, EV_TIMEOUT, 0);
}
