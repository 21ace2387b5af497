#ifndef BROKER_ENTRY_TOKEN_ENTRY_H
#define BROKER_ENTRY_TOKEN_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/connection/connection.h"
#include "model/reply/token_set.h"

/*
 * A connection at run time: its configuration, its tokens, its state, who waits for it and who watches it. Entries are
 * made by the broker and live as long as it does, so a borrowed pointer stays good; one whose connection left the
 * configuration is no longer found, but keeps its tokens for the case that it comes back.
 */
struct token_entry;

/* The one list of states: symbol, word (stable: API, store and metrics use it). */
#define ENTRY_STATE_TABLE(X)                                                                                           \
    X(EMPTY, "empty")                                   /* no token yet; the grant needs nobody and runs when asked */ \
    X(READY, "ready")                                   /* a token, or what it takes to get one */                     \
    X(AUTHORIZATION_REQUIRED, "authorization_required") /* a person has to log in */                                   \
    X(CLIENT_REJECTED, "client_rejected")               /* the provider refuses the iClient; probed slowly */          \
    X(PROVIDER_UNAVAILABLE, "provider_unavailable")     /* transient; backing off */                                   \
    X(PROVIDER_ERROR, "provider_error")                 /* what came makes no sense; backing off slowly */             \
    X(STORE_UNAVAILABLE, "store_unavailable")           /* a refresh waits until the store can note it */              \
    X(INACTIVE, "inactive")                             /* switched off in the configuration */                        \
    X(UNSUPPORTED, "unsupported")                       /* the provider has no OAuth 2.0 grant */
#define ENTRY_STATE_SYMBOL(symbol, word) ENTRY_##symbol,
enum entry_state { ENTRY_STATE_TABLE(ENTRY_STATE_SYMBOL) ENTRY_STATE_COUNT };
#undef ENTRY_STATE_SYMBOL
const char *entry_state_name(enum entry_state state);

/* Why an entry is in trouble, as the last exchange showed it. Redacted: may be shown and logged. */
struct entry_trouble {
    char *code;        /* the provider's error code or ours ("rotation_ambiguous"); "" when there was none */
    char *message;     /* for a person */
    int64_t at;        /* wall clock */
    int64_t retry_at;  /* wall clock; 0: not by itself */
    unsigned failures; /* in a row; drives the back-off */
    bool is_of_rest;   /* it follows from configuration and tokens alone, and is not for the store */
};

/* All borrowed. connection: never NULL for an entry that the broker found. */
const struct connection *token_entry_connection(const struct token_entry *entry);
const struct access_rule *token_entry_access(const struct token_entry *entry); /* connection's */
enum entry_state token_entry_state(const struct token_entry *entry);
/* NULL when there are none that fit the present configuration. */
const struct token_set *token_entry_tokens(const struct token_entry *entry);
/*
 * The scope of these tokens: as the provider said, else as they were asked for. Without tokens what would be asked for.
 */
const char *token_entry_scope(const struct token_entry *entry);
/* Of these tokens; 0 without. */
uint64_t token_entry_generation(const struct token_entry *entry);
const struct entry_trouble *token_entry_trouble(const struct token_entry *entry); /* NULL: none */
/* When a refresh is due by itself; 0: never, or no token. */
int64_t token_entry_refresh_after(const struct token_entry *entry);
bool token_entry_is_refreshing(const struct token_entry *entry);
/*
 * What the store has of it is not what happened: it refused the newest tokens, or a refresh went out that it could not
 * note. It is tried again until the store takes it.
 */
bool token_entry_is_unsaved(const struct token_entry *entry);

/*
 * The body of GET /v1/token/NAME (docs/API.md), with room for EXPIRES_IN_WIDTH characters at expires_in_offset: made
 * when first asked for after a change, and kept ready.
 */
enum { EXPIRES_IN_WIDTH = 11 };
struct token_reply {
    struct secret *json;
    size_t expires_in_offset;
};
/* NULL when there are no tokens or no memory. Borrowed until the next change of the entry. */
const struct token_reply *token_entry_reply(struct token_entry *entry);
/*
 * "Authorization: Bearer …" and a newline, likewise. Only for an entry that has a reply. ERR_UNSUPPORTED when the API
 * takes the token in the URL or the body; ERR_NO_MEMORY.
 */
enum status token_entry_header(struct token_entry *entry, const struct secret **ret_header);
/*
 * The same document with stale_reason "min_ttl_unmet", for TOKEN_SERVED_SHORT; expires_in is filled in. NULL when out
 * of memory.
 */
struct secret *token_entry_render_short(struct token_entry *entry, int64_t now);
/*
 * Writes what is left of the lifetime as EXPIRES_IN_WIDTH characters, digits first, then spaces (JSON allows them);
 * "null" for a token that never expires.
 */
void token_reply_write_expires_in(const struct token_entry *entry, int64_t now, char at[EXPIRES_IN_WIDTH]);

/*
 * One line for a watcher of this user: the token's document when there is one that the user did not report, else
 * {"connection","state",…}; no newline. Appends. False, and the buffer has failed, when out of memory: also where only
 * the token's document could not be made, because a state in its place would tell the reader nothing new.
 */
bool token_entry_append_watch_line(struct token_entry *entry, uid_t user, int64_t now, struct text_buffer *buffer);

/* Calls back at each new token and each change of state, from the loop, until cancelled. NULL when out of memory. */
struct token_watcher;
typedef void token_changed(void *context);
struct token_watcher *token_entry_watch(struct token_entry *entry, token_changed *changed, void *context);
void token_watcher_cancel(struct token_watcher *watcher);

#endif
