#include "service/redirect/line_limit.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct user_lines {
    uid_t uid;
    unsigned written;
    uint64_t left_out;
};

struct line_limit {
    unsigned lines_per_minute;
    line_limit_rest *rest;
    struct loop_timer *minute; /* runs from a minute's first line on */
    size_t user_count;
    struct user_lines users[LINE_LIMIT_USERS];
    struct user_lines others;
};

static void end_minute(void *context)
{
    struct line_limit *limit = context;
    for (size_t i = 0; i < limit->user_count; i++) {
        char user[sizeof "uid 4294967295"];
        snprintf(user, sizeof user, "uid %u", (unsigned)limit->users[i].uid);
        if (limit->users[i].left_out > 0)
            limit->rest(user, limit->users[i].left_out);
    }
    if (limit->others.left_out > 0)
        limit->rest("other users", limit->others.left_out);
    limit->user_count = 0;
    limit->others = (struct user_lines){0};
}

struct line_limit *line_limit_create(struct event_loop *loop, unsigned lines_per_minute, line_limit_rest *rest)
{
    AUTO(line_limit) limit = calloc(1, sizeof *limit);
    if (!limit)
        return NULL;
    limit->lines_per_minute = lines_per_minute;
    limit->rest = rest;
    limit->minute = loop_timer_create(loop, end_minute, limit);
    return limit->minute ? TAKE(limit) : NULL;
}

void line_limit_destroy(struct line_limit *limit)
{
    if (!limit)
        return;
    end_minute(limit);
    loop_timer_destroy(limit->minute);
    free(limit);
}

static struct user_lines *find_or_add(struct line_limit *limit, uid_t uid)
{
    for (size_t i = 0; i < limit->user_count; i++) {
        if (limit->users[i].uid == uid)
            return &limit->users[i];
    }
    if (limit->user_count == LINE_LIMIT_USERS)
        return &limit->others;
    struct user_lines *user = &limit->users[limit->user_count++];
    *user = (struct user_lines){.uid = uid};
    return user;
}

bool line_limit_take(struct line_limit *limit, uid_t uid)
{
    if (!loop_timer_is_running(limit->minute))
        loop_timer_start(limit->minute, LINE_LIMIT_MINUTE_MS);
    struct user_lines *user = find_or_add(limit, uid);
    if (user->written < limit->lines_per_minute) {
        user->written++;
        return true;
    }
    user->left_out++;
    return false;
}
