#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "io/http/http_heads.h"
#include "io/http/http_parse.h"

static const struct http_server_options limits = {
    .max_target = 64, .max_header_bytes = 512, .max_header_count = 8, .max_body = 32};

/* Feeds bytes in pieces of at most `piece` and gives the result after the last, or the first that is no hunger. */
static enum http_parse_result feed(struct http_parse *parse, const char *bytes, size_t length, size_t piece)
{
    for (size_t done = 0; done < length;) {
        size_t size;
        char *room = http_parse_room(parse, &size);
        cr_assert(room);
        if (size > piece)
            size = piece;
        if (size > length - done)
            size = length - done;
        memcpy(room, bytes + done, size);
        http_parse_filled(parse, size);
        done += size;
        enum http_parse_result result = http_parse_run(parse);
        if (result != HTTP_PARSE_NEEDS_MORE)
            return result;
    }
    return HTTP_PARSE_NEEDS_MORE;
}

struct row {
    const char *text;
    size_t length;
    int status; /* 0: complete; -1: needs more */
};
#define ROW(text, status)                                                                                              \
    {                                                                                                                  \
        text, sizeof text - 1, status                                                                                  \
    }
#define H "Host: x\r\n"

static const struct row rows[] = {
    ROW("GET / HTTP/1.1\r\n" H "\r\n", 0),
    ROW("\r\nGET / HTTP/1.1\r\n" H "\r\n", 0),
    ROW("GET / HTTP/1.0\r\n\r\n", 0),
    ROW("GET / HTTP/1.0\r\n" H "\r\n", 0),
    ROW("OPTIONS /x HTTP/1.1\r\n" H "\r\n", 0),
    ROW("GET http://h/x HTTP/1.1\r\n" H "\r\n", 0),
    ROW("GET / HTTP/1.1\r\nHost:\r\n\r\n", 0),
    ROW("GET / HTTP/1.1\r\n" H "X: a\tb \x80\xff\r\n\r\n", 0),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 0),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 003 \r\n\r\nabc", 0),
    ROW("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 0),
    ROW("POST / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nab", -1),
    ROW("POST / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc", 0),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab", -1),
    ROW("GET / HTTP/1.1\r\n" H, -1),
    ROW("\r", -1),
    ROW("G", -1),
    /* request line */
    ROW("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("\nGET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("\rGET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW(" GET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET  / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /  HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET / HTTP/1.1 \r\n" H "\r\n", 505),
    ROW("GET\t/ HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /\r\n\r\n", 400),
    ROW("GET /\r\n" H "\r\n", 400),
    ROW("GET\r\n\r\n", 400),
    ROW("get / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("FROBNICATE / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET / http/1.1\r\n" H "\r\n", 400),
    ROW("GET / HTTP/2.0\r\n" H "\r\n", 505),
    ROW("GET / HTTP/0.9\r\n" H "\r\n", 505),
    ROW("GET / HTTP/1\r\n" H "\r\n", 505),
    ROW("GET / HTTP/1.x\r\n" H "\r\n", 505),
    ROW("GET / HTTP/1.2\r\n" H "\r\n", 0),
    ROW("GET / HTTP/11.1\r\n" H "\r\n", 505),
    ROW("GET / HTTP/1.1\rX", 400),
    ROW("GET / HTTP\r\n" H "\r\n", 400),
    ROW("GET / HTT\r\n" H "\r\n", 400),
    ROW("M-SEARCH / HTTP/1.1\r\n" H "\r\n", 0),
    ROW("DESCRIBE / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("DESCRIBE / RTSP/1.0\r\n" H "\r\n", 400),
    ROW("QUERY / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("PRI / HTTP/2\r\n" H "\r\n", 400),
    ROW("SOURCE / ICE/1.0\r\n" H "\r\n", 400),
    ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS ClientHello", 400),
    ROW("\0\0\0\0", 400),
    /* target */
    ROW("GET * HTTP/1.1\r\n" H "\r\n", 400),
    ROW("OPTIONS * HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET x HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET ?a HTTP/1.1\r\n" H "\r\n", 400),
    ROW("CONNECT h:80 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET http:///x HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET ftp://h/x HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a\x01 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a\0b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a\x7f HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a\x80 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a\tb HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /a b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n" H "\r\n", 414),
    /* lines */
    ROW("GET / HTTP/1.1\nHost: x\n\n", 400),
    ROW("GET / HTTP/1.1\r\nHost: x\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\nHost: x\r\n\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "\r\fHEAD / HTTP/1.1\r\n" H "\r\n", 400), /* found by fuzzing */
    ROW("GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A:\r\n b\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n " H "\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A: \0\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A\0: b\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "A(: b\r\n\r\n", 400),
    /* headers that decide where the request ends */
    ROW("GET / HTTP/1.1\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H H "\r\n", 400),
    ROW("GET / HTTP/1.0\r\n" H H "\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\nContent-Length: 3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 3 3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551615\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551610\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551609\r\n\r\n", 413),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 33\r\n\r\n", 413),
    ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding-X: identity\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\r\n" H "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\n\r\n", 0),
    ROW("GET / HTTP/1.1\r\n" H "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\n\r\n", 431),
};

static int outcome(struct http_parse *parse, enum http_parse_result result)
{
    const char *message = NULL;
    if (result != HTTP_PARSE_REFUSED)
        return result == HTTP_PARSE_COMPLETE ? 0 : -1;
    int status = http_parse_refusal(parse, &message);
    cr_assert(message && !strpbrk(message, "\"\\\r\n"));
    return status;
}

Test(http_parse, takes_what_the_rfc_says_and_refuses_the_rest_at_once)
{
    AUTO(http_parse) parse = http_parse_create(&limits, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum http_parse_result result = feed(parse, rows[i].text, rows[i].length, SIZE_MAX);
        cr_expect_eq(outcome(parse, result), rows[i].status, "row %zu gave %d, not %d: %s", i, outcome(parse, result),
                     rows[i].status, rows[i].text);
        http_parse_reset(parse);
    }
}

/* However it is cut, the same comes out; and a request that is refused is never taken when it comes in two parts. */
Test(http_parse, outcome_does_not_depend_on_where_reads_end)
{
    AUTO(http_parse) parse = http_parse_create(&limits, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        for (size_t cut = 1; cut < row->length; cut++) {
            enum http_parse_result result = feed(parse, row->text, cut, SIZE_MAX);
            if (result == HTTP_PARSE_NEEDS_MORE)
                result = feed(parse, row->text + cut, row->length - cut, SIZE_MAX);
            cr_expect_eq(outcome(parse, result), row->status, "row %zu cut at %zu gave %d, not %d", i, cut,
                         outcome(parse, result), row->status);
            http_parse_reset(parse);
        }
        enum http_parse_result result = feed(parse, row->text, row->length, 1);
        cr_expect_eq(outcome(parse, result), row->status, "row %zu byte by byte gave %d, not %d", i,
                     outcome(parse, result), row->status);
        http_parse_reset(parse);
    }
}

static void assert_text(struct http_text text, const char *expected)
{
    cr_assert_eq(text.length, strlen(expected), "%.*s, not %s", (int)text.length, text.data, expected);
    cr_assert_eq(memcmp(text.data, expected, text.length), 0, "%.*s, not %s", (int)text.length, text.data, expected);
}

Test(http_parse, gives_path_query_headers_and_body_however_they_came)
{
    static const char text[] = "POST /v1/a%20b?c=d?e HTTP/1.1\r\nhOST:  x \r\nEmpty:\r\nX-Two: 1\r\nX-Two: 2\r\n"
                               "Content-Length: 5\r\n\r\nhello";
    AUTO(http_parse) parse = http_parse_create(&limits, NULL);
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        cr_assert_eq(feed(parse, text, sizeof text - 1, piece), HTTP_PARSE_COMPLETE);
        cr_assert_eq(http_parse_verb(parse), HTTP_VERB_POST);
        assert_text(http_parse_path(parse), "/v1/a%20b");
        assert_text(http_parse_query(parse), "c=d?e");
        assert_text(http_parse_body(parse), "hello");
        struct http_text value;
        cr_assert(http_parse_header(parse, "Host", &value));
        assert_text(value, "x");
        cr_assert(http_parse_header(parse, "EMPTY", &value));
        assert_text(value, "");
        cr_assert(http_parse_header(parse, "x-two", &value));
        assert_text(value, "1");
        cr_assert_not(http_parse_header(parse, "X-Tw", &value));
        cr_assert_not(http_parse_header(parse, "X-Two2", &value));
        http_parse_reset(parse);
    }
}

Test(http_parse, target_forms_come_down_to_path_and_query)
{
    static const struct {
        const char *target, *path, *query;
    } forms[] = {
        {"/", "/", ""},           {"/?", "/", ""},
        {"/a?b", "/a", "b"},      {"//a", "//a", ""},
        {"http://h", "/", ""},    {"http://h/", "/", ""},
        {"http://h?q", "/", "q"}, {"HTTPS://h:80/a/b?q=/", "/a/b", "q=/"},
    };
    AUTO(http_parse) parse = http_parse_create(&limits, NULL);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char text[128];
        int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" H "\r\n", forms[i].target);
        cr_assert_eq(feed(parse, text, (size_t)length, SIZE_MAX), HTTP_PARSE_COMPLETE, "%s", forms[i].target);
        assert_text(http_parse_path(parse), forms[i].path);
        assert_text(http_parse_query(parse), forms[i].query);
        http_parse_reset(parse);
    }
}

Test(http_parse, each_request_of_a_pipeline_is_its_own)
{
    static const char pipeline[] = "POST /1?a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"
                                   "GET /22 HTTP/1.1\r\n" H "X: y\r\n\r\n"
                                   "\r\nHEAD /333 HTTP/1.0\r\n\r\nGET /4";
    static const struct {
        enum http_verb verb;
        const char *path, *query, *body;
        bool keeps_alive;
    } expected[] = {
        {HTTP_VERB_POST, "/1", "a", "abc", true},
        {HTTP_VERB_GET, "/22", "", "", true},
        {HTTP_VERB_HEAD, "/333", "", "", false},
    };
    for (size_t piece = 1; piece <= sizeof pipeline; piece++) {
        AUTO(http_parse) parse = http_parse_create(&limits, NULL);
        size_t found = 0;
        for (size_t done = 0; done < sizeof pipeline - 1; done += piece) {
            size_t size = sizeof pipeline - 1 - done < piece ? sizeof pipeline - 1 - done : piece;
            enum http_parse_result result = feed(parse, pipeline + done, size, size);
            for (; result == HTTP_PARSE_COMPLETE; result = http_parse_run(parse), found++) {
                cr_assert_eq(http_parse_verb(parse), expected[found].verb);
                assert_text(http_parse_path(parse), expected[found].path);
                assert_text(http_parse_query(parse), expected[found].query);
                assert_text(http_parse_body(parse), expected[found].body);
                cr_assert_eq(http_parse_keeps_alive(parse), expected[found].keeps_alive);
                http_parse_finish_request(parse);
            }
            cr_assert_eq(result, HTTP_PARSE_NEEDS_MORE);
        }
        cr_assert_eq(found, 3);
        cr_assert_not(http_parse_is_empty(parse));
    }
}

Test(http_parse, very_long_pipeline_does_not_grow_the_memory)
{
    static const char text[] = "GET /some/path HTTP/1.1\r\n" H "\r\n";
    AUTO(http_parse) parse = http_parse_create(&limits, NULL);
    size_t sent = 0;
    size_t found = 0;
    while (found < 10000) {
        size_t size;
        char *room = http_parse_room(parse, &size);
        for (size_t i = 0; i < size; i++)
            room[i] = text[sent++ % (sizeof text - 1)];
        http_parse_filled(parse, size);
        while (http_parse_run(parse) == HTTP_PARSE_COMPLETE) {
            found++;
            http_parse_finish_request(parse);
        }
    }
    cr_assert(http_parse_reset(parse));
}

Test(http_parse, endless_input_is_refused_near_its_limit)
{
    static const struct {
        const char *start;
        char endless;
        int status;
        size_t at_most;
    } floods[] = {
        {"GET /", 'a', 414, 80},
        {"GET / HTTP/1.1\r\nX: ", 'a', 431, 700},
        {"GET / HTTP/1.1\r\n", 'a', 431, 700},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: ", ' ', 431, 700},
        {"GET ", ' ', 431, 700},
        {"GET / HTTP/1.1\r\nHost: x", '\r', 400, 80},
    };
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
        AUTO(http_parse) parse = http_parse_create(&limits, NULL);
        enum http_parse_result result = feed(parse, floods[i].start, strlen(floods[i].start), SIZE_MAX);
        size_t sent = 0;
        while (result == HTTP_PARSE_NEEDS_MORE && sent < 5000) {
            result = feed(parse, &floods[i].endless, 1, 1);
            sent++;
        }
        cr_expect_eq(outcome(parse, result), floods[i].status, "flood %zu: %d", i, outcome(parse, result));
        cr_expect_leq(sent, floods[i].at_most, "flood %zu: %zu", i, sent);
    }
}

Test(http_parse, continue_is_wanted_once_and_only_for_a_body_that_is_not_there)
{
    static const struct {
        const char *text;
        bool wants;
    } cases[] = {
        {"POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n", true},
        {"POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\na", false},
        {"POST / HTTP/1.0\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", false},
        {"POST / HTTP/1.1\r\n" H "Expect: nothing\r\nContent-Length: 3\r\n\r\n", false},
        {"POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(http_parse) parse = http_parse_create(&limits, NULL);
        cr_assert_eq(feed(parse, cases[i].text, strlen(cases[i].text), SIZE_MAX), HTTP_PARSE_NEEDS_MORE);
        cr_assert_eq(http_parse_wants_continue(parse), cases[i].wants, "case %zu", i);
        cr_assert_not(http_parse_wants_continue(parse));
    }
}

Test(http_parse, workspace_that_grew_for_a_large_body_is_not_kept)
{
    struct http_server_options large = limits;
    large.max_body = 100000;
    AUTO(http_parse) parse = http_parse_create(&large, NULL);
    static const char head[] = "PUT / HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n";
    cr_assert_eq(feed(parse, head, sizeof head - 1, SIZE_MAX), HTTP_PARSE_NEEDS_MORE);
    static char body[100000];
    memset(body, 'b', sizeof body);
    cr_assert_eq(feed(parse, body, sizeof body, 777), HTTP_PARSE_COMPLETE);
    struct http_text text = http_parse_body(parse);
    cr_assert_eq(text.length, sizeof body);
    cr_assert_eq(memcmp(text.data, body, sizeof body), 0);
    cr_assert_not(http_parse_reset(parse));
}

/* ---- heads that came before ---- */

/* Sends text a few times, as the server does with its workspaces. */
static void repeat(struct http_heads *heads, const char *text)
{
    for (int i = 0; i < 3; i++) {
        AUTO(http_parse) parse = http_parse_create(&limits, heads);
        feed(parse, text, strlen(text), SIZE_MAX);
    }
}

Test(http_parse, a_known_head_is_the_same_head)
{
    static const char first[] = "HEAD /p?q HTTP/1.0\r\n" H "Connection: keep-alive\r\nX: y \r\n\r\n";
    static const char second[] = "HEAD /longer/path?query HTTP/1.0\r\n" H "Connection: keep-alive\r\nX: y \r\n\r\n";
    AUTO(http_heads) heads = http_heads_create();
    repeat(heads, first);
    AUTO(http_parse) parse = http_parse_create(&limits, heads);
    for (int i = 0; i < 4; i++) {
        const char *text = i % 2 ? first : second;
        cr_assert_eq(feed(parse, text, strlen(text), SIZE_MAX), HTTP_PARSE_COMPLETE);
        cr_expect_eq(http_parse_verb(parse), HTTP_VERB_HEAD);
        assert_text(http_parse_path(parse), i % 2 ? "/p" : "/longer/path");
        assert_text(http_parse_query(parse), i % 2 ? "q" : "query");
        assert_text(http_parse_body(parse), "");
        cr_expect(http_parse_is_version_1_0(parse));
        cr_expect(http_parse_keeps_alive(parse));
        struct http_text value;
        cr_assert(http_parse_header(parse, "x", &value));
        assert_text(value, "y");
        cr_expect_not(http_parse_header(parse, "y", &value));
        http_parse_finish_request(parse);
        cr_expect(http_parse_is_empty(parse));
    }
}

/* The status, and what the target was split into. */
static int outcome_of_target(struct http_heads *heads, struct http_text target, char *ret_parts, size_t size)
{
    static const char rest[] = " HTTP/1.1\r\n" H "\r\n";
    char head[256] = "GET ";
    memcpy(head + 4, target.data, target.length);
    memcpy(head + 4 + target.length, rest, sizeof rest - 1);
    AUTO(http_parse) parse = http_parse_create(&limits, heads);
    int status = outcome(parse, feed(parse, head, 4 + target.length + sizeof rest - 1, SIZE_MAX));
    ret_parts[0] = '\0';
    if (status == 0)
        snprintf(ret_parts, size, "%.*s|%.*s", (int)http_parse_path(parse).length, http_parse_path(parse).data,
                 (int)http_parse_query(parse).length, http_parse_query(parse).data);
    return status;
}

/* Each pair of bytes within it: a known head takes no target that the parser would not, and none otherwise. */
Test(http_parse, any_target_fares_the_same_in_a_known_head)
{
    AUTO(http_heads) heads = http_heads_create();
    repeat(heads, "GET /learned HTTP/1.1\r\n" H "\r\n");
    char known[128];
    char unknown[128];
    for (int pair = 0; pair < 65536; pair++) {
        const char target[] = {'/', (char)(pair >> 8), (char)pair, 'z'};
        struct http_text text = {target, sizeof target};
        int status = outcome_of_target(heads, text, known, sizeof known);
        cr_assert_eq(status, outcome_of_target(NULL, text, unknown, sizeof unknown), "%04x: %d", (unsigned)pair,
                     status);
        cr_assert_str_eq(known, unknown);
    }
    char longest[70];
    memset(longest, '/', sizeof longest);
    for (size_t length = 60; length < sizeof longest; length++) {
        struct http_text text = {longest, length};
        cr_expect_eq(outcome_of_target(heads, text, known, sizeof known), length > limits.max_target ? 414 : 0);
    }
}

Test(http_parse, what_follows_a_known_head_is_parsed)
{
    static const char known[] = "GET /known HTTP/1.1\r\n" H "\r\n";
    static const char both[] = "GET /known HTTP/1.1\r\n" H "\r\nGET /next HTTP/1.1\r\n" H "X: y\r\n\r\n";
    AUTO(http_heads) heads = http_heads_create();
    repeat(heads, known);
    repeat(heads, both);
    AUTO(http_parse) parse = http_parse_create(&limits, heads);
    cr_assert_eq(feed(parse, both, sizeof both - 1, SIZE_MAX), HTTP_PARSE_COMPLETE);
    assert_text(http_parse_path(parse), "/known");
    http_parse_finish_request(parse);
    cr_assert_eq(http_parse_run(parse), HTTP_PARSE_COMPLETE);
    assert_text(http_parse_path(parse), "/next");
    http_parse_finish_request(parse);
    cr_assert_eq(feed(parse, known, sizeof known - 1, 5), HTTP_PARSE_COMPLETE, "in pieces");
    assert_text(http_parse_path(parse), "/known");
}

Test(http_parse, only_whole_heads_without_body_and_credentials_are_known)
{
    static const struct {
        const char *method;
        const char *rest;
        bool is_known;
    } cases[] = {
        {"GET ", " HTTP/1.1\r\n" H "\r\n", true},
        {"POST ", " HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", true},
        {"GET ", " HTTP/1.1\r\n" H "Connection: close\r\n\r\n", true},
        {"POST ", " HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", false},
        {"GET ", " HTTP/1.1\r\n" H "Authorization: Bearer secret\r\n\r\n", false},
        {"GET ", " HTTP/1.1\r\n" H "COOKIE: secret\r\n\r\n", false},
        {"GET ", " HTTP/1.1\r\n" H "Proxy-Authorization: secret\r\n\r\n", false},
        {"\r\nGET ", " HTTP/1.1\r\n" H "\r\n", false},
        {"GET http://h", " HTTP/1.1\r\n" H "\r\n", false},
        {"GET ", " HTTP/1.1\r\n\r\n", false},
        {"GET ", " HTTP/1.1\r\n" H, false},
        {"GET  ", " HTTP/1.1\r\n" H "\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(http_heads) heads = http_heads_create();
        char text[256];
        snprintf(text, sizeof text, "%s/a%s", cases[i].method, cases[i].rest);
        repeat(heads, text);
        struct http_text method = {cases[i].method, strlen(cases[i].method)};
        struct http_text rest = {cases[i].rest, strlen(cases[i].rest)};
        struct http_head_key key = {method, rest, http_heads_hash(method, rest)};
        size_t size;
        cr_expect_eq(http_heads_find(heads, &key, &size) != NULL, cases[i].is_known, "case %zu", i);
    }
}
