#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/metrics.h"
#include "broker/entry/token_entry.h"
#include "io/loop/event_loop.h"
#include "io/client/http_client.h"
#include "io/store/store.h"
#include "model/catalog/catalog.h"

/*
 * The broker's decisions: which token to serve, when to fetch, what a failure means. Single-threaded; every callback
 * runs on the loop's thread.
 */
struct broker;

struct broker_options {
    size_t max_waiters; /* callers that wait for exchanges, all connections together; exchanges that callers set off */
};

/* loop, client, store, metrics: borrowed for the broker's life. */
enum status broker_create(struct event_loop *loop, struct http_client *client, struct store *store,
                          struct metrics *metrics, const struct broker_options *options, struct broker **ret_broker,
                          struct error *ret_error);
/* Ends without calling back; what is unsaved is queued to the store once more. */
void broker_destroy(struct broker *broker);
AUTO_DEFINE(broker);

/*
 * Before the process ends: starts no exchange any more and calls done once none is in flight, because a refresh that
 * is cut off may cost the refresh token. At once, inside this call, when there is none.
 */
void broker_drain(struct broker *broker, store_done *done, void *context);

/*
 * Puts a finished catalog to work. Connections keep their tokens unless these belong to another client, server, account
 * or grant (then they are kept aside until a new token set replaces them, so that undoing a wrong edit loses nothing);
 * a scope that changed is asked for where that needs nobody. Back-offs and breakers
 * are forgotten, because an operator has just mended something. A connection that became inactive is revoked.
 * ERR_NO_MEMORY: the old catalog stays whole. While writes of documents may be on their way, only from
 * document_queue_when_idle().
 */
enum status broker_apply_catalog(struct broker *broker, struct catalog *take_catalog, struct error *ret_error);
const struct catalog *broker_catalog(const struct broker *broker);

/* Reads tokens, states and journal back from the store, once, after the first catalog. done: as store_done. */
void broker_load(struct broker *broker, store_done *done, void *context);

/* NULL when no such connection is configured. name: not NUL-terminated. */
struct token_entry *broker_find(struct broker *broker, const char *tenant, const char *name, size_t name_length);

/* How a request for a token is answered. */
enum token_answer {
    TOKEN_SERVED,       /* token_entry_reply() */
    TOKEN_SERVED_SHORT, /* likewise, but valid for less than min_ttl: token_entry_render_short() says so */
    TOKEN_PENDING,      /* broker_wait() may wait for it */
    TOKEN_AUTHORIZATION_REQUIRED,
    TOKEN_INACTIVE,
    TOKEN_CLIENT_REJECTED,
    TOKEN_PROVIDER_UNAVAILABLE,
    TOKEN_PROVIDER_ERROR,
    TOKEN_STORE_UNAVAILABLE, /* a refresh that the caller needs cannot be noted; the present token is kept */
    TOKEN_UNSUPPORTED,
    TOKEN_BUSY,       /* the caller's user has his share of what all callers share */
    TOKEN_OVERLOADED, /* nobody gets a place now: waiters, exchanges or memory */
    TOKEN_REJECTED,   /* the caller's user reports every new token as refused: broker_report_pause() */
};

/*
 * The token now, if there is one with min_ttl seconds left (or one that no exchange could better, see decision.h).
 * Starts a refresh where one is due: in the background while a token can be served, in the foreground, on the caller's
 * account, for TOKEN_PENDING. Never blocks.
 */
enum token_answer broker_get(struct token_entry *entry, uid_t caller, int64_t min_ttl, int64_t now);

/*
 * After TOKEN_PENDING: done runs once, when the exchange ended or wait_ms is over (then TOKEN_PROVIDER_UNAVAILABLE, or
 * TOKEN_SERVED with a token that is valid but short). Returns TOKEN_PENDING; or TOKEN_BUSY, TOKEN_OVERLOADED, and then
 * done does not run.
 */
struct token_waiter;
typedef void token_waiter_done(void *context, enum token_answer answer);
enum token_answer broker_wait(struct token_entry *entry, uid_t caller, int64_t min_ttl, int64_t wait_ms,
                              token_waiter_done *done, void *context, struct token_waiter **ret_waiter);
void token_waiter_cancel(struct token_waiter *waiter);

/* Seconds until it is worth asking again, for Retry-After; 0 when not known. */
int64_t broker_retry_after(const struct token_entry *entry, int64_t now);

/*
 * "The API refused the token of this generation." The iClient's failure rules judge the report; *ret_is_failure says
 * whether they see an authentication failure. One of the present generation takes that token from the caller's user:
 * the user's next broker_get() starts a refresh or joins one. Other users keep the token, with the stale_reason
 * "token_reported", until its successor is there. A report of an older generation changes nothing.
 * Each user has a budget of reports for each connection (broker/entry/token_reports); when it is spent, broker_get()
 * answers that user TOKEN_REJECTED as long as nobody else's refresh brings a new token. ERR_NO_MEMORY: the report could
 * not be noted.
 */
struct token_refusal {
    uint64_t generation;
    int status;                        /* of the API's reply */
    const struct reply_document *body; /* of the API's reply; NULL or empty: none, or neither JSON nor XML */
};
enum status broker_report_rejected(struct token_entry *entry, uid_t caller, const struct token_refusal *refusal,
                                   bool *ret_is_failure);
/* Seconds until reports of this user start a refresh again; 0: they do. */
int64_t broker_report_pause(const struct token_entry *entry, uid_t caller);

/*
 * An operator's refresh: an exchange now, whatever the token's age or the back-off; joins one in flight. As
 * broker_wait().
 */
enum token_answer broker_refresh(struct token_entry *entry, uid_t caller, int64_t wait_ms, token_waiter_done *done,
                                 void *context, struct token_waiter **ret_waiter);

/* An operator's revoke. done runs once, later or at once; it is told what the provider said. */
enum revoke_result {
    REVOKE_CONFIRMED,   /* by the provider; forgotten */
    REVOKE_UNSUPPORTED, /* the provider has no revoke URI or revokes no such tokens; forgotten here only */
    REVOKE_REFUSED,     /* the provider said no; forgotten here */
    REVOKE_UNREACHED,   /* nothing forgotten: try again */
    REVOKE_NOTHING,     /* there were no tokens */
};
typedef void revoke_done(void *context, enum revoke_result result, const char *message);
enum status broker_revoke(struct token_entry *entry, revoke_done *done, void *context, struct error *ret_error);
/* The one who waits goes away; the revocation goes on. */
void broker_revoke_forget_waiter(struct token_entry *entry, void *context);

/* Calls each for every configured connection of the catalog, in catalog order, until it returns false. */
typedef bool broker_each(void *context, struct token_entry *entry);
void broker_for_each(struct broker *broker, broker_each *each, void *context);

/* Whether the store answers, for readyz. */
void broker_check_store(struct broker *broker, store_done *done, void *context);
/* An operator's change of the store's key; see struct store_operations. */
void broker_rekey_store(struct broker *broker, store_done *done, void *context);
void broker_store_key_state(struct broker *broker, struct store_key_state *ret_state);
struct metrics *broker_metrics(struct broker *broker);

#endif
