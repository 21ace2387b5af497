#ifndef BROKER_REFRESH_CLIENT_BREAKER_H
#define BROKER_REFRESH_CLIENT_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/iclient/iclient.h"

/*
 * Open while a provider refuses an iClient (invalid_client): every connection of it would be refused alike, and some
 * providers lock clients that go on trying. Closed by a success, an edit, or for one slow probe at a time.
 */
struct broker;
struct client_breaker;

/* Opens it, or keeps it open longer. Returns when the next probe may go (wall clock). */
int64_t client_breaker_open(struct broker *broker, const struct iclient *iclient, int64_t now, int64_t retry_after);
/*
 * 0: closed, go on. Else the time of the next probe; at that time one caller gets 0 and the others wait for its result.
 */
int64_t client_breaker_blocks_until(struct broker *broker, const struct iclient *iclient, int64_t now);
/* True when it was open. */
bool client_breaker_close(struct broker *broker, const struct iclient *iclient);
void client_breaker_close_all(struct broker *broker);

#endif
