#include "broker/entry/caller_share.h"

#include <stdlib.h>

static struct caller_share *find_or_add(struct caller_shares *shares, uid_t uid)
{
    struct caller_share *share;
    HASH_FIND(hh, shares->users, &uid, sizeof uid, share);
    if (share)
        return share;
    share = calloc(1, sizeof *share);
    if (!share)
        return NULL;
    share->uid = uid;
    HASH_ADD(hh, shares->users, uid, sizeof uid, share);
    if (!share->hh.tbl) { /* uthash was out of memory */
        free(share);
        return NULL;
    }
    return share;
}

static void drop_unused(struct caller_shares *shares, struct caller_share *share)
{
    for (size_t place = 0; place < CALLER_PLACE_COUNT; place++) {
        if (share->taken[place] > 0)
            return;
    }
    HASH_DEL(shares->users, share);
    free(share);
}

enum token_answer caller_share_take(struct caller_shares *shares, uid_t uid, enum caller_place place,
                                    struct caller_share **ret_share)
{
    if (shares->taken[place] >= shares->most)
        return TOKEN_OVERLOADED;
    struct caller_share *share = find_or_add(shares, uid);
    if (!share)
        return TOKEN_OVERLOADED;
    if (share->taken[place] >= shares->most - shares->taken[place]) {
        drop_unused(shares, share);
        return TOKEN_BUSY;
    }
    share->taken[place]++;
    shares->taken[place]++;
    *ret_share = share;
    return TOKEN_PENDING;
}

void caller_share_give_back(struct caller_shares *shares, struct caller_share *share, enum caller_place place)
{
    if (!share)
        return;
    share->taken[place]--;
    shares->taken[place]--;
    drop_unused(shares, share);
}
