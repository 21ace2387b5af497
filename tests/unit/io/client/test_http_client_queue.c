#include "io/client/http_client.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "io/http_client_desk.h"

/* ---- many at once ---- */

static struct answer answers[16];

Test(http_client_queue, many_requests_are_all_answered)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk.options.max_concurrent = 8;
    desk_start(&desk);
    enum { REQUESTS = 200 };
    static struct answer each[REQUESTS];
    for (int i = 0; i < REQUESTS; i++)
        send_request(&desk, request_to("GET", "http", server.port), i % 2, 0, &each[i]);
    for (int i = 0; i < REQUESTS; i++) {
        run_until(&desk, &each[i].done);
        cr_assert_eq(each[i].result.http_status, 200, "%s", each[i].result.error.message);
    }
    cr_assert_eq(server.connection_count, REQUESTS);
}

Test(http_client_queue, foreground_goes_before_background_and_each_in_order)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk.options.max_concurrent = 1;
    desk_start(&desk);
    static const bool background[] = {true, true, false, true, false};
    static const int expected[] = {3, 4, 1, 5, 2};
    for (size_t i = 0; i < 5; i++)
        send_request(&desk, request_to("GET", "http", server.port), background[i], 0, &answers[i]);
    for (size_t i = 0; i < 5; i++)
        run_until(&desk, &answers[i].done);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(answers[i].order, expected[i], "request %zu came as number %d", i, answers[i].order);
}

Test(http_client_queue, deadline_holds_while_waiting_for_a_place)
{
    SCRIPTED_SERVER(server, server_never_answer);
    DESK(desk);
    desk.options.max_concurrent = 1;
    desk_start(&desk);
    send_request(&desk, request_to("GET", "http", server.port), false, 1500, &answers[0]);
    send_request(&desk, request_to("GET", "http", server.port), false, 100, &answers[1]);
    run_until(&desk, &answers[1].done);
    assert_failed(&answers[1], ERR_TIMEOUT, false, server.port);
    cr_assert_not(answers[0].done);
    run_until(&desk, &answers[0].done);
    cr_assert_eq(server.connection_count, 1);
}

Test(http_client_queue, queue_is_bounded_and_background_leaves_room)
{
    DESK(desk);
    desk_start(&desk);
    static struct answer ignored;
    struct http_exchange *exchange;
    int sent[2] = {0, 0};
    for (int background = 1; background >= 0; background--) {
        enum status status = OK;
        while (status == OK) {
            status = http_client_send(desk.client, request_to("GET", "http", 1), background, 0, on_done, &ignored,
                                      &exchange, NULL);
            sent[background] += status == OK;
        }
        cr_assert_eq(status, ERR_BUSY);
    }
    cr_assert_eq(sent[1], HTTP_QUEUE_BACKGROUND_MAX);
    cr_assert_eq(sent[1] + sent[0], HTTP_QUEUE_MAX);
}

/* ---- cancelling ---- */

static void stop_loop(void *context)
{
    struct desk *desk = context;
    event_loop_stop(desk->loop);
}

/* Lets the loop turn until the server holds that many connections. */
static void wait_for_open(struct desk *desk, struct scripted_server *server, int open)
{
    AUTO(loop_timer) timer = loop_timer_create(desk->loop, stop_loop, desk);
    int64_t start = clock_boot_ms();
    while (atomic_load(&server->open) != open) {
        cr_assert(clock_boot_ms() - start < PATIENCE_MS);
        loop_timer_start(timer, 1);
        cr_assert_eq(event_loop_run(desk->loop, NULL), OK);
    }
}

static void turn_loop(struct desk *desk, int64_t duration_ms)
{
    AUTO(loop_timer) timer = loop_timer_create(desk->loop, stop_loop, desk);
    loop_timer_start(timer, duration_ms);
    cr_assert_eq(event_loop_run(desk->loop, NULL), OK);
}

Test(http_client_queue, no_more_than_the_maximum_are_under_way)
{
    SCRIPTED_SERVER(server, server_never_answer);
    DESK(desk);
    desk.options.max_concurrent = 3;
    desk_start(&desk);
    for (size_t i = 0; i < 6; i++)
        send_request(&desk, request_to("GET", "http", server.port), i % 2, 0, &answers[i]);
    wait_for_open(&desk, &server, 3);
    turn_loop(&desk, 50);
    cr_assert_eq(atomic_load(&server.most_open), 3);
    cr_assert_eq(server.connection_count, 3);
    for (size_t i = 0; i < 6; i++)
        http_exchange_cancel(answers[i].exchange);
    wait_for_open(&desk, &server, 0);
    cr_assert_eq(server.connection_count, 3);
}

Test(http_client_queue, cancelled_exchange_never_answers_and_gives_its_place_free)
{
    SCRIPTED_SERVER(server, server_never_answer);
    SCRIPTED_SERVER(other, server_send_reply);
    other.reply = JSON_REPLY;
    DESK(desk);
    desk.options.max_concurrent = 1;
    desk_start(&desk);
    send_request(&desk, request_to("GET", "http", server.port), false, 0, &answers[0]);
    send_request(&desk, request_to("GET", "http", other.port), false, 0, &answers[1]);
    send_request(&desk, request_to("GET", "http", other.port), false, 0, &answers[2]);
    wait_for_open(&desk, &server, 1);
    http_exchange_cancel(answers[0].exchange);
    http_exchange_cancel(answers[1].exchange);
    run_until(&desk, &answers[2].done);
    cr_assert_eq(answers[2].result.http_status, 200);
    cr_assert_not(answers[0].done);
    cr_assert_not(answers[1].done);
    cr_assert_eq(other.connection_count, 1);
}

Test(http_client_queue, callback_may_cancel_another_in_any_state)
{
    SCRIPTED_SERVER(silent, server_never_answer);
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    static const struct {
        size_t max_concurrent;
        bool silent;
    } rows[] = {{1, false}, {2, true}, {2, false}};
    for (size_t i = 0; i < 3; i++) {
        DESK(desk);
        desk.options.max_concurrent = rows[i].max_concurrent;
        desk_start(&desk);
        static struct answer first;
        static struct answer second;
        static struct answer last;
        first = (struct answer){.cancels = &second.exchange};
        second = (struct answer){.cancels = &first.exchange};
        last = (struct answer){0};
        send_request(&desk, request_to("GET", "http", server.port), false, 0, &first);
        send_request(&desk, request_to("GET", "http", rows[i].silent ? silent.port : server.port), false, 0, &second);
        send_request(&desk, request_to("GET", "http", server.port), false, 0, &last);
        run_until(&desk, &last.done);
        run_until(&desk, rows[i].max_concurrent == 1 || rows[i].silent ? &first.done : &last.done);
        cr_assert(first.done + second.done <= 1, "row %zu", i);
    }
}

struct follow_up {
    struct desk *desk;
    int port;
};

static void send_again(void *context, const struct http_client_result *result)
{
    const struct follow_up *follow_up = context;
    cr_assert_eq(result->http_status, 200);
    send_request(follow_up->desk, request_to("GET", "http", follow_up->port), false, 0, &answers[0]);
}

Test(http_client_queue, callback_may_send_again)
{
    SCRIPTED_SERVER(server, server_send_reply);
    server.reply = JSON_REPLY;
    DESK(desk);
    desk.options.max_concurrent = 1;
    desk_start(&desk);
    struct http_exchange *exchange;
    struct follow_up follow_up = {&desk, server.port};
    cr_assert_eq(http_client_send(desk.client, request_to("GET", "http", server.port), false, 0, send_again, &follow_up,
                                  &exchange, NULL),
                 OK);
    run_until(&desk, &answers[0].done);
    cr_assert_eq(answers[0].result.http_status, 200);
}

Test(http_client_queue, destroy_cancels_everything)
{
    SCRIPTED_SERVER(server, server_never_answer);
    {
        DESK(desk);
        desk.options.max_concurrent = 2;
        desk_start(&desk);
        for (size_t i = 0; i < 4; i++)
            send_request(&desk, request_to("GET", "http", server.port), i == 3, 0, &answers[i]);
        wait_for_open(&desk, &server, 2);
    }
    for (size_t i = 0; i < 4; i++)
        cr_assert_not(answers[i].done);
}

Test(http_client_queue, destroy_does_not_wait_for_a_name)
{
    DESK(desk);
    desk_start(&desk);
    send_request(&desk, http_request_create("GET", secret_from_text("https://nowhere.invalid/")), false, 0,
                 &answers[0]);
    turn_loop(&desk, 1);
}
