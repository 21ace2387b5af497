#ifndef BROKER_REFRESH_TURN_H
#define BROKER_REFRESH_TURN_H

#include <stdbool.h>

#include "model/iclient.h"

/*
 * How many refreshes ahead of expiry are under way for each iClient. When very many tokens are due at once only some
 * begin; the others wait in their timers, where they cost nothing, and not in the queues of store and HTTP client,
 * which are bounded and shared with other providers. iClients are told apart by a hash: two that share one share its
 * turns.
 */
enum { REFRESH_TURNS = 256, REFRESH_TURN_SLOTS = 256 };
struct refresh_turns {
    unsigned taken[REFRESH_TURN_SLOTS];
};

bool refresh_turn_is_free(const struct refresh_turns *turns, const struct iclient *iclient);
void refresh_turn_take(struct refresh_turns *turns, const struct iclient *iclient);
void refresh_turn_give_back(struct refresh_turns *turns, const struct iclient *iclient);

#endif
