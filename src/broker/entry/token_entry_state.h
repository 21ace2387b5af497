#ifndef BROKER_ENTRY_TOKEN_ENTRY_STATE_H
#define BROKER_ENTRY_TOKEN_ENTRY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "broker/entry/token_entry.h"
#include "io/loop/event_loop.h"
#include "model/reply/token_binding.h"

/* What happens to an entry; what follows stands in coordinator.h. */
enum entry_event {
    EVENT_EXCHANGE_ENDED,
    EVENT_EXCHANGE_OUTDATED,
    EVENT_REVOCATION_ENDED,
    EVENT_CODE_ARRIVED,
    EVENT_CONFIGURED,
    EVENT_RESTORED,
    EVENT_CLOCK_CHANGED,
    EVENT_REFRESH_DUE,
    EVENT_COUNT
};

/* The one operation that an entry may have: an exchange (its fetch says which), or the requests of its revocation. */
enum entry_running { RUNNING_NOTHING, RUNNING_EXCHANGE, RUNNING_REVOCATION };

struct broker;
struct token_fetch;
struct token_reports;
struct token_waiter;
struct revocation;
struct authorization_session;

/* What of a token set is looked at whenever its token is served. */
struct token_span {
    int64_t obtained_at;
    int64_t expires_at;
    uint64_t generation;
};

/*
 * What serving a cached token reads stands last, from access to the key: with very many entries each cache line counts,
 * and so does each page that has to be found.
 */
struct token_entry {
    bool is_ambiguous; /* a refresh had no clear answer: the stored refresh token may be used up */
    bool is_unsaved;
    bool is_forgetting;   /* its revocation has told the store to forget the tokens */
    bool is_saving;       /* what was unsaved is on its way to the store again */
    bool is_saving_older; /* and what is newer than that was refused meanwhile */
    bool is_bound_anew;   /* the store has its tokens with an earlier version's fingerprint yet */
    bool waits_for_turn;  /* of refresh_turn; not every entry that it is set for still needs one */
    uint64_t generation;  /* of the newest tokens ever, also after they were forgotten */
    struct broker *broker;
    struct loop_timer *timer; /* of refresh_scheduler; made when first needed */
    struct revocation *revocation;
    struct authorization_session *login;
    struct token_waiter *waiters;
    struct token_watcher *watchers;
    struct token_entry *next_unsaved, *prev_unsaved;
    struct token_reports *reports;       /* NULL: no user reported a token of it */
    uint64_t reported_generation;        /* the newest that was reported and counted: other users are told so */
    struct secret *header;               /* of token_entry_header() */
    struct entry_trouble *trouble;       /* NULL, &scarce_trouble or of its own */
    struct entry_trouble scarce_trouble; /* without memory: its retry_at keeps exchanges from following one another */
    struct connection *connection;       /* held; NULL while not configured */
    struct token_set *tokens;            /* held; may be of an earlier configuration, see fits */

    const struct access_rule *access; /* connection's; NULL without one */
    struct token_reply reply;
    struct token_fetch *fetch;
    struct token_span span;      /* of tokens; all 0 without */
    uint64_t refused_generation; /* the newest that any user refused; reports says who did */
    int64_t refresh_after;
    enum entry_state state;
    enum entry_running running;
    bool fits;                        /* tokens belong to the present configuration: they may be served */
    enum asked_change asked : 8;      /* what that asks for, beside what they were asked with */
    enum binding_part asked_part : 8; /* what differs, when it is not ASKED_SAME */
    unsigned key_length;
    char key[];
};

/* length: without the NUL. */
struct token_entry *token_entry_create(struct broker *broker, const char *key, size_t length);
/* With its watchers, none of which is called back. Nothing is running for it (coordinator_stop_entry()). */
void token_entry_destroy(struct token_entry *entry);

/* A new or changed configuration, NULL when it left: keeps the tokens, forgets back-offs, finds the state anew. */
void token_entry_configure(struct token_entry *entry, const struct connection *connection);

/* Sets tokens (held; NULL: none) and span. What follows from them is the caller's affair. */
void token_entry_put_tokens(struct token_entry *entry, struct token_set *tokens);
/*
 * Takes the tokens into service, if they belong to the present configuration: state READY, trouble over, refresh
 * planned, watchers told. granted_under: what the exchange was sent under; NULL: not known, they come from the store.
 * False: there was no memory to tell whether they belong to it. Then they are in service if it is granted_under.
 */
bool token_entry_adopt(struct token_entry *entry, struct token_set *tokens, const struct connection *granted_under);
/* Forgets the tokens (the store is the caller's affair). */
void token_entry_forget_tokens(struct token_entry *entry);

/*
 * The one place where the state changes. code, message: copied; NULL code: no trouble. retry_at: wall clock, 0: not
 * by itself. The count of failures in a row goes on while the trouble's state stays the same.
 */
void token_entry_set_state(struct token_entry *entry, enum entry_state state, const char *code, const char *message,
                           int64_t retry_at);
/* The state that follows from configuration and tokens alone. */
enum entry_state token_entry_rest_state(const struct token_entry *entry);
/*
 * Puts the entry into that state: no trouble, but for tokens that are kept aside or are not of the scope that is asked
 * for.
 */
void token_entry_rest(struct token_entry *entry);

/* Tokens that may be served now: they fit and have not expired. */
bool token_entry_is_usable(const struct token_entry *entry, int64_t now);
/* Likewise, and this user has not reported that an API refused them. */
bool token_entry_is_usable_for(const struct token_entry *entry, uid_t user, int64_t now);
/*
 * The clock may be set back. Then nobody can tell how long ago something was that happened "later than now": a token is
 * refreshed, a back-off is over. A few seconds are the clock being corrected.
 */
enum { CLOCK_SLACK_SECONDS = 10 };
static inline bool token_entry_is_later(int64_t moment, int64_t now)
{
    return moment > now + CLOCK_SLACK_SECONDS;
}
/* What is left of the tokens' lifetime, never more than all of it; INT64_MAX: they do not expire. */
int64_t token_entry_seconds_left(const struct token_entry *entry, int64_t now);
/* When the trouble's back-off ends; 0: there is none. */
int64_t token_entry_retry_at(const struct token_entry *entry, int64_t now);
/* Drops the ready replies and tells the watchers. */
void token_entry_changed(struct token_entry *entry);
/* Why the present token may be older than asked for; NULL: it is fresh. A stable word for the API. */
const char *token_entry_stale_reason(const struct token_entry *entry);
/* The connection's name for logs. */
const char *token_entry_name(const struct token_entry *entry);

/* Drops what stands ready. */
void token_reply_finish(struct token_entry *entry);

#endif
