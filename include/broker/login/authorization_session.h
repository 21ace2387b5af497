#ifndef BROKER_LOGIN_AUTHORIZATION_SESSION_H
#define BROKER_LOGIN_AUTHORIZATION_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "broker/entry/token_entry.h"

/*
 * One browser login (RFC 6749 §4.1 with RFC 7636, RFC 8252 §7.3, RFC 9207): begun on the admin socket, taken up by a
 * browser with the one-time ticket, ended by the redirect or by paste. Owned by the broker; at most
 * AUTHORIZATION_SESSIONS_MAX at once, each for AUTHORIZATION_SESSION_SECONDS.
 */
struct broker;
struct authorization_session;

enum { AUTHORIZATION_SESSIONS_MAX = 1000, AUTHORIZATION_SESSION_SECONDS = 600 };

/* The one list of its states. */
#define SESSION_STATE_TABLE(X)                                                                                         \
    X(PENDING, "pending")       /* the ticket waits for its browser */                                                 \
    X(STARTED, "started")       /* the browser is at the provider */                                                   \
    X(EXCHANGING, "exchanging") /* the code is being exchanged */                                                      \
    X(COMPLETED, "completed")                                                                                          \
    X(FAILED, "failed")                                                                                                \
    X(EXPIRED, "expired")
#define SESSION_STATE_SYMBOL(symbol, word) SESSION_##symbol,
enum session_state { SESSION_STATE_TABLE(SESSION_STATE_SYMBOL) SESSION_STATE_COUNT };
#undef SESSION_STATE_SYMBOL
const char *session_state_name(enum session_state state);

/*
 * Begins a login; an earlier one of the same connection is given up. redirect_uri: one of the iClient's, or NULL for
 * its first. ERR_UNSUPPORTED (no authorization code grant), ERR_INVALID (that URI is not the iClient's), ERR_BUSY,
 * ERR_DENIED (the iClient makes no authorization URL, or one outside validDomainNames), ERR_NOT_FOUND (a template).
 */
enum status authorization_session_begin(struct broker *broker, struct token_entry *entry, const char *redirect_uri,
                                        const struct authorization_session **ret_session, struct error *ret_error);
/* The connection's latest login, ended or not, for AUTHORIZATION_SESSION_SECONDS after its end; NULL. */
const struct authorization_session *authorization_session_latest(const struct token_entry *entry);

/* All borrowed. */
struct token_entry *authorization_session_entry(const struct authorization_session *session);
enum session_state authorization_session_state(const struct authorization_session *session);
const char *authorization_session_message(const struct authorization_session *session); /* "" until it ended */
const char *authorization_session_ticket(const struct authorization_session *session);
const char *
authorization_session_url(const struct authorization_session *session); /* at the provider; NULL once it ended */
int64_t authorization_session_expires_in(const struct authorization_session *session);

/*
 * A browser shows a ticket. The ticket is used up. ret_cookie_name, ret_cookie: what binds this browser to the login.
 * ERR_NOT_FOUND: unknown, used or expired.
 */
enum status authorization_session_take_up(struct broker *broker, const char *ticket,
                                          const struct authorization_session **ret_session, char **ret_cookie_name,
                                          char **ret_cookie);

/*
 * The answer arrives: the redirect's path and query, with the Cookie header of the request; or by paste, when
 * by_paste is true and only entry's own login counts (cookie NULL). Checks state, path, cookie and iss, takes the
 * code and exchanges it. done runs once, later or at once; it is told how it ended.
 * ERR_NOT_FOUND: no such state (unknown, replayed, expired); ERR_DENIED: cookie or iss do not fit; ERR_INVALID: a
 * parameter stands twice or is missing. After ERR_DENIED by iss, and for an error answer of the provider, the login has
 * failed.
 */
typedef void authorization_done(void *context, const struct authorization_session *session);
struct authorization_answer {
    const char *path;                /* "/callback" */
    const char *query;               /* without '?' */
    const char *cookie;              /* NULL: none */
    struct token_entry *paste_entry; /* not NULL: by paste, for this connection */
};
enum status authorization_session_answer(struct broker *broker, const struct authorization_answer *answer,
                                         authorization_done *done, void *context,
                                         const struct authorization_session **ret_session, struct error *ret_error);
/* The one who waits for done goes away; the login itself goes on. */
void authorization_session_forget_waiter(const struct authorization_session *session, void *context);

#endif
