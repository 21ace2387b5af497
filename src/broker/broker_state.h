#ifndef BROKER_BROKER_STATE_H
#define BROKER_BROKER_STATE_H

#include "broker/login/authorization_session.h"
#include "broker/broker.h"
#include "broker/entry/caller_share.h"
#include "broker/refresh/client_breaker.h"
#include "broker/refresh/refresh_turn.h"
#include "broker/entry/token_cache.h"
#include "broker/entry/token_entry_state.h"

/* What the files of this folder share. Everything in it lives as long as the broker. */
struct broker {
    struct event_loop *loop;
    void (*on_event)(struct token_entry *entry, enum entry_event event); /* coordinator_on_event(); see entry_event.h */
    struct http_client *client;
    struct store *store;
    struct metrics *metrics;
    struct catalog *catalog; /* NULL until the first broker_apply_catalog() */
    struct token_cache cache;
    struct client_breaker *breakers;
    struct refresh_turns turns;
    struct authorization_session *sessions;
    size_t session_count;
    void *reply_reserve; /* memory to read a reply with when there is no other; see grant.c */
    size_t fetch_count;  /* exchanges in flight */
    store_done *drained; /* not NULL: no exchange starts any more; told when none is left */
    void *drained_context;
    struct caller_shares shares;
    struct token_entry *unsaved; /* entries whose newest tokens the store does not have yet */
    struct loop_timer *unsaved_timer;
    unsigned unsaved_attempts;
    size_t renewing;                /* rows of an earlier version that are being written anew */
    struct broker_reading *reading; /* broker_load() under way */
    struct document_store *documents;
    struct document_queue *document_queue;
};

#endif
