#ifndef BROKER_ENTRY_CALLER_SHARE_H
#define BROKER_ENTRY_CALLER_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "broker/broker.h"
#include "broker/entry/token_entry_state.h"

/*
 * What each user has of the places that all callers share: those who wait, and the exchanges that callers set off. A
 * user may take as many as he leaves free: alone he gets half, and whatever the others took there is room for one more
 * user.
 */
enum caller_place { PLACE_WAITER, PLACE_EXCHANGE, CALLER_PLACE_COUNT };

struct caller_share {
    uid_t uid;
    size_t taken[CALLER_PLACE_COUNT];
    UT_hash_handle hh;
};

struct caller_shares {
    struct caller_share *users; /* those who have a place */
    size_t most;                /* of each kind, all users together */
    size_t taken[CALLER_PLACE_COUNT];
};

/* TOKEN_PENDING: there is one. TOKEN_BUSY: the user has his share. TOKEN_OVERLOADED: nobody gets one, or no memory. */
enum token_answer caller_share_take(struct caller_shares *shares, uid_t uid, enum caller_place place,
                                    struct caller_share **ret_share);
/* Takes NULL. */
void caller_share_give_back(struct caller_shares *shares, struct caller_share *share, enum caller_place place);

#endif
