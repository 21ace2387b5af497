#ifndef BROKER_REFRESH_REFRESH_SCHEDULER_H
#define BROKER_REFRESH_REFRESH_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

struct token_entry;

/* Refresh ahead of expiry: one timer for each entry that has something to wait for. Reports EVENT_REFRESH_DUE. */

/* Something is due now: a refresh, or the end of a token that nothing could renew. */
bool refresh_scheduler_is_time(const struct token_entry *entry);
/* A refresh_turn_taker: reports the event. */
void refresh_scheduler_take_turn(struct token_entry *entry);
/* (Re)starts or stops the entry's timer by its state, tokens and configuration. Also after a step of the clock. */
void refresh_scheduler_plan(struct token_entry *entry);

#endif
