#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/log/log_queue.h"

static struct log_queue queue;

static bool add(const char *line)
{
    return log_queue_add(&queue, line, strlen(line));
}

static bool front_is(const char *line)
{
    size_t length;
    const char *front = log_queue_front(&queue, &length);
    return length == strlen(line) && memcmp(front, line, length) == 0;
}

static size_t take(void)
{
    size_t length;
    log_queue_front(&queue, &length);
    log_queue_drop(&queue);
    return length;
}

Test(log_queue, lines_come_out_as_they_went_in)
{
    cr_expect(log_queue_is_empty(&queue));
    cr_assert(add("one\n") && add("two\n"));
    cr_expect(front_is("one\n"));
    take();
    cr_expect(front_is("two\n"));
    take();
    cr_expect(log_queue_is_empty(&queue));
    cr_expect_eq(queue.end, 0, "an empty one starts again at its beginning");
}

Test(log_queue, a_full_one_takes_no_line_until_there_is_room_for_all_of_it)
{
    char line[100];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    size_t count = 0;
    while (log_queue_add(&queue, line, sizeof line))
        count++;
    cr_expect_eq(count, LOG_QUEUE_SIZE / sizeof line);
    cr_expect_eq(log_queue_used(&queue), count * sizeof line);
    cr_expect_not(log_queue_add(&queue, line, sizeof line));
    take();
    cr_expect(log_queue_add(&queue, line, sizeof line));
    cr_expect_eq(log_queue_used(&queue), count * sizeof line);
    cr_expect_not(log_queue_add(&queue, line, sizeof line));
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(take(), sizeof line);
    cr_expect(log_queue_is_empty(&queue));
}

/* Lines of all lengths go around the ring many times; each one says its number. */
Test(log_queue, nothing_is_lost_or_torn_around_the_end)
{
    unsigned added = 0;
    unsigned taken = 0;
    uint32_t chance = 1;
    char line[2048];
    while (taken < 20000) {
        chance = chance * 1664525 + 1013904223;
        size_t length = 16 + (chance >> 16) % (sizeof line - 16);
        memset(line, '.', length);
        line[snprintf(line, sizeof line, "%u", added)] = ' ';
        line[length - 1] = '\n';
        if (chance % 3 > 0 && log_queue_add(&queue, line, length)) {
            added++;
            continue;
        }
        if (log_queue_is_empty(&queue))
            continue;
        unsigned number;
        size_t front_length;
        const char *front = log_queue_front(&queue, &front_length);
        cr_assert_eq(sscanf(front, "%u", &number), 1);
        cr_assert_eq(number, taken);
        cr_assert_eq(front[front_length - 1], '\n');
        taken++;
        take();
    }
}
