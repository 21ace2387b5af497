#include "io/http_server_desk.h"

TestSuite(http_server, .init = open_all, .fini = close_all, .timeout = 300);

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
