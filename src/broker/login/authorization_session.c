/*
 * The life of a browser login: begun, taken up, ended, forgotten. What its answer must look like:
 * authorization_answer.c.
 */
#include "broker/login/authorization_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/login/authorization_session_state.h"
#include "broker/broker_state.h"
#include "broker/login/login_exchange.h"
#include "broker/entry/token_entry_state.h"
#include "protocol/request/authorization_url.h"

const char *session_state_name(enum session_state state)
{
#define SESSION_STATE_WORD(symbol, word) word,
    static const char *const words[] = {SESSION_STATE_TABLE(SESSION_STATE_WORD)};
#undef SESSION_STATE_WORD
    return words[state];
}

static bool has_ended(const struct authorization_session *session)
{
    return session->state == SESSION_COMPLETED || session->state == SESSION_FAILED || session->state == SESSION_EXPIRED;
}

/* An ended login is only told about; the connection would hold the client's secret on, too. */
static void forget_secrets(struct authorization_session *session)
{
    secret_wipe(session->ticket, sizeof session->ticket);
    secret_wipe(session->state_text, sizeof session->state_text);
    secret_wipe(session->verifier, sizeof session->verifier);
    secret_wipe(session->cookie, sizeof session->cookie);
    if (session->url)
        secret_wipe(session->url, strlen(session->url));
    free(TAKE(session->url));
    connection_destroy(TAKE(session->connection));
}

void authorization_session_destroy(struct authorization_session *session)
{
    if (!session)
        return;
    struct broker *broker = session->broker;
    if (session->prev) {
        DL_DELETE(broker->sessions, session);
        broker->session_count--;
    }
    if (session->entry->login == session)
        session->entry->login = NULL;
    forget_secrets(session);
    loop_timer_destroy(session->timer);
    secret_destroy(session->code);
    json_decref(session->callback);
    free(session->redirect_uri);
    free(session);
}
AUTO_DEFINE(authorization_session);

void authorization_session_destroy_all(struct broker *broker)
{
    while (broker->sessions)
        authorization_session_destroy(broker->sessions);
}

/* A provider that does not know the redirect URI says so on its own page, which never leads back here. */
static void expire(struct authorization_session *session)
{
    char message[SESSION_MESSAGE_MAX];
    snprintf(
        message, sizeof message,
        "the login was not finished within ten minutes; if the provider refused the redirect URI, register %s there, "
        "or set oauth2.redirectUri to what is registered",
        session->redirect_uri);
    authorization_session_set_state(session, SESSION_EXPIRED, message);
}

static void on_time_over(void *context)
{
    struct authorization_session *session = context;
    if (has_ended(session)) {
        authorization_session_destroy(session);
        return;
    }
    /* The code is with the provider: the exchange has its own deadline and ends the session. */
    if (session->state != SESSION_EXCHANGING)
        expire(session);
}

static void start_timer(struct authorization_session *session)
{
    session->ends_at_ms = clock_boot_ms() + AUTHORIZATION_SESSION_SECONDS * 1000;
    if (loop_timer_start(session->timer, AUTHORIZATION_SESSION_SECONDS * 1000) != OK)
        log_error("connection %s: no memory for the login's timer", token_entry_name(session->entry));
}

void authorization_session_set_state(struct authorization_session *session, enum session_state state,
                                     const char *message)
{
    session->state = state;
    snprintf(session->message, sizeof session->message, "%s", message ? message : "");
    if (!has_ended(session))
        return;
    static const enum metric metric_of[] = {
        [SESSION_COMPLETED] = METRIC_LOGINS_COMPLETED,
        [SESSION_FAILED] = METRIC_LOGINS_FAILED,
        [SESSION_EXPIRED] = METRIC_LOGINS_FAILED,
    };
    metrics_add(session->broker->metrics, metric_of[state], 1);
    log_notice("connection %s: login %s%s%s", token_entry_name(session->entry), session_state_name(state),
               session->message[0] ? ": " : "", session->message);
    forget_secrets(session);
    start_timer(session);
    authorization_done *done = session->done;
    session->done = NULL;
    if (done)
        done(session->done_context, session);
}

static enum status make_secrets(struct authorization_session *session, struct error *ret_error)
{
    bool is_made = random_token(session->ticket) == OK && random_token(session->state_text) == OK &&
                   random_token(session->verifier) == OK && random_token(session->cookie) == OK;
    if (!is_made)
        return error_set(ret_error, ERR_CRYPTO, "the random generator failed");
    /* Two logins in one browser must not overwrite each other's cookie. */
    snprintf(session->cookie_name, sizeof session->cookie_name, "iclientd_login_%.8s", session->cookie + 32);
    return OK;
}

static enum status make_url(struct authorization_session *session, struct error *ret_error)
{
    struct grant_context input = {
        .connection = session->connection,
        .redirect_uri = session->redirect_uri,
        .code_verifier = session->verifier,
        .state = session->state_text,
        .now = clock_wall(),
    };
    enum status status = authorization_url_create(&input, &session->url, ret_error);
    /* ERR_INVALID would say that the caller's redirect URI is wrong; this is a fault of the iClient. */
    return status == ERR_INVALID || status == ERR_TOO_LARGE ? ERR_DENIED : status;
}

enum status authorization_session_begin(struct broker *broker, struct token_entry *entry, const char *redirect_uri,
                                        const struct authorization_session **ret_session, struct error *ret_error)
{
    const struct iclient *iclient = connection_iclient(entry->connection);
    const char *no_grant = iclient_no_grant_reason(iclient);
    if (iclient_grant(iclient) != GRANT_AUTHORIZATION_CODE)
        return error_set(ret_error, ERR_UNSUPPORTED, "%s",
                         no_grant ? no_grant
                                  : "this connection's grant needs no login; its tokens are fetched when asked for");
    if (!connection_is_active(entry->connection))
        return error_set(ret_error, ERR_CONFLICT, "this connection is switched off (\"active\": false)");
    if (redirect_uri && !iclient_has_redirect_uri(iclient, redirect_uri))
        return error_set(ret_error, ERR_INVALID, "the iClient has no such redirect URI");
    if (entry->login && entry->login->state == SESSION_EXCHANGING)
        return error_set(ret_error, ERR_BUSY, "a login of this connection is just being finished");
    if (broker->session_count >= AUTHORIZATION_SESSIONS_MAX)
        return error_set(ret_error, ERR_BUSY, "too many logins are under way");
    AUTO(authorization_session) session = calloc(1, sizeof *session);
    if (!session)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for a login");
    session->broker = broker;
    session->entry = entry;
    session->connection = connection_hold(entry->connection);
    session->redirect_uri = strdup(redirect_uri ? redirect_uri : iclient_redirect_uri(iclient));
    session->timer = loop_timer_create(broker->loop, on_time_over, session);
    if (!session->redirect_uri || !session->timer)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for a login");
    enum status status = make_secrets(session, ret_error);
    if (status == OK)
        status = make_url(session, ret_error);
    if (status != OK)
        return status;
    if (entry->login && !has_ended(entry->login))
        authorization_session_set_state(entry->login, SESSION_FAILED, "another login of this connection was started");
    start_timer(session);
    DL_APPEND(broker->sessions, session);
    broker->session_count++;
    metrics_add(broker->metrics, METRIC_LOGINS_STARTED, 1);
    entry->login = session;
    *ret_session = TAKE(session);
    return OK;
}

const struct authorization_session *authorization_session_latest(const struct token_entry *entry)
{
    return entry->login;
}

struct token_entry *authorization_session_entry(const struct authorization_session *session)
{
    return session->entry;
}

enum session_state authorization_session_state(const struct authorization_session *session)
{
    return session->state;
}

const char *authorization_session_message(const struct authorization_session *session)
{
    return session->message;
}

const char *authorization_session_ticket(const struct authorization_session *session)
{
    return session->ticket;
}

const char *authorization_session_url(const struct authorization_session *session)
{
    return session->url;
}

int64_t authorization_session_expires_in(const struct authorization_session *session)
{
    int64_t left = session->ends_at_ms - clock_boot_ms();
    return has_ended(session) || left < 0 ? 0 : left / 1000;
}

/* ---- the code exchange ---- */

void login_exchange_fill(struct authorization_session *session, struct connection **ret_connection,
                         struct grant_context *ret_input)
{
    *ret_connection = connection_hold(session->connection);
    *ret_input = (struct grant_context){
        .connection = *ret_connection,
        .code = secret_reveal(session->code),
        .redirect_uri = session->redirect_uri,
        .code_verifier = session->verifier,
        .callback = session->callback,
        .state = session->state_text,
    };
}

void login_exchange_end(struct authorization_session *session, bool is_granted, const char *message)
{
    authorization_session_set_state(session, is_granted ? SESSION_COMPLETED : SESSION_FAILED, message);
    secret_destroy(TAKE(session->code));
    json_decref(TAKE(session->callback));
}
