#ifndef BROKER_LOGIN_AUTHORIZATION_SESSION_STATE_H
#define BROKER_LOGIN_AUTHORIZATION_SESSION_STATE_H

#include "base/random.h"
#include "broker/login/authorization_session.h"
#include "io/loop/event_loop.h"
#include "model/connection/connection.h"

enum { SESSION_MESSAGE_MAX = 512, SESSION_COOKIE_NAME_SIZE = 32 };

struct authorization_session {
    struct broker *broker;
    struct token_entry *entry;
    struct connection *connection; /* held: what the login began under */
    enum session_state state;
    char ticket[RANDOM_TOKEN_SIZE]; /* empty once it was used */
    char state_text[RANDOM_TOKEN_SIZE];
    char verifier[RANDOM_TOKEN_SIZE];
    char cookie_name[SESSION_COOKIE_NAME_SIZE];
    char cookie[RANDOM_TOKEN_SIZE];
    char *redirect_uri;
    char *url; /* at the provider */
    struct secret *code;
    json_t *callback;
    int64_t ends_at_ms; /* CLOCK_BOOTTIME: expiry while it runs, removal after its end */
    struct loop_timer *timer;
    char message[SESSION_MESSAGE_MAX];
    authorization_done *done;
    void *done_context;
    struct authorization_session *next, *prev;
};

void authorization_session_destroy(struct authorization_session *session);
/* The one place where the state changes; an end tells who waits. message may be NULL. */
void authorization_session_set_state(struct authorization_session *session, enum session_state state,
                                     const char *message);
void authorization_session_destroy_all(struct broker *broker);

#endif
