#ifndef BROKER_REFRESH_SCHEDULER_H
#define BROKER_REFRESH_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

struct token_entry;

/*
 * Refresh ahead: margin = min(max(5 min, 20 % of the lifetime), half the lifetime), ±10 %, before expiry. One timer
 * for each entry that has something to wait for.
 */

/*
 * The moment, chosen once for each token so that it does not wander. 0: not ahead of time, for a token that never expires, and for
 * one without a lifetime, which would be refreshed without end. fraction: of [0, 1).
 */
int64_t refresh_scheduler_moment(int64_t obtained_at, int64_t expires_at, double fraction);
/* Sets entry->refresh_after for its tokens. */
void refresh_scheduler_choose(struct token_entry *entry);
/* Of an entry with tokens: they are near their end, or the clock was set back since they were obtained. */
bool refresh_scheduler_is_due(const struct token_entry *entry, int64_t now);
/* Its turn to be refreshed ahead has come. */
void refresh_scheduler_take_turn(struct token_entry *entry);
/* (Re)starts or stops the entry's timer by its state, tokens and configuration. Also after a step of the clock. */
void refresh_scheduler_plan(struct token_entry *entry);

#endif
