#include "io/http_server_desk.h"

TestSuite(http_turn, .init = open_all, .fini = close_all, .timeout = 300);

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

Test(http_turn, crowd_of_one_user_costs_another_a_turn_alone)
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

Test(http_turn, newcomer_is_answered_within_a_crowd)
{
    start_for_everybody();
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    struct client other = client_open_as(OTHER_USER);
    cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 2 * TURN_ALONE);
    crowd_close(crowd);
    client_close(&other);
}

Test(http_turn, dear_calls_of_one_user_cost_another_a_few_of_them)
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

Test(http_turn, bytes_count_as_steps)
{
    start_for_everybody();
    struct client other = client_open_as(OTHER_USER);
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/large"));
    cr_expect_leq(handled_before_answer(&other, GET("/other"), "</other>"), 6, "each sends what its socket takes");
    crowd_close(crowd);
    client_close(&other);
}

Test(http_turn, crowd_that_leaves_while_it_waits_is_forgotten)
{
    start();
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    event_base_loop(event_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_assert_lt(handled_count, CROWD * PIPELINED);
    crowd_close(crowd);
    expect_connections(0);
}

Test(http_turn, server_that_ends_forgets_who_waits)
{
    start();
    struct client crowd[CROWD];
    crowd_open(crowd, GET("/a"));
    event_base_loop(event_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_assert_lt(handled_count, CROWD * PIPELINED);
    http_server_destroy(TAKE(server));
    crowd_close(crowd);
}
