#ifndef BROKER_REFRESH_BACK_OFF_H
#define BROKER_REFRESH_BACK_OFF_H

#include <stdint.h>

/*
 * How long to leave a provider (or the store) alone after a failure; exponential with full jitter, so that many do not
 * come back at once.
 */
enum back_off {
    BACK_OFF_TRANSIENT, /* 1 s … 5 min */
    BACK_OFF_BROKEN,    /* 30 s … 1 h: what makes no sense now rarely does a second later */
    BACK_OFF_CLIENT,    /* 1 min … 1 h: the slow probe of a refused iClient */
    BACK_OFF_STORE,     /* 1 s … 30 s: a store that cannot note a refresh */
};

/* Seconds, at least 1. failures: in a row, this one included; retry_after: the provider's word, obeyed when longer. */
int64_t back_off_delay(enum back_off kind, unsigned failures, int64_t retry_after);

#endif
