#include "io/http/http_connection.h"

/* What a handler asks about its request. */

/*
 * What looking for a peer's unit costs, in usual calls: by /proc/PID, or in some hundred cgroups where that is hidden.
 */
enum { UNIT_READ_CALLS = 5, UNIT_SEARCH_CALLS = 1000 };

enum http_verb http_call_verb(const struct http_call *call)
{
    return http_parse_verb(call->connection->parse);
}

struct http_text http_call_path(const struct http_call *call)
{
    return http_parse_path(call->connection->parse);
}

struct http_text http_call_query(const struct http_call *call)
{
    return http_parse_query(call->connection->parse);
}

bool http_call_header(const struct http_call *call, const char *name, struct http_text *ret_value)
{
    return http_parse_header(call->connection->parse, name, ret_value);
}

struct http_text http_call_body(const struct http_call *call)
{
    return http_parse_body(call->connection->parse);
}

const struct peer *http_call_peer(const struct http_call *call)
{
    return call->connection->server->options.is_local ? &call->connection->peer.peer : NULL;
}

void http_call_find_peer_unit(struct http_call *call)
{
    struct peer_identity *identity = &call->connection->peer;
    if (!call->connection->server->options.is_local)
        return;
    peer_identity_find_unit(identity, call->connection->fd);
    http_call_charge(call, identity->was_searched ? UNIT_SEARCH_CALLS : UNIT_READ_CALLS);
}

bool http_call_peer_is_there(const struct http_call *call)
{
    return call->connection->server->options.is_local &&
           peer_identity_is_there(&call->connection->peer, call->connection->fd);
}

void http_call_on_gone(struct http_call *call, http_call_gone *gone, void *context)
{
    call->gone = gone;
    call->gone_context = context;
}
