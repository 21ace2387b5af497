#include "io/client/http_client.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "io/http_client_desk.h"

/* ---- what is sent and what comes ---- */

Test(http_client, reply_comes_whole)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk_start(&desk);
    struct answer *answer = get(&desk, &server);
    cr_assert_eq(answer->result.status, OK, "%s", answer->result.error.message);
    cr_assert_eq(answer->result.http_status, 200);
    cr_assert_str_eq(answer->body, "{\"a\":\"b\"}");
    cr_assert_str_eq(answer->content_type, "application/json");
    cr_assert_str_eq(answer->retry_after, "-");
    cr_assert(answer->result.may_have_been_sent);
    cr_assert_not(answer->result.too_large);
}

Test(http_client, replies_of_any_shape_are_replies)
{
    static const struct {
        const char *reply;
        int status;
        const char *content_type;
        const char *retry_after;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 429 Slow down\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 429, "-", "120", ""},
        {"HTTP/1.1 503 x\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n", 503, "-",
         "Fri, 31 Dec 1999 23:59:59 GMT", ""},
        {"HTTP/1.1 400 Bad\r\nContent-Type: text/html; charset=x\r\n\r\n<html>", 400, "text/html; charset=x", "-",
         "<html>"},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "-", "-", "until the end"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, "-", "-",
         "abcde"},
        {"HTTP/1.1 204 No\r\nContent-Type: \r\n\r\n", 204, "", "-", ""},
        {"HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "-", "-",
         "ok"},
        /* Not asked for, so not undone either. */
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzz", 200, "-", "-", "zz"},
    };
    DESK(desk);
    desk_start(&desk);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SCRIPTED_SERVER(server, server_send_reply);
        server.reply = rows[i].reply;
        struct answer *answer = get(&desk, &server);
        cr_assert_eq(answer->result.status, OK, "row %zu: %s", i, answer->result.error.message);
        cr_assert_eq(answer->result.http_status, rows[i].status, "row %zu", i);
        cr_assert_str_eq(answer->content_type, rows[i].content_type, "row %zu", i);
        cr_assert_str_eq(answer->retry_after, rows[i].retry_after, "row %zu", i);
        cr_assert_str_eq(answer->body, rows[i].body, "row %zu", i);
    }
}

Test(http_client, redirect_is_given_back_and_not_followed)
{
    SCRIPTED_SERVER(other, server_send_reply);
    other.reply = JSON_REPLY;
    SCRIPTED_SERVER(server, server_send_reply);
    char reply[256];
    snprintf(reply, sizeof reply, "HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n",
             other.port);
    server.reply = reply;
    DESK(desk);
    desk_start(&desk);
    struct answer *answer = get(&desk, &server);
    cr_assert_eq(answer->result.status, OK);
    cr_assert_eq(answer->result.http_status, 307);
    cr_assert_eq(other.connection_count, 0);
}

Test(http_client, post_sends_headers_and_body_as_they_are)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk_start(&desk);
    struct http_request *request = request_to("POST", "http", server.port);
    http_request_set_header_text(request, "Authorization", "Basic aHVzaA==", NULL);
    http_request_set_header_text(request, "X-Empty", "", NULL);
    http_request_set_header_text(request, "X-Blank", "  ", NULL);
    http_request_set_header_text(request, "Content-Type", "application/x-www-form-urlencoded", NULL);
    http_request_set_body(request, secret_from_text("grant_type=refresh_token&refresh_token=r%2B1"));
    static struct answer answer;
    send_request(&desk, request, false, 0, &answer);
    run_until(&desk, &answer.done);
    cr_assert_eq(answer.result.status, OK);
    static const char *const expected[] = {
        "POST /token?secret=hush HTTP/1.1\r\n",
        "\r\nAuthorization: Basic aHVzaA==\r\n",
        "\r\nX-Empty:\r\n",
        "\r\nX-Blank:\r\n",
        "\r\nUser-Agent: iclientd-test\r\n",
        "\r\nContent-Length: 44\r\n",
        "\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        "\r\n\r\ngrant_type=refresh_token&refresh_token=r%2B1",
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_not_null(strstr(server.requests, expected[i]), "%s in %s", expected[i], server.requests);
    static const char *const unexpected[] = {"Expect", "Accept-Encoding", "Cookie"};
    for (size_t i = 0; i < sizeof unexpected / sizeof unexpected[0]; i++)
        cr_assert_null(strcasestr(server.requests, unexpected[i]), "%s", server.requests);
}

Test(http_client, methods_without_a_body_are_sent)
{
    static const char *const methods[] = {"GET", "POST", "DELETE"};
    DESK(desk);
    desk_start(&desk);
    for (size_t i = 0; i < 3; i++) {
        SCRIPTED_SERVER(server, server_send_reply);
        server.reply = JSON_REPLY;
        static struct answer answer;
        answer = (struct answer){0};
        send_request(&desk, request_to(methods[i], "http", server.port), false, 0, &answer);
        run_until(&desk, &answer.done);
        cr_assert_eq(answer.result.status, OK);
        cr_assert_eq(strncmp(server.requests, methods[i], strlen(methods[i])), 0, "%s", server.requests);
        cr_assert_eq(strstr(server.requests, "Content-Length: 0") != NULL, i == 1);
        cr_assert_null(strstr(server.requests, "Content-Type"));
    }
}

Test(http_client, delete_with_a_body_stays_a_delete)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk_start(&desk);
    struct http_request *request = request_to("DELETE", "http", server.port);
    http_request_set_body(request, secret_from_text("token=x"));
    static struct answer answer;
    send_request(&desk, request, false, 0, &answer);
    run_until(&desk, &answer.done);
    cr_assert_eq(strncmp(server.requests, "DELETE ", 7), 0);
    cr_assert_not_null(strstr(server.requests, "\r\n\r\ntoken=x"));
}

static void keep_alive(struct scripted_server *server, int fd)
{
    while (server_read_request(server, fd) && server_send_text(fd, server->reply))
        continue;
}

/* libcurl sends a POST again when a connection that it reuses has died. */
Test(http_client, each_request_has_its_own_connection)
{
    SCRIPTED_SERVER(server, keep_alive);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk_start(&desk);
    get(&desk, &server);
    get(&desk, &server);
    cr_assert_eq(server.connection_count, 2);
}

static void close_at_once(struct scripted_server *server, int fd)
{
    (void)server, (void)fd;
}

Test(http_client, environment_proxy_is_not_asked)
{
    SCRIPTED_SERVER(closing, close_at_once);
    SCRIPTED_SERVER(proxy, server_send_reply);
    proxy.reply = "HTTP/1.1 502 proxy\r\nContent-Length: 0\r\n\r\n";
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy.port);
    setenv("http_proxy", url, 1);
    setenv("https_proxy", url, 1);
    setenv("all_proxy", url, 1);
    DESK(desk);
    desk_start(&desk);
    cr_assert_eq(get(&desk, &server)->result.http_status, 200);
    get_for(&desk, "https", closing.port, 0);
    cr_assert_eq(closing.connection_count, 1);
    cr_assert_eq(proxy.connection_count, 0);
}

Test(http_client, configured_proxy_tunnels_https_and_is_left_out_for_http)
{
    SCRIPTED_SERVER(proxy, server_send_reply);
    proxy.reply = "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n";
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy.port);
    setenv("no_proxy", "*", 1);
    DESK(desk);
    desk.options.proxy = url;
    desk_start(&desk);
    cr_assert_eq(get(&desk, &server)->result.http_status, 200);
    cr_assert_eq(proxy.connection_count, 0);
    assert_failed(get_for(&desk, "https", server.port, 0), ERR_IO, false, server.port);
    cr_assert_eq(strncmp(proxy.requests, "CONNECT 127.0.0.1", 17), 0, "%s", proxy.requests);
    cr_assert_null(strstr(proxy.requests, "hush"));
}

/* ---- what goes wrong ---- */

static void drip(struct scripted_server *server, int fd)
{
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    struct pollfd closed = {.fd = fd, .events = POLLIN};
    while (poll(&closed, 1, 5) == 0 && server_send_text(fd, "x"))
        continue;
}

Test(http_client, silent_and_dripping_servers_end_at_the_deadline)
{
    static server_script *const scripts[] = {server_never_answer, drip};
    DESK(desk);
    desk_start(&desk);
    for (size_t i = 0; i < 2; i++) {
        SCRIPTED_SERVER(server, scripts[i]);
        int64_t start = clock_boot_ms();
        struct answer *answer = get_for(&desk, "http", server.port, 500);
        assert_failed(answer, ERR_TIMEOUT, true, server.port);
        int64_t taken = clock_boot_ms() - start;
        cr_assert(taken >= 500 && taken < PATIENCE_MS, "%ld ms", (long)taken);
    }
}

Test(http_client, timeout_of_the_client_is_the_default)
{
    SCRIPTED_SERVER(server, server_never_answer);
    DESK(desk);
    desk.options.timeout_ms = 500;
    desk_start(&desk);
    assert_failed(get(&desk, &server), ERR_TIMEOUT, true, server.port);
}

static void send_endless_headers(struct scripted_server *server, int fd)
{
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\n");
    while (server_send_text(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n"))
        continue;
}

static void send_endless_interim_replies(struct scripted_server *server, int fd)
{
    server_read_request(server, fd);
    while (server_send_text(fd, "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"))
        continue;
}

static void send_endless_body(struct scripted_server *server, int fd)
{
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
    while (server_send_text(fd, "0123456789012345678901234567890123456789"))
        continue;
}

/* Neither headers nor body, so that nobody but the kernel counts it. */
static void send_endless_chunk_extension(struct scripted_server *server, int fd)
{
    static char filler[64 * 1024];
    memset(filler, 'x', sizeof filler);
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;");
    while (server_send(fd, filler, sizeof filler))
        continue;
}

static void send_endless_header_line(struct scripted_server *server, int fd)
{
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\nX-Filler: ");
    while (server_send_text(fd, "0123456789012345678901234567890123456789"))
        continue;
}

static void send_10_megabytes(struct scripted_server *server, int fd)
{
    static char megabyte[1024 * 1024];
    memset(megabyte, 'x', sizeof megabyte);
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
    for (int i = 0; i < 10 && server_send(fd, megabyte, sizeof megabyte); i++)
        continue;
}

static void assert_cut_off_without_a_body(const struct answer *answer)
{
    cr_assert_eq(answer->result.status, OK, "%s", answer->result.error.message);
    cr_assert(answer->result.too_large);
    cr_assert_eq(answer->result.http_status, 200);
    cr_assert_eq(answer->result.length, 0);
}

Test(http_client, endless_headers_are_cut_off)
{
    SCRIPTED_SERVER(server, send_endless_headers);
    DESK(desk);
    desk_start(&desk);
    assert_cut_off_without_a_body(get(&desk, &server));
}

Test(http_client, endless_interim_replies_are_no_reply)
{
    SCRIPTED_SERVER(server, send_endless_interim_replies);
    DESK(desk);
    desk_start(&desk);
    assert_failed(get(&desk, &server), ERR_IO, true, server.port);
}

/* libcurl calls it a lack of memory. */
Test(http_client, endless_header_line_is_named)
{
    SCRIPTED_SERVER(server, send_endless_header_line);
    DESK(desk);
    desk_start(&desk);
    struct answer *answer = get(&desk, &server);
    assert_failed(answer, ERR_IO, true, server.port);
    cr_assert_not_null(strstr(answer->result.error.message, "header line"), "%s", answer->result.error.message);
}

Test(http_client, endless_bytes_that_are_no_body_are_cut_off)
{
    SCRIPTED_SERVER(server, send_endless_chunk_extension);
    DESK(desk);
    desk_start(&desk);
    assert_cut_off_without_a_body(get(&desk, &server));
}

Test(http_client, bodies_beyond_the_maximum_are_cut_off)
{
    static server_script *const scripts[] = {send_endless_body, send_10_megabytes};
    DESK(desk);
    desk_start(&desk);
    for (size_t i = 0; i < 2; i++) {
        SCRIPTED_SERVER(server, scripts[i]);
        struct answer *answer = get(&desk, &server);
        cr_assert_eq(answer->result.status, OK, "%s", answer->result.error.message);
        cr_assert(answer->result.too_large);
        cr_assert_eq(answer->result.http_status, 200);
        cr_assert_eq(answer->result.length, MAX_REPLY);
    }
}

static void send_exactly_the_maximum(struct scripted_server *server, int fd)
{
    static char body[MAX_REPLY];
    memset(body, 'x', sizeof body);
    server_read_request(server, fd);
    server_send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    server_send(fd, body, sizeof body);
}

Test(http_client, body_of_the_maximum_is_whole)
{
    SCRIPTED_SERVER(server, send_exactly_the_maximum);
    DESK(desk);
    desk_start(&desk);
    struct answer *answer = get(&desk, &server);
    cr_assert_eq(answer->result.status, OK);
    cr_assert_not(answer->result.too_large);
    cr_assert_eq(answer->result.length, MAX_REPLY);
}

Test(http_client, replies_cut_short_are_errors_and_never_asked_for_again)
{
    static const struct {
        server_script *script;
        const char *reply;
    } rows[] = {
        {close_at_once, NULL},
        {server_send_reply, ""},
        {server_send_reply, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"},
        {server_send_reply, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"},
        {server_send_reply, "HTTP/1.1 200 OK\r\nContent-Ty"},
        {server_send_reply, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"},
        {server_send_reply, "HTTP/1.1 100 Continue\r\n\r\n"},
        {server_send_reply, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"},
        {server_send_reply, "SSH-2.0-OpenSSH_9.2\r\n"},
        {server_send_reply, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcde"},
    };
    DESK(desk);
    desk_start(&desk);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SCRIPTED_SERVER(server, rows[i].script);
        server.reply = rows[i].reply;
        static struct answer answer;
        answer = (struct answer){0};
        struct http_request *request = request_to("POST", "http", server.port);
        http_request_set_body(request, secret_from_text("refresh_token=once"));
        send_request(&desk, request, false, 0, &answer);
        run_until(&desk, &answer.done);
        assert_failed(&answer, ERR_IO, true, server.port);
        cr_assert_eq(server.connection_count, 1, "row %zu was sent again", i);
    }
}

Test(http_client, refused_port_was_not_sent)
{
    int port;
    {
        SCRIPTED_SERVER(server, close_at_once);
        port = server.port;
    }
    DESK(desk);
    desk_start(&desk);
    assert_failed(get_for(&desk, "http", port, 0), ERR_IO, false, port);
}

/* By the machine's DNS at once, or at the deadline: the resolver is not waited for, 5 s where no server answers. */
Test(http_client, name_that_does_not_resolve_is_an_error_that_names_it)
{
    DESK(desk);
    desk_start(&desk);
    static struct answer answer;
    int64_t start = clock_boot_ms();
    send_request(&desk, http_request_create("GET", secret_from_text("https://nowhere.invalid/?secret=hush")), false,
                 300, &answer);
    run_until(&desk, &answer.done);
    cr_assert_lt(clock_boot_ms() - start, 4900);
    cr_assert(answer.result.status == ERR_IO || answer.result.status == ERR_TIMEOUT, "%s", answer.result.error.message);
    cr_assert_not(answer.result.may_have_been_sent);
    cr_assert_eq(strncmp(answer.result.error.message, "nowhere.invalid:443: ", 21), 0);
    cr_assert_null(strstr(answer.result.error.message, "hush"));
}

Test(http_client, address_that_the_rules_refuse_is_denied_and_not_connected_to)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    AUTO(address_rule) strict = address_rule_create();
    DESK(desk);
    desk.options.addresses = strict;
    desk_start(&desk);
    assert_failed(get(&desk, &server), ERR_DENIED, false, server.port);
    cr_assert_eq(server.connection_count, 0);
}

Test(http_client, plain_http_goes_to_loopback_alone)
{
    DESK(desk);
    cr_assert_eq(address_rule_allow(desk.addresses, "10.0.0.0/8", NULL), OK);
    desk_start(&desk);
    static struct answer answer;
    send_request(&desk, http_request_create("GET", secret_from_text("http://10.255.255.1/")), false, 2000, &answer);
    run_until(&desk, &answer.done);
    cr_assert_eq(answer.result.status, ERR_DENIED, "%s", answer.result.error.message);
    cr_assert_not_null(strstr(answer.result.error.message, "10.255.255.1"));
}

Test(http_client, what_cannot_be_sent_is_refused_at_once)
{
    static const struct {
        const char *url;
        const char *header;
        enum status status;
    } rows[] = {
        {"http://127.0.0.1:1/", NULL, ERR_DENIED},
        {"ftp://127.0.0.1/", NULL, ERR_INVALID},
        {"file:///etc/passwd", NULL, ERR_INVALID},
        {"https://user:pass@127.0.0.1/", NULL, ERR_INVALID},
        {"https://127.0.0.1/", "Transfer-Encoding", ERR_INVALID},
        {"https://127.0.0.1/", "content-length", ERR_INVALID},
    };
    DESK(desk);
    desk.options.allow_http = false;
    desk_start(&desk);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request *request = http_request_create("GET", secret_from_text(rows[i].url));
        if (rows[i].header)
            http_request_set_header_text(request, rows[i].header, "chunked", NULL);
        struct http_exchange *exchange = NULL;
        struct error error;
        cr_assert_eq(http_client_send(desk.client, request, false, 0, on_done, NULL, &exchange, &error), rows[i].status,
                     "row %zu", i);
        cr_assert_null(exchange);
    }
}

Test(http_client, lack_of_descriptors_fails_a_request_and_passes)
{
    DESK(desk);
    desk_start(&desk);
    /* Would take the connection; a server's thread would meet the limit, too. */
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    cr_assert_eq(listen(listening, 1), 0);
    cr_assert_eq(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit low = {(rlim_t)listening + 1, limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_failed(get_for(&desk, "http", ntohs(address.sin_port), 0), ERR_IO, false, ntohs(address.sin_port));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    close(listening);

    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    cr_assert_eq(get(&desk, &server)->result.http_status, 200);
}
