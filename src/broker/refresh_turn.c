#include "broker/refresh_turn.h"

#include <stdlib.h>

/* An _id is 24 hex digits and a hash already, or as good as random. */
static size_t slot_of(const struct iclient *iclient)
{
    unsigned slot = 0;
    for (const char *digit = iclient_id(iclient); *digit != '\0'; digit++)
        slot = slot * 31 + (unsigned char)*digit;
    return slot % REFRESH_TURN_SLOTS;
}

bool refresh_turn_is_free(const struct refresh_turns *turns, const struct iclient *iclient)
{
    return turns->taken[slot_of(iclient)] < REFRESH_TURNS;
}

void refresh_turn_take(struct refresh_turns *turns, const struct iclient *iclient)
{
    turns->taken[slot_of(iclient)]++;
}

void refresh_turn_give_back(struct refresh_turns *turns, const struct iclient *iclient)
{
    turns->taken[slot_of(iclient)]--;
}
