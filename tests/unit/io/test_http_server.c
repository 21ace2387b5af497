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
#include "io/http_connection.h"
#include "io/http_server.h"
#include "io/listener.h"
#include "io/peer_owner.h"

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

static void on_gone(void *context)
{
    struct http_call **slot = context;
    cr_assert(*slot);
    *slot = NULL;
    gone_count++;
}

static void reply_text(struct http_call *call, const char *text)
{
    http_call_reply(call, 200, "text/plain", NULL, 0, text, strlen(text));
}

static void reply_body(struct http_call *call)
{
    struct http_text body = http_call_body(call);
    http_call_reply(call, 200, NULL, NULL, 0, body.data, body.length);
}

static void reply_ready(struct http_call *call)
{
    static const char head[] = "Content-Type: text/plain\r\nContent-Length: 5\r\n";
    char *room = http_call_reply_ready(call, head, sizeof head - 1, 5);
    cr_assert(room);
    memcpy(room, "ready", 5);
}

static void reply_headers(struct http_call *call)
{
    static const struct http_reply_header headers[] = {{"Retry-After", "7"}, {"X-Y", "z"}};
    http_call_reply(call, 503, "text/plain", headers, 2, "no", 2);
}

static void reply_nothing(struct http_call *call)
{
    http_call_reply(call, 204, NULL, NULL, 0, NULL, 0);
}

static void reply_large(struct http_call *call)
{
    http_call_reply(call, 200, NULL, NULL, 0, large_body, sizeof large_body);
}

static void reply_peer(struct http_call *call)
{
    const struct peer *peer = http_call_peer(call);
    http_call_find_peer_unit(call);
    char text[64] = "none";
    if (peer)
        snprintf(text, sizeof text, "%ld %ld", (long)peer->uid, (long)peer->pid);
    reply_text(call, text);
}

static void keep(struct http_call *call)
{
    cr_assert_lt(kept_count, KEPT_MAX);
    kept[kept_count] = call;
    http_call_on_gone(call, on_gone, &kept[kept_count]);
    kept_count++;
}

static void keep_silently(struct http_call *call)
{
    kept[kept_count++] = call;
}

static void stream(struct http_call *call)
{
    keep(call);
    http_call_stream_begin(call, "application/json");
    http_call_stream_write(call, "first\n", 6);
}

static size_t pulled_parts;
enum { PULLED_PARTS = 100, PULLED_PART = 40000 };

static void pull_part(void *context)
{
    struct http_call *call = context;
    if (pulled_parts++ == PULLED_PARTS)
        http_call_stream_end(call);
    else
        http_call_stream_write(call, large_body, PULLED_PART);
}

static void stream_pulled(struct http_call *call)
{
    keep(call);
    pulled_parts = 0;
    http_call_stream_begin(call, "application/json");
    http_call_stream_pull(call, pull_part, call);
}

/* As dear as a whole turn. */
static void answer_dearly(struct http_call *call)
{
    http_call_charge(call, 200);
    reply_text(call, "dear");
}

static void drain(struct http_call *call)
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

static void handle(struct http_call *call, void *context)
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

static void refuse(struct http_call *call, const struct http_refusal *refusal, void *context)
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

static void open_all(void)
{
    memset(large_body, 'L', sizeof large_body);
    cr_assert(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    cr_assert_eq(event_loop_create(&loop, NULL), OK);
    options = http_server_default_options();
}

static void start(void)
{
    int fd = -1;
    struct error error = {0};
    cr_assert_eq(listener_bind_unix(address.sun_path, 0600, NULL, &fd, &error), OK, "%s", error.message);
    cr_assert_eq(http_server_create(loop, fd, &options, &metrics, &callbacks, &server, &error), OK, "%s",
                 error.message);
}

static void start_tcp(void)
{
    int fd = -1;
    socklen_t size = sizeof tcp_address;
    cr_assert_eq(listener_bind_tcp("127.0.0.1:0", &fd, NULL), OK);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&tcp_address, &size), 0);
    options.is_local = false;
    cr_assert_eq(http_server_create(loop, fd, &options, &metrics, &callbacks, &server, NULL), OK);
}

static void close_all(void)
{
    http_server_destroy(server);
    cr_expect_eq(metrics.values[METRIC_HTTP_CONNECTIONS], 0);
    event_loop_destroy(loop);
    unlink(address.sun_path);
    rmdir(folder);
}

TestSuite(http_server, .init = open_all, .fini = close_all, .timeout = 300);

/* ---- a client ---- */

struct client {
    int fd;
    bool ended;
    int reason; /* of the end: 0, or errno */
    size_t length;
    char *text;
};

static void turn(void)
{
    cr_assert_geq(event_base_loop(event_loop_base(loop), EVLOOP_NONBLOCK), 0);
}

static struct client client_open(void)
{
    struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .text = strdup("")};
    cr_assert_geq(client.fd, 0);
    cr_assert_eq(connect(client.fd, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static struct client client_open_tcp(void)
{
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .text = strdup("")};
    cr_assert_geq(client.fd, 0);
    cr_assert_eq(connect(client.fd, (struct sockaddr *)&tcp_address, sizeof tcp_address), 0);
    fcntl(client.fd, F_SETFL, O_NONBLOCK);
    return client;
}

static void client_close(struct client *client)
{
    close(client->fd);
    free(client->text);
    *client = (struct client){.fd = -1};
}

/* Sends what the server takes within its turns; false when it takes no more. */
static bool client_send_bytes(struct client *client, const char *bytes, size_t length)
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

static void client_send(struct client *client, const char *text)
{
    cr_assert(client_send_bytes(client, text, strlen(text)));
}

static void client_read(struct client *client)
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
static size_t occurrences(const struct client *client, const char *text)
{
    size_t count = 0;
    for (const char *at = client->text; (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

static void client_expect(struct client *client, const char *text, size_t count)
{
    int64_t end = clock_boot_ms() + PATIENCE_MS;
    while (occurrences(client, text) < count) {
        turn();
        client_read(client);
        cr_assert(!client->ended || occurrences(client, text) >= count, "ended with: %.500s", client->text);
        cr_assert_lt(clock_boot_ms(), end, "waited for %s, got: %.500s", text, client->text);
    }
}

static void client_expect_end(struct client *client)
{
    int64_t end = clock_boot_ms() + PATIENCE_MS;
    while (!client->ended) {
        turn();
        client_read(client);
        cr_assert_lt(clock_boot_ms(), end, "still open after: %.500s", client->text);
    }
}

static void client_forget_text(struct client *client)
{
    client->length = 0;
    client->text[0] = '\0';
}

static void expect_until(const int *counter, int wanted)
{
    int64_t end = clock_boot_ms() + PATIENCE_MS;
    while (*counter < wanted) {
        turn();
        cr_assert_lt(clock_boot_ms(), end);
    }
}

/* At least a few turns, however long this process has to wait for a processor. */
static void turn_for(int64_t ms)
{
    int64_t end = clock_boot_ms() + ms;
    for (int turns = 0; turns < 10 || clock_boot_ms() < end; turns++)
        turn();
}

static void expect_connections(size_t wanted)
{
    for (int64_t end = clock_boot_ms() + PATIENCE_MS; http_server_connection_count(server) != wanted;) {
        turn();
        cr_assert_lt(clock_boot_ms(), end);
    }
}

/* ---- replies ---- */

Test(http_server, answers_on_one_connection_again_and_again)
{
    start();
    struct client client = client_open();
    for (int i = 0; i < 3; i++) {
        client_send(&client, GET("/a?b"));
        client_expect(&client, "</a>", 1);
        cr_assert_eq(strncmp(client.text, "HTTP/1.1 200 OK\r\nDate: ", 23), 0, "%s", client.text);
        cr_assert(strstr(client.text, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n</a>"));
        cr_assert_null(strstr(client.text, "Connection:"));
        client_forget_text(&client);
    }
    cr_assert_eq(metrics.values[METRIC_HTTP_REQUESTS], 3);
    cr_assert_eq(metrics.values[METRIC_HTTP_CONNECTIONS], 1);
    cr_assert_eq(http_server_connection_count(server), 1);
    client_close(&client);
    turn();
    cr_assert_eq(http_server_connection_count(server), 0);
}

Test(http_server, date_is_an_http_date)
{
    start();
    struct client client = client_open();
    int64_t before = time(NULL);
    client_send(&client, GET("/a"));
    client_expect(&client, "</a>", 1);
    struct tm utc = {0};
    const char *date = strstr(client.text, "Date: ") + 6;
    cr_assert(strptime(date, "%a, %d %b %Y %H:%M:%S GMT\r\n", &utc));
    cr_assert_geq(timegm(&utc), before);
    cr_assert_leq(timegm(&utc), time(NULL));
    client_close(&client);
}

Test(http_server, ready_reply_has_its_own_headers_and_the_body_that_was_filled_in)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/ready"));
    client_expect(&client, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nready", 1);
    client_close(&client);
}

Test(http_server, head_gets_headers_alone_and_the_next_reply_follows_at_once)
{
    start();
    struct client client = client_open();
    client_send(&client, "HEAD /ready HTTP/1.1\r\nHost: x\r\n\r\nHEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" GET("/b"));
    client_expect(&client, "</b>", 1);
    cr_assert(strstr(client.text, "Content-Length: 5\r\n\r\nHTTP/1.1 200"));
    cr_assert(strstr(client.text, "Content-Length: 4\r\n\r\nHTTP/1.1 200"));
    client_close(&client);
}

Test(http_server, status_headers_and_empty_replies_are_as_asked_for)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/headers") GET("/nothing") GET("/a"));
    client_expect(&client, "</a>", 1);
    cr_assert_eq(strncmp(client.text, "HTTP/1.1 503 Service Unavailable\r\nDate: ", 40), 0);
    cr_assert(
        strstr(client.text, "\r\nRetry-After: 7\r\nX-Y: z\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 204 No Content\r\n"));
    cr_assert_null(strstr(client.text, "Content-Length: 0"));
    client_close(&client);
}

Test(http_server, connection_is_kept_or_closed_as_the_version_says)
{
    static const struct {
        const char *request;
        const char *line;
        bool kept;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", NULL, true},
        {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "\r\nConnection: close\r\n", false},
        {"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "\r\nConnection: close\r\n", false},
        {"GET /a HTTP/1.0\r\n\r\n", "\r\nConnection: close\r\n", false},
        {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "\r\nConnection: keep-alive\r\n", true},
    };
    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client = client_open();
        client_send(&client, rows[i].request);
        client_expect(&client, "\r\n\r\n", 1);
        cr_assert(rows[i].line ? strstr(client.text, rows[i].line) != NULL : !strstr(client.text, "Connection:"));
        if (rows[i].kept) {
            client_send(&client, GET("/again"));
            client_expect(&client, "</again>", 1);
        } else {
            client_expect_end(&client);
            cr_assert_eq(client.reason, 0);
        }
        client_close(&client);
    }
}

Test(http_server, large_reply_arrives_whole_through_many_partial_writes)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/large") GET("/b"));
    client_expect(&client, "</b>", 1);
    const char *body = strstr(client.text, "\r\n\r\n") + 4;
    cr_assert_eq(strspn(body, "L"), sizeof large_body);
    client_close(&client);
}

Test(http_server, body_reaches_the_handler_however_it_comes)
{
    static const char request[] = "PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n{body}";
    start();
    for (size_t cut = 1; cut < sizeof request - 1; cut++) {
        struct client client = client_open();
        cr_assert(client_send_bytes(&client, request, cut));
        client_send(&client, request + cut);
        client_expect(&client, "Content-Length: 6\r\n\r\n{body}", 1);
        client_close(&client);
    }
}

Test(http_server, idle_connection_keeps_no_buffers)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/a"));
    client_expect(&client, "</a>", 1);
    cr_assert_null(server->first->parse);
    cr_assert_null(server->first->output.data);
    cr_assert_eq(server->parse_count, 1);
    cr_assert_eq(server->pool.count, 1);
    client_close(&client);
}

Test(http_server, peer_is_known_on_a_unix_socket_and_not_on_tcp)
{
    start();
    struct client client = client_open();
    char expected[64];
    snprintf(expected, sizeof expected, "\r\n\r\n%ld %ld", (long)geteuid(), (long)getpid());
    client_send(&client, GET("/peer"));
    client_expect(&client, expected, 1);
    client_close(&client);
    http_server_destroy(TAKE(server));

    start_tcp();
    client = client_open_tcp();
    client_send(&client, GET("/peer"));
    client_expect(&client, "\r\n\r\nnone", 1);
    client_close(&client);
}

/* ---- what is refused ---- */

Test(http_server, refused_requests_get_the_envelope_and_the_end)
{
    static const struct {
        const char *request;
        const char *status;
        const char *path; /* what the owner may ask for */
    } rows[] = {
        {"GET /a HTTP/1.1\r\n\r\n", "400 Bad Request", "/a"},
        {"GET /a?b HTTP/1.1\nHost: x\n\n", "400 Bad Request", "/a"},
        {"GET /v2/x HTTP/3.0\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported", "/v2/x"},
        {"POST /v2/x HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", "413 Content Too Large", "/v2/x"},
        {"POST http://h/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad Request", "/c"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 Bad Request", "/"},
        {"\x16\x03\x01\x02", "400 Bad Request", "/"},
        {"\n", "400 Bad Request", "/"},
    };
    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client = client_open();
        client_send(&client, rows[i].request);
        client_expect_end(&client);
        char line[64];
        int length = snprintf(line, sizeof line, "HTTP/1.1 %s\r\nDate: ", rows[i].status);
        cr_assert_eq(strncmp(client.text, line, (size_t)length), 0, "%s", client.text);
        cr_assert(strstr(client.text, "\r\nConnection: close\r\nContent-Type: text/plain\r\n"));
        snprintf(line, sizeof line, "\r\n\r\n[%s: ", rows[i].path);
        cr_assert(strstr(client.text, line) && strstr(client.text, " 0]"), "%s", client.text);
        cr_assert_eq(client.reason, 0);
        cr_assert_eq(metrics.values[METRIC_HTTP_REFUSED], (int64_t)i + 1);
        client_close(&client);
    }
    cr_assert_eq(handled_count, 0);
}

Test(http_server, good_requests_before_a_bad_one_are_answered)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/a") GET("/b") "nonsense\r\n\r\n" GET("/c"));
    client_expect_end(&client);
    cr_assert(strstr(client.text, "</a>") && strstr(client.text, "</b>") && strstr(client.text, " 400 "));
    cr_assert_null(strstr(client.text, "</c>"));
    client_close(&client);
}

/* The path of a request that was answered before is none of the one that is refused. */
Test(http_server, refusal_knows_no_path_of_an_earlier_request)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/earlier") "\n");
    client_expect_end(&client);
    cr_assert(strstr(client.text, "</earlier>") && strstr(client.text, "[/: "), "%s", client.text);
    client_close(&client);
}

Test(http_server, refused_head_has_no_body)
{
    start();
    struct client client = client_open();
    client_send(&client, "HEAD /a HTTP/1.1\r\n\r\n");
    client_expect_end(&client);
    cr_assert(strstr(client.text, "HTTP/1.1 400 "));
    cr_assert_null(strstr(client.text, "[/a: "), "%s", client.text);
    client_close(&client);
}

Test(http_server, client_that_is_still_sending_a_large_body_can_read_the_refusal)
{
    start();
    struct client client = client_open();
    client_send(&client, "PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3145728\r\n\r\n");
    cr_assert(client_send_bytes(&client, large_body, sizeof large_body));
    client_expect(&client, "HTTP/1.1 413 ", 1);
    client_close(&client);
    turn();
    cr_assert_eq(http_server_connection_count(server), 0);
}

Test(http_server, expecting_client_is_told_to_continue_or_refused_before_the_body)
{
    start();
    struct client client = client_open();
    client_send(&client, "PUT /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    client_expect(&client, "HTTP/1.1 100 Continue\r\n\r\n", 1);
    client_send(&client, "body");
    client_expect(&client, "\r\n\r\nbody", 1);
    client_close(&client);
    client = client_open();
    client_send(&client, "PUT /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 400000\r\n\r\n");
    client_expect_end(&client);
    cr_assert_eq(strncmp(client.text, "HTTP/1.1 413 ", 13), 0);
    client_close(&client);
}

/* ---- pipelines and kept calls ---- */

Test(http_server, pipeline_is_answered_in_order_wherever_it_is_cut)
{
    static const char pipeline[] = GET("/1") "PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{2}" GET("/3");
    start();
    for (size_t cut = 0; cut < sizeof pipeline - 1; cut++) {
        struct client client = client_open();
        cr_assert(client_send_bytes(&client, pipeline, cut));
        client_send(&client, pipeline + cut);
        client_expect(&client, "</3>", 1);
        const char *first = strstr(client.text, "</1>");
        const char *second = strstr(client.text, "{2}");
        cr_assert(first && second && first < second && second < strstr(client.text, "</3>"));
        client_close(&client);
    }
}

Test(http_server, request_behind_a_kept_call_waits_for_its_reply)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/a") GET("/keep") GET("/b") GET("/keep") GET("/c"));
    client_expect(&client, "</a>", 1);
    cr_assert_eq(handled_count, 2);
    reply_text(kept[0], "kept-1");
    cr_assert_eq(handled_count, 2, "a reply must not run the next handler under its caller");
    client_expect(&client, "</b>", 1);
    cr_assert_eq(handled_count, 4);
    char *room = http_call_reply_ready(kept[1], "Content-Length: 6\r\n", 19, 6);
    memcpy(room, "kept-2", 6);
    client_expect(&client, "</c>", 1);
    const char *one = strstr(client.text, "kept-1HTTP/1.1 200");
    const char *two = strstr(client.text, "kept-2HTTP/1.1 200");
    cr_assert(one && two && one < two);
    cr_assert_eq(gone_count, 0);
    client_close(&client);
}

Test(http_server, client_is_not_read_while_its_call_is_kept)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/keep"));
    expect_until(&kept_count, 1);
    size_t taken = 0;
    for (;;) {
        ssize_t sent = send(client.fd, large_body, sizeof large_body, MSG_NOSIGNAL);
        turn();
        if (sent < 0)
            break;
        taken += (size_t)sent;
        cr_assert_lt(taken, sizeof large_body);
    }
    cr_assert_eq(errno, EAGAIN);
    client_close(&client);
    expect_until(&gone_count, 1);
}

Test(http_server, client_that_does_not_read_is_not_read_either)
{
    start();
    struct client client = client_open();
    static const char request[] = GET("/large");
    size_t taken = 0;
    for (int misses = 0; misses < 5;) {
        ssize_t sent = send(client.fd, request, sizeof request - 1, MSG_NOSIGNAL);
        turn();
        misses = sent < 0 ? misses + 1 : 0;
        taken += sent > 0 ? (size_t)sent : 0;
        cr_assert_lt(taken, sizeof large_body);
    }
    cr_assert_leq(handled_count, 2);
    client_close(&client);
}

Test(http_server, long_pipeline_does_not_starve_others)
{
    start();
    struct client busy = client_open();
    static char pipeline[20 * 3000];
    static const char one[] = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for (size_t i = 0; i + sizeof one < sizeof pipeline; i += sizeof one - 1)
        memcpy(pipeline + i, one, sizeof one - 1);
    size_t count = (sizeof pipeline - sizeof one) / (sizeof one - 1) + 1;
    cr_assert_eq(send(busy.fd, pipeline, count * (sizeof one - 1), 0), (ssize_t)(count * (sizeof one - 1)));
    struct client other = client_open();
    cr_assert_gt(send(other.fd, GET("/other"), strlen(GET("/other")), 0), 0);
    /* One round of the loop each; turn() would go on until nobody has anything to do. */
    while (occurrences(&other, "</other>") == 0 && handled_count <= (int)count) {
        event_base_loop(event_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
        client_read(&other);
    }
    cr_assert_lt(handled_count, (int)count);
    client_expect(&busy, "</>", count);
    cr_assert_eq(handled_count, (int)count + 1);
    client_close(&busy);
    client_close(&other);
}

/* ---- turns: with another user, whom only root can be ---- */

enum { OTHER_USER = 4321, CROWD = 40, PIPELINED = 100, TURN = 128, TURN_ALONE = 512 };

static struct client client_open_as(uid_t uid)
{
    cr_assert_eq(seteuid(uid), 0);
    struct client client = client_open();
    cr_assert_eq(seteuid(0), 0);
    return client;
}

static void start_for_everybody(void)
{
    if (geteuid() != 0)
        cr_skip_test("only root can be several users");
    start();
    cr_assert_eq(chmod(folder, 0755), 0);
    cr_assert_eq(chmod(address.sun_path, 0666), 0);
}

/* A crowd of one user's connections, each with a pipeline that the server has not looked at. */
static void crowd_open(struct client crowd[CROWD], const char *request)
{
    static char pipeline[PIPELINED * 64];
    *pipeline = '\0';
    for (size_t i = 0; i < PIPELINED; i++)
        strcat(pipeline, request);
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = client_open();
    for (int i = 0; i < CROWD; i++)
        turn();
    cr_assert_geq(http_server_connection_count(server), CROWD);
    for (size_t i = 0; i < CROWD; i++)
        cr_assert_eq(send(crowd[i].fd, pipeline, strlen(pipeline), 0), (ssize_t)strlen(pipeline));
}

static void crowd_close(struct client crowd[CROWD])
{
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
}

/* How many other requests are handled before the one that the client sends now. */
static int handled_before_answer(struct client *client, const char *request, const char *reply)
{
    int before = handled_count;
    cr_assert_eq(send(client->fd, request, strlen(request), 0), (ssize_t)strlen(request));
    while (occurrences(client, reply) == 0) {
        event_base_loop(event_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
        client_read(client);
        cr_assert_leq(handled_count, before + CROWD * PIPELINED);
    }
    return handled_count - before - 1;
}

Test(http_server, crowd_of_one_user_costs_another_a_turn_alone)
{
    start_for_everybody();
    struct client other = client_open_as(OTHER_USER);
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 2 * TURN);
    for (int i = 0; i < 3; i++) {
        client_forget_text(&other);
        cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 2 * TURN);
    }
    cr_assert_lt(handled_count, CROWD * PIPELINED, "the crowd was still there");
    for (size_t i = 0; i < CROWD; i++)
        client_expect(&crowd[i], "</a>", PIPELINED);
    crowd_close(crowd);
    client_close(&other);
}

Test(http_server, newcomer_is_answered_within_a_crowd)
{
    start_for_everybody();
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    struct client other = client_open_as(OTHER_USER);
    cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 2 * TURN_ALONE);
    crowd_close(crowd);
    client_close(&other);
}

Test(http_server, dear_calls_of_one_user_cost_another_a_few_of_them)
{
    start_for_everybody();
    struct client other = client_open_as(OTHER_USER);
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/dear"));
    cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 2);
    for (size_t i = 0; i < CROWD; i++)
        client_expect(&crowd[i], "dear", PIPELINED);
    crowd_close(crowd);
    client_close(&other);
}

Test(http_server, bytes_count_as_steps)
{
    start_for_everybody();
    struct client other = client_open_as(OTHER_USER);
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/large"));
    cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 6, "each sends what its socket takes");
    crowd_close(crowd);
    client_close(&other);
}

Test(http_server, crowd_that_leaves_while_it_waits_is_forgotten)
{
    start();
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    event_base_loop(event_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_assert_lt(handled_count, CROWD * PIPELINED);
    crowd_close(crowd);
    expect_connections(0);
}

Test(http_server, server_that_ends_forgets_who_waits)
{
    start();
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    event_base_loop(event_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_assert_lt(handled_count, CROWD * PIPELINED);
    http_server_destroy(TAKE(server));
    crowd_close(crowd);
}

Test(http_server, half_closed_client_gets_all_its_answers)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/a") GET("/keep") GET("/b") GET("/c"));
    shutdown(client.fd, SHUT_WR);
    client_expect(&client, "</a>", 1);
    expect_until(&kept_count, 1);
    turn_for(5);
    cr_assert_eq(gone_count, 0);
    reply_text(kept[0], "kept");
    client_expect_end(&client);
    cr_assert(strstr(client.text, "kept") && strstr(client.text, "</b>") && strstr(client.text, "</c>"));
    cr_assert_eq(client.reason, 0);
    client_close(&client);
}

Test(http_server, end_that_came_with_the_request_is_not_missed)
{
    start();
    struct client client = client_open();
    turn();
    cr_assert_gt(send(client.fd, GET("/a"), strlen(GET("/a")), 0), 0);
    shutdown(client.fd, SHUT_WR);
    client_expect_end(&client);
    cr_assert(strstr(client.text, "</a>"));
    client_close(&client);
}

Test(http_server, half_closed_client_in_mid_request_is_closed)
{
    start();
    struct client client = client_open();
    client_send(&client, "GET /a HT");
    shutdown(client.fd, SHUT_WR);
    client_expect_end(&client);
    cr_assert_eq(handled_count, 0);
    client_close(&client);
}

static int64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void stop_loop(void *context)
{
    (void)context;
    event_loop_stop(loop);
}

Test(http_server, waiting_half_closed_client_costs_nothing)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/keep") GET("/b"));
    shutdown(client.fd, SHUT_WR);
    expect_until(&kept_count, 1);
    AUTO(loop_timer) timer = loop_timer_create(loop, stop_loop, NULL);
    loop_timer_start(timer, 200);
    int64_t before = cpu_ms();
    cr_assert_eq(event_loop_run(loop, NULL), OK);
    cr_assert_lt(cpu_ms() - before, 50);
    client_close(&client);
    expect_until(&gone_count, 1);
}

Test(http_server, owner_of_a_kept_call_is_told_once_when_its_client_goes)
{
    static const struct {
        bool half_closed_first;
        bool unread_input;
    } rows[] = {{false, false}, {true, false}, {false, true}};
    start();
    for (int i = 0; i < 3; i++) {
        struct client client = client_open();
        client_send(&client, GET("/keep"));
        expect_until(&kept_count, i + 1);
        if (rows[i].unread_input)
            client_send(&client, GET("/b"));
        if (rows[i].half_closed_first)
            shutdown(client.fd, SHUT_WR);
        turn_for(3);
        cr_assert_eq(gone_count, i);
        client_close(&client);
        expect_until(&gone_count, i + 1);
        cr_assert_null(kept[i]);
        cr_assert_eq(http_server_connection_count(server), 0);
    }
}

Test(http_server, client_that_left_before_its_request_was_read_is_noticed)
{
    start();
    struct client client = client_open();
    cr_assert_gt(send(client.fd, GET("/keep"), strlen(GET("/keep")), 0), 0);
    client_close(&client);
    expect_until(&gone_count, 1);
    cr_assert_eq(kept_count, 1);
}

Test(http_server, call_whose_owner_is_not_told_can_be_answered_after_its_client_left)
{
    options.write_deadline_ms = 40;
    start();
    struct client client = client_open();
    client_send(&client, GET("/large") GET("/silent"));
    client_send(&client, GET("/silent"));
    struct client second = client_open();
    client_send(&second, GET("/silent"));
    expect_until(&kept_count, 1);
    client_close(&client);
    client_close(&second);
    expect_connections(1);
    turn_for(120);
    cr_assert_eq(http_server_connection_count(server), 1);
    reply_text(kept[0], "late");
    expect_connections(0);
}

Test(http_server, destroying_the_server_tells_the_owners_of_kept_calls)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/keep"));
    expect_until(&kept_count, 1);
    http_server_destroy(TAKE(server));
    cr_assert_eq(gone_count, 1);
    client_expect_end(&client);
    client_close(&client);
}

/* ---- deadlines ---- */

Test(http_server, request_that_comes_too_slowly_is_refused_however_busily_it_comes)
{
    options.request_deadline_ms = 80;
    start();
    struct client client = client_open();
    int64_t begin = clock_boot_ms();
    static const char head[] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
    cr_assert_gt(send(client.fd, head, sizeof head - 1, MSG_NOSIGNAL), 0);
    while (!client.ended) {
        ssize_t sent = send(client.fd, "a", 1, MSG_NOSIGNAL);
        (void)sent;
        for (int64_t now = clock_boot_ms(); clock_boot_ms() == now;)
            turn();
        client_read(&client);
        cr_assert_lt(clock_boot_ms() - begin, PATIENCE_MS);
    }
    cr_assert_geq(clock_boot_ms() - begin, 80);
    cr_assert_eq(strncmp(client.text, "HTTP/1.1 408 Request Timeout\r\n", 30), 0, "%s", client.text);
    cr_assert_eq(metrics.values[METRIC_HTTP_REFUSED], 1);
    client_close(&client);
}

Test(http_server, idle_connection_is_closed_without_a_word_and_a_kept_call_is_not)
{
    options.idle_deadline_ms = 300;
    options.request_deadline_ms = 300;
    start();
    struct client idle = client_open();
    struct client waiting = client_open();
    client_send(&waiting, GET("/keep"));
    client_send(&idle, GET("/a"));
    client_expect(&idle, "</a>", 1);
    client_forget_text(&idle);
    client_expect_end(&idle);
    cr_assert_eq(idle.length, 0);
    turn_for(400);
    reply_text(kept[0], "kept");
    client_expect(&waiting, "kept", 1);
    client_close(&idle);
    client_close(&waiting);
}

Test(http_server, request_that_waits_behind_an_unread_reply_is_not_late)
{
    options.request_deadline_ms = 200;
    start();
    struct client client = client_open();
    client_send(&client, GET("/large") GET("/b"));
    turn_for(400);
    client_expect(&client, "</b>", 1);
    cr_assert_null(strstr(client.text, " 408 "));
    client_close(&client);
}

Test(http_server, client_that_does_not_take_its_reply_is_closed)
{
    options.write_deadline_ms = 60;
    start();
    struct client client = client_open();
    client_send(&client, GET("/large"));
    int64_t begin = clock_boot_ms();
    expect_connections(0);
    cr_assert_geq(clock_boot_ms() - begin, 55);
    client_close(&client);
}

/* ---- counts ---- */

Test(http_server, connection_over_the_users_limit_is_told_to_come_again)
{
    options.max_connections_per_uid = 2;
    start();
    struct client clients[3] = {client_open(), client_open(), client_open()};
    client_expect_end(&clients[2]);
    cr_assert_eq(strncmp(clients[2].text, "HTTP/1.1 429 Too Many Requests\r\n", 32), 0, "%s", clients[2].text);
    cr_assert(strstr(clients[2].text, "\r\nConnection: close\r\n"));
    cr_assert(strstr(clients[2].text, "[/: This user has too many connections. 1]"));
    client_send(&clients[0], GET("/a"));
    client_expect(&clients[0], "</a>", 1);
    client_close(&clients[0]);
    client_close(&clients[2]);
    turn();
    struct client again = client_open();
    client_send(&again, GET("/again"));
    client_expect(&again, "</again>", 1);
    client_close(&again);
    client_close(&clients[1]);
}

Test(http_server, connections_leave_descriptors_to_others)
{
    enum { MOST = 100, ALWAYS = 16 };
    options.spare_descriptors = 40;
    start();
    int lowest = dup(0);
    close(lowest);
    /* Each connection takes two here: the client's is ours. */
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {(rlim_t)lowest + 2 * MOST, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct client clients[MOST];
    size_t admitted = 0;
    bool is_refused = false;
    for (; admitted < MOST && !is_refused; admitted++) {
        clients[admitted] = client_open();
        turn();
        client_read(&clients[admitted]);
        is_refused = clients[admitted].length > 0;
    }
    struct client *last = &clients[admitted - 1];
    cr_assert(is_refused);
    cr_assert_eq(strncmp(last->text, "HTTP/1.1 503 Service Unavailable\r\n", 34), 0, "%s", last->text);
    cr_assert(strstr(last->text, "[/: There is no room for more connections. 1]"));
    cr_assert_gt(admitted, ALWAYS);
    cr_assert_leq(admitted, MOST - 40 / 2 + 1);
    client_send(&clients[0], GET("/a"));
    client_expect(&clients[0], "</a>", 1);
    for (size_t i = 0; i < admitted; i++)
        client_close(&clients[i]);
    turn();
    struct client again = client_open();
    client_send(&again, GET("/again"));
    client_expect(&again, "</again>", 1);
    client_close(&again);
}

Test(http_server, crowd_over_the_users_limit_cannot_fill_the_server)
{
    enum { MANY = 100 };
    options.max_connections_per_uid = 1;
    start();
    struct client first = client_open();
    struct client crowd[MANY];
    for (int i = 0; i < MANY; i++) {
        crowd[i] = client_open();
        turn();
    }
    cr_assert_leq(http_server_connection_count(server), 34);
    client_send(&first, GET("/a"));
    client_expect(&first, "</a>", 1);
    for (int i = 0; i < MANY; i++) {
        client_read(&crowd[i]);
        cr_expect_eq(strncmp(crowd[i].text, "HTTP/1.1 429 ", 13), 0, "%d was closed without a word: %s", i,
                     crowd[i].text);
        client_close(&crowd[i]);
    }
    client_close(&first);
    expect_connections(0);
}

/* As on the redirect endpoint: known users by sock_diag, unknown ones as one user. */
Test(http_server, resting_connections_of_a_tcp_user_give_way_to_his_newer_ones)
{
    for (int is_known = 0; is_known < 2; is_known++) {
        AUTO(peer_owner) owners = NULL;
        if (is_known && peer_owner_create(&owners, NULL) != OK)
            cr_skip_test("no sock_diag here");
        options.max_connections_per_uid = 2;
        options.users_give_way = true;
        options.owners = owners;
        start_tcp();
        struct client busy = client_open_tcp();
        client_send(&busy, GET("/keep"));
        turn();
        struct client resting = client_open_tcp();
        turn();
        struct client newest = client_open_tcp();
        client_send(&newest, GET("/keep"));
        client_expect_end(&resting);
        cr_expect_eq(resting.length, 0, "%s", resting.text);
        struct client over = client_open_tcp();
        client_expect_end(&over);
        cr_expect_eq(strncmp(over.text, "HTTP/1.1 429 ", 13), 0, "nobody who has a request gives way: %s", over.text);
        cr_expect_eq(kept_count, 2);
        kept_count = 0;
        struct client *clients[] = {&busy, &resting, &newest, &over};
        for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
            client_close(clients[i]);
        http_server_destroy(TAKE(server));
    }
}

/* The last connection of a user may go while a new one of his comes in. */
Test(http_server, user_with_one_place_has_it_for_his_newest_connection)
{
    options.max_connections_per_uid = 1;
    options.users_give_way = true;
    start_tcp();
    struct client first = client_open_tcp();
    turn();
    struct client second = client_open_tcp();
    client_expect_end(&first);
    client_send(&second, GET("/a"));
    client_expect(&second, "</a>", 1);
    cr_expect_eq(http_server_connection_count(server), 1);
    client_close(&first);
    client_close(&second);
}

Test(http_server, connection_over_the_whole_limit_waits_for_room)
{
    options.max_connections = 2;
    start();
    struct client clients[3] = {client_open(), client_open(), client_open()};
    cr_assert_gt(send(clients[2].fd, GET("/c"), strlen(GET("/c")), 0), 0);
    turn_for(10);
    cr_assert_eq(http_server_connection_count(server), 2);
    cr_assert_eq(handled_count, 0);
    client_close(&clients[0]);
    client_expect(&clients[2], "</c>", 1);
    cr_assert_eq(http_server_connection_count(server), 2);
    client_close(&clients[1]);
    client_close(&clients[2]);
}

Test(http_server, full_server_closes_what_rested_longest)
{
    options.max_connections = 3;
    options.crowded_rest_ms = 1;
    options.request_deadline_ms = 60000;
    options.idle_deadline_ms = 80; /* swept each 10 ms, and far from its end here */
    options.write_deadline_ms = 60000;
    start();
    struct client waiting = client_open();
    client_send(&waiting, GET("/keep"));
    turn();
    struct client resting = client_open();
    turn();
    struct client half = client_open();
    client_send(&half, "GET /half");
    client_expect_end(&resting);
    client_send(&half, " HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(&half, "</half>", 1);
    cr_assert_eq(gone_count, 0, "one that has a request is kept");
    client_close(&waiting);
    client_close(&resting);
    client_close(&half);
}

/* ---- the end ---- */

Test(http_server, draining_closes_idle_connections_and_lets_the_others_finish)
{
    start();
    struct client idle = client_open();
    struct client waiting = client_open();
    struct client sending = client_open();
    struct client sent = client_open();
    client_send(&idle, GET("/a"));
    client_expect(&idle, "</a>", 1);
    client_send(&waiting, GET("/keep"));
    client_send(&sending, "GET /b HTTP/1.1\r\n");
    client_send(&sent, GET("/c"));
    client_expect(&sent, "</c>", 1);
    cr_assert_gt(send(sent.fd, GET("/d"), strlen(GET("/d")), 0), 0);
    http_server_drain(server);
    client_expect_end(&idle);
    client_expect_end(&sent);
    cr_assert(strstr(sent.text, "</d>"));
    int late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_neq(connect(late, (struct sockaddr *)&address, sizeof address), 0);
    close(late);
    cr_assert_eq(http_server_connection_count(server), 2);
    reply_text(kept[0], "kept");
    client_expect_end(&waiting);
    cr_assert(strstr(waiting.text, "\r\nConnection: close\r\n") && strstr(waiting.text, "kept"));
    client_send(&sending, "Host: x\r\n\r\n");
    client_expect_end(&sending);
    cr_assert(strstr(sending.text, "\r\nConnection: close\r\n") && strstr(sending.text, "</b>"));
    cr_assert_eq(http_server_connection_count(server), 0);
    client_close(&idle);
    client_close(&waiting);
    client_close(&sending);
    client_close(&sent);
}

Test(http_server, handler_may_begin_the_drain)
{
    start();
    struct client other = client_open();
    struct client client = client_open();
    client_send(&client, GET("/drain") GET("/b"));
    client_expect_end(&client);
    client_expect_end(&other);
    cr_assert(strstr(client.text, "\r\nConnection: close\r\n") && strstr(client.text, "last"));
    cr_assert_null(strstr(client.text, "</b>"));
    client_close(&client);
    client_close(&other);
    turn();
    cr_assert_eq(http_server_connection_count(server), 0);
}

/* ---- streams ---- */

Test(http_server, stream_comes_in_chunks_and_the_connection_goes_on)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/stream") GET("/b"));
    client_expect(&client, "\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n", 1);
    cr_assert_null(strstr(client.text, "Content-Length"));
    http_call_stream_write(kept[0], "second line\n", 12);
    http_call_stream_write(kept[0], "", 0);
    client_expect(&client, "\r\nc\r\nsecond line\n\r\n", 1);
    http_call_stream_write(kept[0], "3", 1);
    http_call_stream_end(kept[0]);
    client_expect(&client, "\r\n1\r\n3\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", 1);
    client_expect(&client, "</b>", 1);
    cr_assert_eq(gone_count, 0);
    client_close(&client);
}

Test(http_server, stream_to_an_old_client_ends_with_the_connection)
{
    start();
    struct client client = client_open();
    client_send(&client, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_expect(&client, "\r\nConnection: close\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\nfirst\n", 1);
    http_call_stream_write(kept[0], "second\n", 7);
    http_call_stream_end(kept[0]);
    client_expect_end(&client);
    cr_assert(strstr(client.text, "\r\n\r\nfirst\nsecond\n"));
    cr_assert_eq(client.reason, 0);
    client_close(&client);
}

Test(http_server, stream_reader_that_leaves_is_told_to_the_owner)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/stream"));
    client_expect(&client, "first", 1);
    shutdown(client.fd, SHUT_WR);
    turn_for(3);
    cr_assert_eq(gone_count, 0);
    client_close(&client);
    expect_until(&gone_count, 1);
}

Test(http_server, stream_reader_that_does_not_read_is_dropped_from_the_loop)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/stream"));
    expect_until(&kept_count, 1);
    size_t written = 0;
    while (gone_count == 0) {
        for (int i = 0; i < 10; i++)
            http_call_stream_write(kept[0], large_body, 4000);
        cr_assert_eq(gone_count, 0);
        written += 40000;
        cr_assert_lt(written, sizeof large_body);
        turn();
    }
    cr_assert_eq(gone_count, 1);
    cr_assert_eq(http_server_connection_count(server), 0);
    client_close(&client);
}

Test(http_server, pulled_stream_waits_for_its_reader_and_comes_whole)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/pulled"));
    turn_for(20);
    cr_assert(pulled_parts > 0 && pulled_parts < PULLED_PARTS, "%zu parts for a reader that takes none", pulled_parts);
    cr_assert_eq(gone_count, 0);
    client_expect(&client, "\r\n0\r\n\r\n", 1);
    cr_assert_gt(client.length, PULLED_PARTS * PULLED_PART);
    client_forget_text(&client);
    client_send(&client, GET("/b"));
    client_expect(&client, "</b>", 1);
    client_close(&client);
}

Test(http_server, pulled_stream_whose_reader_takes_nothing_is_dropped)
{
    options.write_deadline_ms = 50;
    start();
    struct client client = client_open();
    client_send(&client, GET("/pulled"));
    expect_until(&gone_count, 1);
    cr_assert_lt(pulled_parts, PULLED_PARTS);
    client_close(&client);
}

Test(http_server, burst_that_the_socket_takes_is_no_backlog)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/stream"));
    expect_until(&kept_count, 1);
    for (int i = 0; i < 25; i++)
        http_call_stream_write(kept[0], large_body, 4000);
    http_call_stream_end(kept[0]);
    client_expect(&client, "\r\n0\r\n\r\n", 1);
    cr_assert_eq(gone_count, 0);
    client_close(&client);
}

Test(http_server, stream_that_ends_for_a_dropped_reader_is_not_whole)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/stream"));
    expect_until(&kept_count, 1);
    for (int i = 0; i < 200; i++)
        http_call_stream_write(kept[0], large_body, 4000);
    http_call_stream_end(kept[0]);
    client_expect_end(&client);
    cr_assert_null(strstr(client.text, "\r\n0\r\n\r\n"));
    cr_assert_eq(gone_count, 0);
    client_close(&client);
}

Test(http_server, head_of_a_stream_has_no_chunks)
{
    start();
    struct client client = client_open();
    client_send(&client, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" GET("/b"));
    expect_until(&kept_count, 1);
    http_call_stream_write(kept[0], "second", 6);
    http_call_stream_end(kept[0]);
    client_expect(&client, "</b>", 1);
    cr_assert(strstr(client.text, "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK"));
    client_close(&client);
}
