#ifndef SERVICE_REDIRECT_LINE_LIMIT_H
#define SERVICE_REDIRECT_LINE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "io/loop/event_loop.h"

/*
 * How many lines of one kind a user may bring about in the log: so many within a minute, then one that counts the rest.
 * Each user has his own, so that nobody can push out what another's requests have to say; from the 65th on within a
 * minute users share one.
 */
enum { LINE_LIMIT_USERS = 64, LINE_LIMIT_MINUTE_MS = 60 * 1000 };

struct line_limit;
/* Writes the line that counts. user: "uid 1000", or "other users". */
typedef void line_limit_rest(const char *user, uint64_t count);

/* loop: borrowed. NULL when out of memory. */
struct line_limit *line_limit_create(struct event_loop *loop, unsigned lines_per_minute, line_limit_rest *rest);
/* Counts what is not counted yet. */
void line_limit_destroy(struct line_limit *limit);
AUTO_DEFINE(line_limit);

/* True when the line may be written; else it counts as left out. */
bool line_limit_take(struct line_limit *limit, uid_t uid);

#endif
