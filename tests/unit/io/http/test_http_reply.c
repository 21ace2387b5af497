#include "io/http_server_desk.h"

TestSuite(http_reply, .init = open_all, .fini = close_all, .timeout = 300);

/* ---- replies ---- */

Test(http_reply, answers_on_one_connection_again_and_again)
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

Test(http_reply, date_is_an_http_date)
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

Test(http_reply, ready_reply_has_its_own_headers_and_the_body_that_was_filled_in)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/ready"));
    client_expect(&client, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nready", 1);
    client_close(&client);
}

Test(http_reply, head_gets_headers_alone_and_the_next_reply_follows_at_once)
{
    start();
    struct client client = client_open();
    client_send(&client, "HEAD /ready HTTP/1.1\r\nHost: x\r\n\r\nHEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" GET("/b"));
    client_expect(&client, "</b>", 1);
    cr_assert(strstr(client.text, "Content-Length: 5\r\n\r\nHTTP/1.1 200"));
    cr_assert(strstr(client.text, "Content-Length: 4\r\n\r\nHTTP/1.1 200"));
    client_close(&client);
}

Test(http_reply, status_headers_and_empty_replies_are_as_asked_for)
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

Test(http_reply, connection_is_kept_or_closed_as_the_version_says)
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

Test(http_reply, large_reply_arrives_whole_through_many_partial_writes)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/large") GET("/b"));
    client_expect(&client, "</b>", 1);
    const char *body = strstr(client.text, "\r\n\r\n") + 4;
    cr_assert_eq(strspn(body, "L"), sizeof large_body);
    client_close(&client);
}

Test(http_reply, body_reaches_the_handler_however_it_comes)
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

Test(http_reply, idle_connection_keeps_no_buffers)
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

Test(http_reply, peer_is_known_on_a_unix_socket_and_not_on_tcp)
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

Test(http_reply, refused_requests_get_the_envelope_and_the_end)
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

Test(http_reply, good_requests_before_a_bad_one_are_answered)
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
Test(http_reply, refusal_knows_no_path_of_an_earlier_request)
{
    start();
    struct client client = client_open();
    client_send(&client, GET("/earlier") "\n");
    client_expect_end(&client);
    cr_assert(strstr(client.text, "</earlier>") && strstr(client.text, "[/: "), "%s", client.text);
    client_close(&client);
}

Test(http_reply, refused_head_has_no_body)
{
    start();
    struct client client = client_open();
    client_send(&client, "HEAD /a HTTP/1.1\r\n\r\n");
    client_expect_end(&client);
    cr_assert(strstr(client.text, "HTTP/1.1 400 "));
    cr_assert_null(strstr(client.text, "[/a: "), "%s", client.text);
    client_close(&client);
}

Test(http_reply, client_that_is_still_sending_a_large_body_can_read_the_refusal)
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

Test(http_reply, expecting_client_is_told_to_continue_or_refused_before_the_body)
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

Test(http_reply, pipeline_is_answered_in_order_wherever_it_is_cut)
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

Test(http_reply, request_behind_a_kept_call_waits_for_its_reply)
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

Test(http_reply, client_is_not_read_while_its_call_is_kept)
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

Test(http_reply, client_that_does_not_read_is_not_read_either)
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

Test(http_reply, long_pipeline_does_not_starve_others)
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

/* ---- streams ---- */

Test(http_reply, stream_comes_in_chunks_and_the_connection_goes_on)
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

Test(http_reply, stream_to_an_old_client_ends_with_the_connection)
{
    start();
    struct client client = client_open();
    client_send(&client, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_expect(&client,
                  "\r\nConnection: close\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\nfirst\n",
                  1);
    http_call_stream_write(kept[0], "second\n", 7);
    http_call_stream_end(kept[0]);
    client_expect_end(&client);
    cr_assert(strstr(client.text, "\r\n\r\nfirst\nsecond\n"));
    cr_assert_eq(client.reason, 0);
    client_close(&client);
}

Test(http_reply, stream_reader_that_leaves_is_told_to_the_owner)
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

Test(http_reply, stream_reader_that_does_not_read_is_dropped_from_the_loop)
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

Test(http_reply, pulled_stream_waits_for_its_reader_and_comes_whole)
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

Test(http_reply, pulled_stream_whose_reader_takes_nothing_is_dropped)
{
    options.write_deadline_ms = 50;
    start();
    struct client client = client_open();
    client_send(&client, GET("/pulled"));
    expect_until(&gone_count, 1);
    cr_assert_lt(pulled_parts, PULLED_PARTS);
    client_close(&client);
}

Test(http_reply, burst_that_the_socket_takes_is_no_backlog)
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

Test(http_reply, stream_that_ends_for_a_dropped_reader_is_not_whole)
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

Test(http_reply, head_of_a_stream_has_no_chunks)
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
