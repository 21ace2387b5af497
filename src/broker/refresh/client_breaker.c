#include "broker/refresh/client_breaker.h"

#include <stdlib.h>
#include <string.h>

#include "broker/refresh/back_off.h"
#include "broker/broker_state.h"
#include "broker/entry/token_entry_state.h"

enum { PROBE_SECONDS = 60 }; /* longer than an exchange may take */

struct client_breaker {
    UT_hash_handle by_id;
    char id[25];
    unsigned failures;
    int64_t opened_at;
    int64_t retry_at;
};

static struct client_breaker *client_breaker_find(const struct broker *broker, const struct iclient *iclient)
{
    struct client_breaker *breaker = NULL;
    HASH_FIND(by_id, broker->breakers, iclient_id(iclient), strlen(iclient_id(iclient)), breaker);
    return breaker;
}

int64_t client_breaker_open(struct broker *broker, const struct iclient *iclient, int64_t now, int64_t retry_after)
{
    struct client_breaker *breaker = client_breaker_find(broker, iclient);
    if (!breaker) {
        breaker = calloc(1, sizeof *breaker);
        if (!breaker)
            return now + back_off_delay(BACK_OFF_CLIENT, 1, retry_after);
        memcpy(breaker->id, iclient_id(iclient), sizeof breaker->id - 1);
        HASH_ADD(by_id, broker->breakers, id[0], strlen(breaker->id), breaker);
        if (!breaker->by_id.tbl) {
            free(breaker);
            return now + back_off_delay(BACK_OFF_CLIENT, 1, retry_after);
        }
    }
    breaker->failures++;
    breaker->opened_at = now;
    breaker->retry_at = now + back_off_delay(BACK_OFF_CLIENT, breaker->failures, retry_after);
    return breaker->retry_at;
}

int64_t client_breaker_blocks_until(struct broker *broker, const struct iclient *iclient, int64_t now)
{
    struct client_breaker *breaker = client_breaker_find(broker, iclient);
    if (!breaker)
        return 0;
    if (breaker->retry_at > now && !token_entry_is_later(breaker->opened_at, now))
        return breaker->retry_at;
    breaker->opened_at = now;
    breaker->retry_at = now + PROBE_SECONDS;
    return 0;
}

static void client_breaker_remove(struct broker *broker, struct client_breaker *breaker)
{
    HASH_DELETE(by_id, broker->breakers, breaker);
    free(breaker);
}

bool client_breaker_close(struct broker *broker, const struct iclient *iclient)
{
    struct client_breaker *breaker = client_breaker_find(broker, iclient);
    if (!breaker)
        return false;
    client_breaker_remove(broker, breaker);
    return true;
}

void client_breaker_close_all(struct broker *broker)
{
    struct client_breaker *breaker, *next;
    HASH_ITER (by_id, broker->breakers, breaker, next)
        client_breaker_remove(broker, breaker);
}
