#ifndef BROKER_EXCHANGE_FETCH_FAILURE_H
#define BROKER_EXCHANGE_FETCH_FAILURE_H

#include <stdbool.h>

struct broker;
struct iclient;
struct token_entry;
struct token_fetch;
struct token_outcome;

/*
 * What a failed exchange means for the entry: its state, when to try again, the breaker of its iClient, and what the
 * store keeps of it. is_unclear: the refresh token may have been used up at the provider. False: the failure is of a
 * configuration that is not the present one, and means nothing for it.
 */
bool fetch_failure_apply(struct token_entry *entry, const struct token_fetch *fetch,
                         const struct token_outcome *outcome, bool is_unclear);
/* The store cannot note the refresh, which was not sent: the tokens are kept and it is tried again. */
void fetch_failure_wait_for_store(struct token_entry *entry, const struct token_fetch *fetch);
/* The iClient is accepted again: its other connections need not wait for their own probe. */
void fetch_failure_release_iclient(struct broker *broker, const struct iclient *iclient);

#endif
