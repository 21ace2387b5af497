#include "io/http/http_connection.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { STATUS_LINE_MAX = 80, LENGTH_LINE_MAX = 48, CHUNK_LINE_MAX = 24 };

static const char close_line[] = "Connection: close\r\n";
static const char keep_alive_line[] = "Connection: keep-alive\r\n";

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

/* RFC 9112 §4: the phrase may be empty, and nobody reads it. */
static const char *reason_phrase(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

/* RFC 9110 §15.3.5, §15.4.5: these never have a body. */
static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

static const char status_200_line[] = "HTTP/1.1 200 OK\r\n";

/* Status line 200 and Date, written anew once a second. */
static void refresh_prefix(struct http_server *server)
{
    time_t now = time(NULL);
    if (now == server->prefix_second)
        return;
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc;
    gmtime_r(&now, &utc);
    /* RFC 9110 §5.6.7; strftime would speak the locale's language. */
    int length = snprintf(server->prefix, sizeof server->prefix, "%sDate: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                          status_200_line, days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900,
                          utc.tm_hour, utc.tm_min, utc.tm_sec);
    assert(length > 0 && (size_t)length < sizeof server->prefix);
    server->prefix_length = (size_t)length;
    server->prefix_second = now;
}

static struct http_text text_of(const char *text, size_t length)
{
    return (struct http_text){text, length};
}

/* What this reply has to say about the connection: nothing where the version's default holds (RFC 9112 §9.3). */
static struct http_text connection_line(struct http_connection *connection)
{
    if (connection->server->is_draining || !http_parse_keeps_alive(connection->parse))
        connection->ends_after = true;
    if (connection->ends_after)
        return text_of(close_line, sizeof close_line - 1);
    if (http_parse_is_version_1_0(connection->parse))
        return text_of(keep_alive_line, sizeof keep_alive_line - 1);
    return text_of("", 0);
}

static void append(struct http_connection *connection, const char *bytes, size_t length)
{
    http_output_append(&connection->output, &connection->server->pool, bytes, length);
}

static void append_text(struct http_connection *connection, const char *text)
{
    append(connection, text, strlen(text));
}

static void append_header(struct http_connection *connection, const char *name, const char *value)
{
    assert(!strpbrk(name, "\r\n") && !strpbrk(value, "\r\n"));
    append_text(connection, name);
    append(connection, ": ", 2);
    append_text(connection, value);
    append(connection, "\r\n", 2);
}

static void append_status_and_date(struct http_connection *connection, int status)
{
    struct http_server *server = connection->server;
    refresh_prefix(server);
    if (status == 200) {
        append(connection, server->prefix, server->prefix_length);
        return;
    }
    char line[STATUS_LINE_MAX];
    snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, reason_phrase(status));
    append_text(connection, line);
    append(connection, server->prefix + sizeof status_200_line - 1, server->prefix_length - sizeof status_200_line + 1);
}

static void append_body(struct http_connection *connection, const char *body, size_t length, bool is_head)
{
    char line[LENGTH_LINE_MAX];
    snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", length);
    append_text(connection, line);
    if (!is_head)
        append(connection, body, length);
}

/* The call is over: what comes next is the connection's. Sending, and the next request, wait for the loop. */
static void finish_call(struct http_connection *connection)
{
    connection->call.gone = NULL;
    connection->call.more = NULL;
    connection->is_dropped = false;
    http_parse_finish_request(connection->parse);
    if (connection->ends_after && !http_parse_is_empty(connection->parse))
        connection->is_refused = true;
    http_connection_change_state(connection, connection->ends_after ? HTTP_STATE_ENDING : HTTP_STATE_IDLE);
    if (!connection->is_running)
        http_connection_wake(connection);
}

static struct http_connection *answered(struct http_call *call)
{
    assert(call->connection->state == HTTP_STATE_HANDLING);
    return call->connection;
}

static bool is_head_alone(const struct http_connection *connection)
{
    return http_parse_verb(connection->parse) == HTTP_VERB_HEAD;
}

void http_call_reply(struct http_call *call, int status, const char *content_type,
                     const struct http_reply_header *headers, size_t count, const char *body, size_t length)
{
    struct http_connection *connection = answered(call);
    append_status_and_date(connection, status);
    struct http_text line = connection_line(connection);
    append(connection, line.data, line.length);
    if (content_type)
        append_header(connection, "Content-Type", content_type);
    for (size_t i = 0; i < count; i++)
        append_header(connection, headers[i].name, headers[i].value);
    if (has_no_body(status))
        append(connection, "\r\n", 2);
    else
        append_body(connection, body, length, is_head_alone(connection));
    finish_call(connection);
}

static char *put(char *at, const char *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

char *http_call_reply_ready(struct http_call *call, const char *head, size_t head_length, size_t length)
{
    struct http_connection *connection = answered(call);
    struct http_server *server = connection->server;
    refresh_prefix(server);
    struct http_text line = connection_line(connection);
    size_t size = server->prefix_length + line.length + head_length + 2 + length;
    char *at = http_output_room(&connection->output, &server->pool, size);
    if (at) {
        at = put(at, server->prefix, server->prefix_length);
        at = put(at, line.data, line.length);
        at = put(at, head, head_length);
        at = put(at, "\r\n", 2);
        if (is_head_alone(connection))
            http_output_hide(&connection->output, length);
    }
    finish_call(connection);
    return at;
}

/* ---- streams ---- */

void http_call_stream_begin(struct http_call *call, const char *content_type)
{
    struct http_connection *connection = answered(call);
    connection->is_chunked = !http_parse_is_version_1_0(connection->parse);
    if (!connection->is_chunked)
        connection->ends_after = true;
    append_status_and_date(connection, 200);
    struct http_text line = connection_line(connection);
    append(connection, line.data, line.length);
    append_header(connection, "Content-Type", content_type);
    append_text(connection, "Cache-Control: no-store\r\n");
    append_text(connection, connection->is_chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    http_connection_change_state(connection, HTTP_STATE_STREAMING);
    if (!connection->is_running)
        http_connection_wake(connection);
}

/* What the socket takes at once is not unread: only the rest counts as the reader's backlog. */
static bool has_backlog_room(struct http_connection *connection, size_t length)
{
    size_t limit = connection->server->options.max_stream_backlog;
    struct http_output *output = &connection->output;
    if (http_output_pending(output) + length <= limit)
        return true;
    if (http_output_flush(output, &connection->server->pool, connection->fd) == HTTP_FLUSH_BROKEN)
        return false;
    return http_output_pending(output) == 0 || http_output_pending(output) + length <= limit;
}

void http_call_stream_write(struct http_call *call, const char *data, size_t length)
{
    struct http_connection *connection = call->connection;
    assert(connection->state == HTTP_STATE_STREAMING);
    if (connection->is_dropped || length == 0 || is_head_alone(connection))
        return;
    if (!has_backlog_room(connection, length)) {
        connection->is_dropped = true;
    } else if (connection->is_chunked) {
        char line[CHUNK_LINE_MAX];
        snprintf(line, sizeof line, "%zx\r\n", length);
        append_text(connection, line);
        append(connection, data, length);
        append(connection, "\r\n", 2);
    } else {
        append(connection, data, length);
    }
    if (!connection->is_running)
        http_connection_wake(connection);
}

void http_call_stream_end(struct http_call *call)
{
    struct http_connection *connection = call->connection;
    assert(connection->state == HTTP_STATE_STREAMING);
    /* A reader that missed a part must see that the stream is not whole. */
    if (connection->is_dropped)
        connection->output.failed = true;
    else if (connection->is_chunked && !is_head_alone(connection))
        append_text(connection, "0\r\n\r\n");
    if (connection->server->is_draining)
        connection->ends_after = true;
    finish_call(connection);
}

void http_call_stream_pull(struct http_call *call, http_call_more *more, void *context)
{
    assert(call->connection->state == HTTP_STATE_STREAMING);
    call->more = more;
    call->more_context = context;
    if (!call->connection->is_running)
        http_connection_wake(call->connection);
}

/* ---- refusals ---- */

void http_reply_refuse(struct http_connection *connection, int status, const char *message, int retry_after)
{
    struct http_server *server = connection->server;
    const struct http_refusal refusal = {.status = status, .message = message, .retry_after = retry_after};
    metrics_add(server->metrics, METRIC_HTTP_REFUSED, 1);
    bool has_request = connection->parse;
    if (!has_request)
        connection->parse = server->no_request;
    http_parse_find_path(connection->parse);
    connection->is_refused = true;
    connection->ends_after = true;
    http_connection_change_state(connection, HTTP_STATE_HANDLING);
    server->callbacks.refuse(&connection->call, &refusal, server->callbacks.context);
    assert(connection->state == HTTP_STATE_ENDING);
    if (!has_request)
        connection->parse = NULL;
}
