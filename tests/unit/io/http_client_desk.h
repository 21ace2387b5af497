#ifndef TEST_HTTP_CLIENT_DESK_H
#define TEST_HTTP_CLIENT_DESK_H

#include <criterion/criterion.h>
#include <string.h>

#include "io/client/http_client.h"
#include "io/scripted_server.h"

enum { PATIENCE_MS = 30000, MAX_REPLY = 256 * 1024 };

/* ---- a client and one who waits for it ---- */

struct desk {
    struct event_loop *loop;
    struct address_rule *addresses;
    struct http_client *client;
    struct http_client_options options;
};

struct answer {
    struct event_loop *loop;
    struct http_exchange *exchange;
    bool done;
    struct http_client_result result; /* without what is borrowed */
    char content_type[64];
    char retry_after[64];
    char body[MAX_REPLY + 1];
    int order;
    struct http_exchange **cancels; /* another's, when this one is done */
};

static int order_of_ends;

static inline void desk_open(struct desk *desk)
{
    *desk = (struct desk){.addresses = address_rule_create()};
    cr_assert_eq(event_loop_create(&desk->loop, NULL), OK);
    cr_assert_eq(address_rule_allow_loopback(desk->addresses), OK);
    desk->options = (struct http_client_options){
        .timeout_ms = 20000,
        .connect_timeout_ms = 10000,
        .max_concurrent = 64,
        .max_reply = MAX_REPLY,
        .allow_http = true,
        .addresses = desk->addresses,
        .user_agent = "iclientd-test",
    };
}

static inline void desk_start(struct desk *desk)
{
    struct error error = {0};
    cr_assert_eq(http_client_create(desk->loop, &desk->options, &desk->client, &error), OK, "%s", error.message);
}

static inline void desk_finish(struct desk *desk)
{
    http_client_destroy(desk->client);
    address_rule_destroy(desk->addresses);
    event_loop_destroy(desk->loop);
}

#define DESK(name)                                                                                                     \
    __attribute__((cleanup(desk_finish))) struct desk name;                                                            \
    desk_open(&name)

static inline void give_up(void *context)
{
    (void)context;
    cr_assert_fail("no answer");
}

static inline void run_until(struct desk *desk, const bool *done)
{
    AUTO(loop_timer) timer = loop_timer_create(desk->loop, give_up, NULL);
    loop_timer_start(timer, PATIENCE_MS);
    while (!*done)
        cr_assert_eq(event_loop_run(desk->loop, NULL), OK);
}

static inline void on_done(void *context, const struct http_client_result *result)
{
    struct answer *answer = context;
    cr_assert_not(answer->done, "answered twice");
    answer->done = true;
    answer->order = ++order_of_ends;
    answer->result = *result;
    snprintf(answer->content_type, sizeof answer->content_type, "%s",
             result->content_type ? result->content_type : "-");
    snprintf(answer->retry_after, sizeof answer->retry_after, "%s", result->retry_after ? result->retry_after : "-");
    cr_assert_eq(strlen(result->body), result->length);
    snprintf(answer->body, sizeof answer->body, "%s", result->body);
    if (answer->cancels)
        http_exchange_cancel(*answer->cancels);
    event_loop_stop(answer->loop);
}

static inline struct http_request *request_to(const char *method, const char *scheme, int port)
{
    char url[128];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d/token?secret=hush", scheme, port);
    return http_request_create(method, secret_from_text(url));
}

static inline void send_request(struct desk *desk, struct http_request *take_request, bool background,
                                int64_t timeout_ms, struct answer *answer)
{
    answer->loop = desk->loop;
    struct error error = {0};
    cr_assert_eq(http_client_send(desk->client, take_request, background, timeout_ms, on_done, answer,
                                  &answer->exchange, &error),
                 OK, "%s", error.message);
    cr_assert_not(answer->done, "answered inside the call");
}

static inline struct answer *get_for(struct desk *desk, const char *scheme, int port, int64_t timeout_ms)
{
    static struct answer answer;
    answer = (struct answer){0};
    send_request(desk, request_to("GET", scheme, port), false, timeout_ms, &answer);
    run_until(desk, &answer.done);
    cr_assert_null(strstr(answer.result.error.message, "hush"));
    return &answer;
}

static inline struct answer *get(struct desk *desk, const struct scripted_server *server)
{
    return get_for(desk, "http", server->port, 0);
}

static inline void assert_failed(const struct answer *answer, enum status status, bool may_have_been_sent, int port)
{
    cr_assert_eq(answer->result.status, status, "%d: %s", answer->result.status, answer->result.error.message);
    cr_assert_eq(answer->result.error.status, status);
    cr_assert_eq(answer->result.may_have_been_sent, may_have_been_sent);
    cr_assert_eq(answer->result.length, 0);
    char target[32];
    snprintf(target, sizeof target, "127.0.0.1:%d: ", port);
    cr_assert_eq(strncmp(answer->result.error.message, target, strlen(target)), 0, "%s", answer->result.error.message);
}

#define JSON_REPLY "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":\"b\"}"

#endif
