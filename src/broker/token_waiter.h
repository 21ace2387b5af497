#ifndef BROKER_TOKEN_WAITER_H
#define BROKER_TOKEN_WAITER_H

#include "broker/broker.h"
#include "broker/token_entry_state.h"

/* A caller that waits for an exchange, with its own deadline. */
struct token_waiter {
    struct token_entry *entry;
    int64_t min_ttl;
    uint64_t generation; /* the newest when it began to wait */
    bool is_forced;      /* an operator's refresh: only a newer token is an answer */
    struct loop_timer *timer;
    token_waiter_done *done;
    void *context;
    struct token_waiter *next, *prev;
};

/* NULL when there are too many, or no memory. */
struct token_waiter *token_waiter_create(struct token_entry *entry, int64_t min_ttl, bool is_forced, int64_t wait_ms,
                                         token_waiter_done *done, void *context);
/* An exchange ended: answers every waiter of the entry. */
void token_waiter_answer_all(struct token_entry *entry);
/* Frees them without calling back. */
void token_waiter_drop_all(struct token_entry *entry);

#endif
