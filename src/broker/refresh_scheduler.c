#include "broker/refresh_scheduler.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "broker/broker_state.h"
#include "broker/token_entry_state.h"
#include "broker/token_fetch.h"

/* A step of the clock is noticed by the loop; looking again once a day costs nothing and mends what was not. */
enum { LONGEST_SLEEP_SECONDS = 24 * 3600 };
/* Until a refresh looks again that there was no memory for to stand in line with. */
enum { NO_LINE_WAIT_MS = 4000 };

int64_t refresh_scheduler_moment(int64_t obtained_at, int64_t expires_at, double fraction)
{
    if (expires_at == 0)
        return 0;
    double lifetime = (double)(expires_at - obtained_at);
    if (lifetime <= 0)
        return expires_at;
    double margin = lifetime * 0.2 > 300 ? lifetime * 0.2 : 300;
    if (margin > lifetime / 2)
        margin = lifetime / 2;
    margin *= 0.9 + 0.2 * fraction;
    return expires_at - (int64_t)margin;
}

void refresh_scheduler_choose(struct token_entry *entry)
{
    entry->refresh_after =
        refresh_scheduler_moment(entry->tokens->obtained_at, entry->tokens->expires_at, random_fraction());
}

bool refresh_scheduler_is_due(const struct token_entry *entry, int64_t now)
{
    return entry->refresh_after &&
           (now >= entry->refresh_after || token_entry_is_later(entry->span.obtained_at, now));
}

static void on_due(void *context);

static void start_timer(struct token_entry *entry, int64_t delay_ms)
{
    if (!entry->timer)
        entry->timer = loop_timer_create(entry->broker->loop, on_due, entry);
    if (!entry->timer || loop_timer_start(entry->timer, delay_ms) != OK)
        log_error("connection %s: no memory for its refresh timer; it is refreshed when asked for",
                  token_entry_name(entry));
}

static bool wants_refresh(const struct token_entry *entry)
{
    int64_t now = clock_wall();
    return entry->fits && refresh_scheduler_is_due(entry, now) && now >= token_entry_retry_at(entry, now);
}

void refresh_scheduler_take_turn(struct token_entry *entry)
{
    if (wants_refresh(entry))
        token_fetch_begin(entry, true);
    if (!entry->fetch)
        refresh_scheduler_plan(entry);
}

static void on_due(void *context)
{
    struct token_entry *entry = context;
    struct refresh_turns *turns = &entry->broker->turns;
    if (!wants_refresh(entry) || refresh_turn_is_free(turns, connection_iclient(entry->connection)))
        refresh_scheduler_take_turn(entry);
    else if (!refresh_turn_wait(turns, entry))
        start_timer(entry, NO_LINE_WAIT_MS);
}

/* Wall clock of the next look; 0: none. */
static int64_t next_moment(const struct token_entry *entry, int64_t now)
{
    if (!entry->connection || !entry->fits || entry->fetch || !connection_refreshes_ahead(entry->connection))
        return 0;
    if (entry->state == ENTRY_INACTIVE || entry->state == ENTRY_UNSUPPORTED ||
        entry->state == ENTRY_AUTHORIZATION_REQUIRED || entry->refresh_after == 0)
        return 0;
    int64_t retry_at = token_entry_retry_at(entry, now);
    int64_t due = refresh_scheduler_is_due(entry, now) ? now : entry->refresh_after;
    int64_t moment = due > retry_at ? due : retry_at;
    /* Without means to refresh, the moment that counts is the end: then a login is needed, and watchers are told. */
    if (!token_fetch_is_possible(entry))
        moment = entry->tokens->expires_at;
    return moment > now + LONGEST_SLEEP_SECONDS ? now + LONGEST_SLEEP_SECONDS : moment;
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
    start_timer(entry, moment > now ? (moment - now) * 1000 : 0);
}
