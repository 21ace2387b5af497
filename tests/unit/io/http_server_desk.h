/*
 * A server on a Unix socket or on TCP, a handler whose paths say what it does, and clients: what the tests of the HTTP
 * server share.
 */
#ifndef UNIT_IO_HTTP_SERVER_DESK_H
#define UNIT_IO_HTTP_SERVER_DESK_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/http/http_connection.h"
#include "io/http/http_server.h"
#include "io/host/listener.h"
#include "io/host/peer_owner.h"

/* Not every file that shares this needs all of it. */
#define DESK static __attribute__((unused))

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
enum { PATIENCE_MS = 60000, KEPT_MAX = 8 };

static struct event_loop *loop;
static struct http_server *server;
static struct http_server_options options;
static struct metrics metrics;
static char folder[] = "/tmp/test-http-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct sockaddr_in tcp_address;

/* What the handler saw, and the calls it keeps (paths that begin with /keep). */
static struct http_call *kept[KEPT_MAX];
static int kept_count;
static int gone_count;
static int handled_count;
static char large_body[3 * 1024 * 1024];

DESK void on_gone(void *context)
{
    struct http_call **slot = context;
    cr_assert(*slot);
    *slot = NULL;
    gone_count++;
}

DESK void reply_text(struct http_call *call, const char *text)
{
    http_call_reply(call, 200, "text/plain", NULL, 0, text, strlen(text));
}

DESK void reply_body(struct http_call *call)
{
    struct http_text body = http_call_body(call);
    http_call_reply(call, 200, NULL, NULL, 0, body.data, body.length);
}

DESK void reply_ready(struct http_call *call)
{
    static const char head[] = "Content-Type: text/plain\r\nContent-Length: 5\r\n";
    char *room = http_call_reply_ready(call, head, sizeof head - 1, 5);
    cr_assert(room);
    memcpy(room, "ready", 5);
}

DESK void reply_headers(struct http_call *call)
{
    static const struct http_reply_header headers[] = {{"Retry-After", "7"}, {"X-Y", "z"}};
    http_call_reply(call, 503, "text/plain", headers, 2, "no", 2);
}

DESK void reply_nothing(struct http_call *call)
{
    http_call_reply(call, 204, NULL, NULL, 0, NULL, 0);
}

DESK void reply_large(struct http_call *call)
{
    http_call_reply(call, 200, NULL, NULL, 0, large_body, sizeof large_body);
}

DESK void reply_peer(struct http_call *call)
{
    const struct peer *peer = http_call_peer(call);
    http_call_find_peer_unit(call);
    char text[64] = "none";
    if (peer)
        snprintf(text, sizeof text, "%ld %ld", (long)peer->uid, (long)peer->pid);
    reply_text(call, text);
}

DESK void keep(struct http_call *call)
{
    cr_assert_lt(kept_count, KEPT_MAX);
    kept[kept_count] = call;
    http_call_on_gone(call, on_gone, &kept[kept_count]);
    kept_count++;
}

DESK void keep_silently(struct http_call *call)
{
    kept[kept_count++] = call;
}

DESK void stream(struct http_call *call)
{
    keep(call);
    http_call_stream_begin(call, "application/json");
    http_call_stream_write(call, "first\n", 6);
}

static size_t pulled_parts;
enum { PULLED_PARTS = 100, PULLED_PART = 40000 };

DESK void pull_part(void *context)
{
    struct http_call *call = context;
    if (pulled_parts++ == PULLED_PARTS)
        http_call_stream_end(call);
    else
        http_call_stream_write(call, large_body, PULLED_PART);
}

DESK void stream_pulled(struct http_call *call)
{
    keep(call);
    pulled_parts = 0;
    http_call_stream_begin(call, "application/json");
    http_call_stream_pull(call, pull_part, call);
}

/* As dear as a whole turn. */
DESK void answer_dearly(struct http_call *call)
{
    http_call_charge(call, 200);
    reply_text(call, "dear");
}

DESK void drain(struct http_call *call)
{
    http_server_drain(server);
    reply_text(call, "last");
}

static const struct {
    const char *path;
    void (*answer)(struct http_call *call);
} routes[] = {
    {"/body", reply_body},
    {"/ready", reply_ready},
    {"/headers", reply_headers},
    {"/nothing", reply_nothing},
    {"/large", reply_large},
    {"/peer", reply_peer},
    {"/keep", keep},
    {"/silent", keep_silently},
    {"/stream", stream},
    {"/pulled", stream_pulled},
    {"/dear", answer_dearly},
    {"/drain", drain},
};

DESK void handle(struct http_call *call, void *context)
{
    cr_assert_eq(context, &metrics);
    handled_count++;
    struct http_text path = http_call_path(call);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (path.length == strlen(routes[i].path) && memcmp(path.data, routes[i].path, path.length) == 0) {
            routes[i].answer(call);
            return;
        }
    }
    char text[128];
    snprintf(text, sizeof text, "<%.*s>", (int)path.length, path.data);
    reply_text(call, text);
}

DESK void refuse(struct http_call *call, const struct http_refusal *refusal, void *context)
{
    cr_assert_eq(context, &metrics);
    struct http_text path = http_call_path(call);
    char text[256];
    int length = snprintf(text, sizeof text, "[%.*s: %s %d]", (int)path.length, path.data, refusal->message,
                          refusal->retry_after);
    http_call_reply(call, refusal->status, "text/plain", NULL, 0, text, (size_t)length);
}

static const struct http_server_callbacks callbacks = {handle, refuse, &metrics};

/* ---- the server under test ---- */

DESK void open_all(void)
{
    memset(large_body, 'L', sizeof large_body);
    cr_assert(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    cr_assert_eq(event_loop_create(&loop, NULL), OK);
    options = http_server_default_options();
}

DESK void start(void)
{
    int fd = -1;
    struct error error = {0};
    cr_assert_eq(listener_bind_unix(address.sun_path, 0600, NULL, &fd, &error), OK, "%s", error.message);
    cr_assert_eq(http_server_create(loop, fd, &options, &metrics, &callbacks, &server, &error), OK, "%s",
                 error.message);
}

DESK void start_tcp(void)
{
    int fd = -1;
    socklen_t size = sizeof tcp_address;
    cr_assert_eq(listener_bind_tcp("127.0.0.1:0", &fd, NULL), OK);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&tcp_address, &size), 0);
    options.is_local = false;
    cr_assert_eq(http_server_create(loop, fd, &options, &metrics, &callbacks, &server, NULL), OK);
}

DESK void close_all(void)
{
    http_server_destroy(server);
    cr_expect_eq(metrics.values[METRIC_HTTP_CONNECTIONS], 0);
    event_loop_destroy(loop);
    unlink(address.sun_path);
    rmdir(folder);
}

/* ---- a client ---- */

struct client {
    int fd;
    bool ended;
    int reason; /* of the end: 0, or errno */
    size_t length;
    char *text;
};

DESK void turn(void)
{
    cr_assert_geq(event_base_loop(event_loop_base(loop), EVLOOP_NONBLOCK), 0);
}

DESK struct client client_open(void)
{
    struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .text = strdup("")};
    cr_assert_geq(client.fd, 0);
    cr_assert_eq(connect(client.fd, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

DESK struct client client_open_tcp(void)
{
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .text = strdup("")};
    cr_assert_geq(client.fd, 0);
    cr_assert_eq(connect(client.fd, (struct sockaddr *)&tcp_address, sizeof tcp_address), 0);
    fcntl(client.fd, F_SETFL, O_NONBLOCK);
    return client;
}

DESK void client_close(struct client *client)
{
    close(client->fd);
    free(client->text);
    *client = (struct client){.fd = -1};
}

/* Sends what the server takes within its turns; false when it takes no more. */
DESK bool client_send_bytes(struct client *client, const char *bytes, size_t length)
{
    int64_t end = clock_boot_ms() + 2000;
    while (length > 0 && clock_boot_ms() < end) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
        turn();
    }
    return length == 0;
}

DESK void client_send(struct client *client, const char *text)
{
    cr_assert(client_send_bytes(client, text, strlen(text)));
}

DESK void client_read(struct client *client)
{
    static char piece[64 * 1024];
    ssize_t length = recv(client->fd, piece, sizeof piece, 0);
    if (length > 0) {
        client->text = realloc(client->text, client->length + (size_t)length + 1);
        memcpy(client->text + client->length, piece, (size_t)length);
        client->length += (size_t)length;
        client->text[client->length] = '\0';
    } else if (length == 0 || errno != EAGAIN) {
        client->ended = true;
        client->reason = length == 0 ? 0 : errno;
    }
}

/* Until the client has `count` texts like that. */
DESK size_t occurrences(const struct client *client, const char *text)
{
    size_t count = 0;
    for (const char *at = client->text; (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

DESK void client_expect(struct client *client, const char *text, size_t count)
{
    int64_t end = clock_boot_ms() + PATIENCE_MS;
    while (occurrences(client, text) < count) {
        turn();
        client_read(client);
        cr_assert(!client->ended || occurrences(client, text) >= count, "ended with: %.500s", client->text);
        cr_assert_lt(clock_boot_ms(), end, "waited for %s, got: %.500s", text, client->text);
    }
}

DESK void client_expect_end(struct client *client)
{
    int64_t end = clock_boot_ms() + PATIENCE_MS;
    while (!client->ended) {
        turn();
        client_read(client);
        cr_assert_lt(clock_boot_ms(), end, "still open after: %.500s", client->text);
    }
}

DESK void client_forget_text(struct client *client)
{
    client->length = 0;
    client->text[0] = '\0';
}

DESK void expect_until(const int *counter, int wanted)
{
    int64_t end = clock_boot_ms() + PATIENCE_MS;
    while (*counter < wanted) {
        turn();
        cr_assert_lt(clock_boot_ms(), end);
    }
}

/* At least a few turns, however long this process has to wait for a processor. */
DESK void turn_for(int64_t ms)
{
    int64_t end = clock_boot_ms() + ms;
    for (int turns = 0; turns < 10 || clock_boot_ms() < end; turns++)
        turn();
}

DESK void expect_connections(size_t wanted)
{
    for (int64_t end = clock_boot_ms() + PATIENCE_MS; http_server_connection_count(server) != wanted;) {
        turn();
        cr_assert_lt(clock_boot_ms(), end);
    }
}

#endif
