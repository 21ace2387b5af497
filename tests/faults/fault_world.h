#ifndef FAULT_WORLD_H
#define FAULT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/metrics.h"
#include "broker/broker.h"
#include "io/http/http_server.h"
#include "service/api/api_router.h"

/*
 * The broker and the API on a clock, timers, a provider, callers and a store that the program holds in its hands; each
 * stands in for the real one at link time (the store through its vtable). The provider's refresh tokens are good once,
 * and whoever presents a used one loses the family.
 */
enum { WORLD_CALLS_MAX = 16, WORLD_TEXT_MAX = 256 * 1024 };

struct provider {
    unsigned issued;  /* "rt-N" with N = issued is the good one; 0: none */
    unsigned replies; /* token replies that it sent */
    unsigned reuses;  /* used refresh tokens that it was shown */
    bool is_revoked;
    bool has_code; /* a code that was not exchanged yet */
};

/* What a caller of the API sent and got. */
struct http_call {
    enum http_verb verb;
    const char *path;
    const char *query;
    const char *body;
    struct peer peer;
    int status; /* 0: not answered yet; CLOSED: no memory for a reply */
    bool is_streaming;
    char *reply; /* WORLD_TEXT_MAX */
    size_t length;
    http_call_gone *gone;
    void *gone_context;
};
enum { CLOSED = 999 };

/* What happens at store call number fail_at (1: the first after world_watch_store()). */
enum store_fault {
    STORE_FAULT_NONE,
    STORE_FAULT_REFUSED,     /* it answers with an error, nothing is changed */
    STORE_FAULT_KILL_BEFORE, /* the process ends before the call had its effect */
    STORE_FAULT_KILL_AFTER,  /* the process ends before it hears of the effect */
};

struct world {
    struct provider provider;
    struct metrics metrics;
    struct broker *broker; /* NULL while not running */
    struct api *api;
    struct http_call calls[WORLD_CALLS_MAX];
    size_t call_count;
    enum store_fault fault;
    size_t store_calls;
    size_t fail_at;
    bool is_killed;  /* by a store fault: nothing moves until world_stop() */
    bool was_killed; /* since world_watch_store() */
    bool is_loaded;
    unsigned errors_without_text;
    char last_error[512];
};
extern struct world world;

/* An empty store, an untouched provider. */
void world_begin(void);
/* As the daemon starts: catalog, broker, what the store has, API. Not OK: nothing is running. */
enum status world_start(void);
/* Ends the process; what the store has not written is lost when killed, else written. */
void world_stop(void);
/* Drops the store's rows too. */
void world_end(void);
/* A new catalog, as after an edit; changed: with other credentials. */
enum status world_reload(bool changed);

void world_watch_store(enum store_fault fault, size_t fail_at);

/* Lets everybody do what there is to do now. */
void world_run(void);
/* The same, with time passing. */
void world_pass(int64_t seconds);

/* Sends a request to the token or admin socket; the call stays valid until world_forget_calls(). */
struct http_call *world_call(enum http_verb verb, const char *path, const char *query, const char *body);
void world_forget_calls(void);

/* A whole login: the connect link, the browser, the provider, the redirect back. The login's last state. */
const char *world_login(void);
struct token_entry *world_entry(const char *name);
bool world_store_has(enum store_table table, const char *key);

#endif
