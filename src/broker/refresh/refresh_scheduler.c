#include "broker/refresh/refresh_scheduler.h"

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/entry/entry_event.h"
#include "broker/entry/fetch_rule.h"
#include "broker/refresh/refresh_moment.h"
#include "broker/entry/token_entry_state.h"

/* A step of the clock is noticed by the loop; looking again once a day costs nothing and mends what was not. */
enum { LONGEST_SLEEP_SECONDS = 24 * 3600 };
/* Until a refresh looks again that there was no memory for to stand in line with. */
enum { NO_LINE_WAIT_MS = 4000 };

static void on_due(void *context);

static void start_timer(struct token_entry *entry, int64_t delay_ms)
{
    if (!entry->timer)
        entry->timer = loop_timer_create(entry->broker->loop, on_due, entry);
    if (!entry->timer || loop_timer_start(entry->timer, delay_ms) != OK)
        log_error("connection %s: no memory for its refresh timer; it is refreshed when asked for",
                  token_entry_name(entry));
}

/* Wall clock of when there is something to do; 0: nothing, or what is running plans anew when it ends. */
static int64_t next_moment(const struct token_entry *entry, int64_t now)
{
    if (!entry->connection || !entry->fits)
        return 0;
    if (entry->running != RUNNING_NOTHING || entry->broker->drained)
        return 0;
    /* The journal comes last, and a refresh that was cut off is to be known of before there is another. */
    if (entry->broker->reading)
        return 0;
    if (entry->state == ENTRY_INACTIVE || entry->state == ENTRY_UNSUPPORTED ||
        entry->state == ENTRY_AUTHORIZATION_REQUIRED)
        return 0;
    /* Without means to refresh, the moment that counts is the end: then a login is needed, and watchers are told. */
    if (!fetch_rule_is_possible(entry))
        return entry->span.expires_at;
    /* Whoever it was kept back from wanted it at once: an operator, a report, a caller with min_ttl. */
    int64_t retry_at = token_entry_retry_at(entry, now);
    if (entry->state == ENTRY_STORE_UNAVAILABLE)
        return retry_at > 0 ? retry_at : now;
    int64_t due = refresh_moment_is_due(entry, now) ? now : entry->refresh_after;
    if (due == 0 || !connection_refreshes_ahead(entry->connection))
        return 0;
    return due > retry_at ? due : retry_at;
}

/* What plan() calls due and what a turn acts on have to be the same, or the loop would spin between the two. */
bool refresh_scheduler_is_time(const struct token_entry *entry)
{
    int64_t now = clock_wall();
    int64_t moment = next_moment(entry, now);
    return moment != 0 && moment <= now;
}

void refresh_scheduler_take_turn(struct token_entry *entry)
{
    entry_report(entry, EVENT_REFRESH_DUE);
}

static void on_due(void *context)
{
    struct token_entry *entry = context;
    struct refresh_turns *turns = &entry->broker->turns;
    if (!refresh_scheduler_is_time(entry) || refresh_turn_is_free(turns, connection_iclient(entry->connection)))
        refresh_scheduler_take_turn(entry);
    else if (!refresh_turn_wait(turns, entry))
        start_timer(entry, NO_LINE_WAIT_MS);
}

void refresh_scheduler_plan(struct token_entry *entry)
{
    int64_t now = clock_wall();
    int64_t moment = next_moment(entry, now);
    if (moment == 0) {
        if (entry->timer)
            loop_timer_stop(entry->timer);
        return;
    }
    int64_t delay = moment > now ? moment - now : 0;
    start_timer(entry, 1000 * (delay < LONGEST_SLEEP_SECONDS ? delay : LONGEST_SLEEP_SECONDS));
}
