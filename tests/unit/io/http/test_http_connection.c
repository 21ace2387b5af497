#include "io/http_server_desk.h"

TestSuite(http_connection, .init = open_all, .fini = close_all, .timeout = 300);

Test(http_connection, half_closed_client_gets_all_its_answers)
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

Test(http_connection, end_that_came_with_the_request_is_not_missed)
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

Test(http_connection, half_closed_client_in_mid_request_is_closed)
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

Test(http_connection, waiting_half_closed_client_costs_nothing)
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

Test(http_connection, owner_of_a_kept_call_is_told_once_when_its_client_goes)
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

Test(http_connection, client_that_left_before_its_request_was_read_is_noticed)
{
    start();
    struct client client = client_open();
    cr_assert_gt(send(client.fd, GET("/keep"), strlen(GET("/keep")), 0), 0);
    client_close(&client);
    expect_until(&gone_count, 1);
    cr_assert_eq(kept_count, 1);
}

Test(http_connection, call_whose_owner_is_not_told_can_be_answered_after_its_client_left)
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

Test(http_connection, destroying_the_server_tells_the_owners_of_kept_calls)
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

Test(http_connection, request_that_comes_too_slowly_is_refused_however_busily_it_comes)
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

Test(http_connection, idle_connection_is_closed_without_a_word_and_a_kept_call_is_not)
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

Test(http_connection, request_that_waits_behind_an_unread_reply_is_not_late)
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

Test(http_connection, client_that_does_not_take_its_reply_is_closed)
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
