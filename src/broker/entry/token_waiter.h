#ifndef BROKER_ENTRY_TOKEN_WAITER_H
#define BROKER_ENTRY_TOKEN_WAITER_H

#include "broker/broker.h"
#include "broker/entry/caller_share.h"
#include "broker/entry/token_entry_state.h"

/* What a caller wants. */
struct token_wish {
    uid_t caller;
    int64_t min_ttl;
    bool is_forced; /* an operator's refresh: only a newer token is an answer */
};

/* A caller that waits for an exchange, with its own deadline. */
struct token_waiter {
    struct token_entry *entry;
    struct caller_share *share;
    struct token_wish wish;
    uint64_t generation; /* the newest when it began to wait */
    struct loop_timer *timer;
    token_waiter_done *done;
    void *context;
    struct token_waiter *next, *prev;
};

/* TOKEN_PENDING, or TOKEN_BUSY, TOKEN_OVERLOADED. */
enum token_answer token_waiter_create(struct token_entry *entry, const struct token_wish *wish, int64_t wait_ms,
                                      token_waiter_done *done, void *context, struct token_waiter **ret_waiter);
/* An exchange ended: answers every waiter of the entry. */
void token_waiter_answer_all(struct token_entry *entry);
/* Frees them without calling back. */
void token_waiter_drop_all(struct token_entry *entry);

#endif
