#ifndef BROKER_EXCHANGE_TOKEN_FETCH_STATE_H
#define BROKER_EXCHANGE_TOKEN_FETCH_STATE_H

#include <stdbool.h>

#include "model/reply/token_binding.h"
#include "broker/exchange/token_fetch.h"
#include "protocol/request/grant_context.h"
#include "protocol/request/token_request.h"

struct caller_share;
struct grant;
struct token_entry;

struct token_fetch {
    struct token_entry *entry;
    struct connection *connection; /* held: what it started under, whatever a reload brings meanwhile */
    struct token_set *tokens;      /* held: what it started from; NULL unless a refresh is possible */
    struct token_binding *binding; /* held: what its tokens will belong to, as far as it is known before the reply */
    token_fetch_done *done;        /* of a login's code; else NULL */
    void *done_context;
    struct grant_context input; /* borrows from the above */
    enum token_exchange exchange;
    bool is_local; /* the JWT is the token: nobody is asked */
    bool background;
    bool is_unnoted;            /* a refresh that went out although the store could not note it */
    bool is_unsent;             /* for want of room or memory: nobody's fault but ours */
    struct caller_share *share; /* of the caller who set it off; NULL: the daemon itself, or a login */
    struct grant *grant;
    struct token_set *granted; /* being committed */
};

#endif
