#include "broker/refresh/back_off.h"

#include "base/random.h"

int64_t back_off_delay(enum back_off kind, unsigned failures, int64_t retry_after)
{
    static const struct {
        int64_t first;
        int64_t most;
    } ranges[] = {
        [BACK_OFF_TRANSIENT] = {1, 300},
        [BACK_OFF_BROKEN] = {30, 3600},
        [BACK_OFF_CLIENT] = {60, 3600},
        [BACK_OFF_STORE] = {1, 30},
    };
    int64_t ceiling = ranges[kind].first;
    for (unsigned i = 0; i < failures && ceiling < ranges[kind].most; i++)
        ceiling *= 2;
    if (ceiling > ranges[kind].most)
        ceiling = ranges[kind].most;
    int64_t spread = ceiling - ranges[kind].first;
    int64_t delay = ranges[kind].first + (int64_t)(random_fraction() * (double)spread);
    /* Wall clock counts whole seconds: without one more, "after 3 s" could be after 2.1. */
    return delay > retry_after ? delay : retry_after + 1;
}
