#include "broker/refresh/refresh_turn.h"

#include <stdlib.h>

#include "base/clock.h"
#include "broker/entry/token_entry_state.h"

enum { FIRST_CAPACITY = 64 };

/* An _id is 24 hex digits and a hash already, or as good as random. */
static size_t line_number(const struct iclient *iclient)
{
    unsigned number = 0;
    for (const char *digit = iclient_id(iclient); *digit != '\0'; digit++)
        number = number * 31 + (unsigned char)*digit;
    return number % REFRESH_TURN_LINES;
}

/* ---- the line ---- */

/* Of who stands so many behind the first. */
static size_t place_of(const struct refresh_line *line, size_t number)
{
    size_t place = line->first + number;
    return place < line->capacity ? place : place - line->capacity;
}

static bool reserve(struct refresh_line *line)
{
    if (line->count < line->capacity)
        return true;
    size_t capacity = line->capacity ? 2 * line->capacity : FIRST_CAPACITY;
    struct token_entry **waiting = calloc(capacity, sizeof(struct token_entry *));
    if (!waiting)
        return false;
    for (size_t i = 0; i < line->count; i++)
        waiting[i] = line->waiting[place_of(line, i)];
    free(line->waiting);
    line->waiting = waiting;
    line->first = 0;
    line->capacity = capacity;
    return true;
}

static struct token_entry *take_first(struct refresh_line *line)
{
    struct token_entry *entry = line->waiting[line->first];
    line->first = place_of(line, 1);
    line->count--;
    if (line->count == 0) {
        free(TAKE(line->waiting));
        line->capacity = 0;
    }
    entry->waits_for_turn = false;
    return entry;
}

static struct refresh_line *find_ready(struct refresh_turns *turns)
{
    for (size_t i = 0; i < REFRESH_TURN_LINES; i++) {
        struct refresh_line *line = &turns->lines[i];
        if (line->count > 0 && line->taken < REFRESH_TURNS)
            return line;
    }
    return NULL;
}

static bool is_busy(struct refresh_turns *turns)
{
    int64_t now = clock_boot_ms();
    int64_t cpu = clock_cpu_ms();
    bool takes_too_much = 3 * (cpu - turns->cpu_since) > 2 * (now - turns->since);
    if (now - turns->since >= TURN_WATCH_MS) {
        turns->since = now;
        turns->cpu_since = cpu;
    }
    return takes_too_much;
}

/* One at a time, so that everybody else has his turn in between. Whoever needs none any more leaves it to the next. */
static void on_turn(void *context)
{
    struct refresh_turns *turns = context;
    struct refresh_line *line = find_ready(turns);
    if (!line)
        return;
    turns->take(take_first(line));
    if (find_ready(turns))
        loop_timer_start(turns->timer, is_busy(turns) ? TURN_PAUSE_MS : 0);
}

/* ---- life ---- */

enum status refresh_turns_init(struct refresh_turns *turns, struct event_loop *loop, refresh_turn_taker *take)
{
    turns->take = take;
    turns->timer = loop_timer_create(loop, on_turn, turns);
    return turns->timer ? OK : ERR_NO_MEMORY;
}

void refresh_turns_finish(struct refresh_turns *turns)
{
    for (size_t i = 0; i < REFRESH_TURN_LINES; i++)
        free(turns->lines[i].waiting);
    loop_timer_destroy(turns->timer);
}

/* ---- turns ---- */

bool refresh_turn_is_free(const struct refresh_turns *turns, const struct iclient *iclient)
{
    const struct refresh_line *line = &turns->lines[line_number(iclient)];
    return line->taken < REFRESH_TURNS && line->count == 0;
}

void refresh_turn_take(struct refresh_turns *turns, const struct iclient *iclient)
{
    turns->lines[line_number(iclient)].taken++;
}

void refresh_turn_give_back(struct refresh_turns *turns, const struct iclient *iclient)
{
    struct refresh_line *line = &turns->lines[line_number(iclient)];
    line->taken--;
    if (line->count > 0 && !loop_timer_is_running(turns->timer))
        loop_timer_start(turns->timer, 0);
}

bool refresh_turn_wait(struct refresh_turns *turns, struct token_entry *entry)
{
    struct refresh_line *line = &turns->lines[line_number(connection_iclient(entry->connection))];
    if (entry->waits_for_turn)
        return true;
    if (!reserve(line))
        return false;
    line->waiting[place_of(line, line->count++)] = entry;
    entry->waits_for_turn = true;
    if (line->taken < REFRESH_TURNS && !loop_timer_is_running(turns->timer))
        loop_timer_start(turns->timer, 0);
    return true;
}
