#include "io/client/http_queue.h"

#include <criterion/criterion.h>

enum { PLACES = 12, MANY = 40 };

static struct http_queued waiting[MANY];

static void add(struct http_queue *queue, size_t index, const char *host, bool background)
{
    waiting[index] = (struct http_queued){.background = background, .owner = &waiting[index]};
    cr_assert(http_queue_add(queue, &waiting[index], host));
}

static size_t give_all(struct http_queue *queue)
{
    size_t given = 0;
    while (http_queue_give_place(queue))
        given++;
    return given;
}

static void leave_all(struct http_queue *queue)
{
    for (size_t i = 0; i < MANY; i++)
        http_queue_leave(queue, &waiting[i]);
}

Test(http_queue, hosts_take_turns_and_foreground_goes_first)
{
    AUTO(http_queue) queue = http_queue_create(MANY);
    static const struct {
        const char *host;
        bool background;
    } rows[] = {{"a:1", true},  {"a:1", false}, {"a:1", false}, {"b:1", false},
                {"a:1", false}, {"c:1", true},  {"b:1", true}};
    static const size_t expected[] = {1, 3, 2, 4, 0, 5, 6};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add(queue, i, rows[i].host, rows[i].background);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_eq(http_queue_give_place(queue), &waiting[expected[i]], "turn %zu", i);
    cr_assert_null(http_queue_give_place(queue));
    leave_all(queue);
}

Test(http_queue, users_of_a_host_take_turns)
{
    AUTO(http_queue) queue = http_queue_create(MANY);
    static const uint32_t users[] = {1000, 1000, 1000, 1000, 2000, 3000, 2000};
    static const size_t expected[] = {0, 4, 5, 1, 6, 2, 3};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        waiting[i] = (struct http_queued){.user = users[i], .owner = &waiting[i]};
        cr_assert(http_queue_add(queue, &waiting[i], "a:1"));
    }
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_eq(http_queue_give_place(queue), &waiting[expected[i]], "turn %zu", i);
    leave_all(queue);
}

Test(http_queue, user_who_gives_up_leaves_the_turn_to_others)
{
    AUTO(http_queue) queue = http_queue_create(1);
    static const uint32_t users[] = {1000, 1000, 2000};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        waiting[i] = (struct http_queued){.user = users[i], .owner = &waiting[i]};
        cr_assert(http_queue_add(queue, &waiting[i], "a:1"));
    }
    http_queue_leave(queue, &waiting[0]);
    http_queue_leave(queue, &waiting[1]);
    cr_assert_eq(http_queue_give_place(queue), &waiting[2]);
    leave_all(queue);
}

Test(http_queue, one_host_leaves_places_for_others)
{
    AUTO(http_queue) queue = http_queue_create(PLACES);
    for (size_t i = 0; i < 20; i++)
        add(queue, i, "slow:1", i % 2);
    cr_assert_eq(give_all(queue), 9);
    for (size_t i = 20; i < MANY; i++)
        add(queue, i, "other:1", true);
    size_t others = give_all(queue);
    cr_assert(others >= 2, "a second host got %zu", others);
    cr_assert(waiting[20].has_place);
    leave_all(queue);
}

Test(http_queue, every_place_can_be_taken)
{
    static const size_t places[] = {1, 2, 3};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        AUTO(http_queue) queue = http_queue_create(places[i]);
        for (size_t k = 0; k < 10; k++)
            add(queue, k, "only:1", false);
        cr_assert_eq(give_all(queue), places[i]);
        leave_all(queue);
    }
}

Test(http_queue, a_place_that_is_left_is_given_again)
{
    AUTO(http_queue) queue = http_queue_create(1);
    add(queue, 0, "a:1", false);
    add(queue, 1, "a:1", true);
    add(queue, 2, "b:1", true);
    cr_assert_eq(http_queue_give_place(queue), &waiting[0]);
    cr_assert_null(http_queue_give_place(queue));
    http_queue_leave(queue, &waiting[1]);
    http_queue_leave(queue, &waiting[0]);
    http_queue_leave(queue, &waiting[0]);
    cr_assert_eq(http_queue_give_place(queue), &waiting[2]);
    cr_assert_null(http_queue_give_place(queue));
    http_queue_leave(queue, &waiting[2]);
}
