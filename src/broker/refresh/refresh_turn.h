#ifndef BROKER_REFRESH_REFRESH_TURN_H
#define BROKER_REFRESH_REFRESH_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/loop/event_loop.h"
#include "model/iclient/iclient.h"

struct token_entry;

/*
 * How many refreshes ahead of expiry are under way for each iClient. When very many tokens are due at once only some
 * begin; the others stand in line here, where they cost nothing, and not in the queues of store and HTTP client,
 * which are bounded and shared with other providers. iClients are told apart by a hash: two that share one share its
 * turns.
 */
enum { REFRESH_TURNS = 128, REFRESH_TURN_LINES = 256 };

/*
 * Turns follow one another at once while the process is idle for a third of the time, else after a pause: nobody waits
 * for them, but somebody may wait for the loop.
 */
enum { TURN_PAUSE_MS = 2, TURN_WATCH_MS = 20 };

/* A ring, first come first served. */
struct refresh_line {
    unsigned taken;
    struct token_entry **waiting; /* NULL while nobody waits */
    size_t first;
    size_t count;
    size_t capacity;
};

/* An entry's turn has come. It starts its refresh, or leaves the turn to the next one. */
typedef void refresh_turn_taker(struct token_entry *entry);

struct refresh_turns {
    struct refresh_line lines[REFRESH_TURN_LINES];
    struct loop_timer *timer; /* runs while an entry waits and there may be a turn for it */
    refresh_turn_taker *take;
    int64_t since; /* clock_boot_ms(), and clock_cpu_ms() of the same moment */
    int64_t cpu_since;
};

/* take: called from the loop, one entry at a time. ERR_NO_MEMORY. */
enum status refresh_turns_init(struct refresh_turns *turns, struct event_loop *loop, refresh_turn_taker *take);
void refresh_turns_finish(struct refresh_turns *turns);

bool refresh_turn_is_free(const struct refresh_turns *turns, const struct iclient *iclient);
void refresh_turn_take(struct refresh_turns *turns, const struct iclient *iclient);
void refresh_turn_give_back(struct refresh_turns *turns, const struct iclient *iclient);
/*
 * Puts the entry in line for a turn of its iClient, once however often it is called. False: no memory.
 */
bool refresh_turn_wait(struct refresh_turns *turns, struct token_entry *entry);

#endif
