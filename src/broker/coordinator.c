#include "broker/coordinator.h"

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/login/authorization_session_state.h"
#include "broker/broker_state.h"
#include "broker/entry/decision.h"
#include "broker/login/login_exchange.h"
#include "broker/refresh/refresh_scheduler.h"
#include "broker/exchange/revocation.h"
#include "broker/exchange/token_fetch.h"
#include "broker/entry/token_waiter.h"

typedef void act(struct token_entry *entry);

/* ---- exchanges for those who wait ---- */

static void renew_if(struct token_entry *entry, bool is_wanted)
{
    if (is_wanted && entry->running == RUNNING_NOTHING && entry->waiters && entry->connection &&
        !decision_is_blocked(entry, clock_wall()))
        token_fetch_begin(entry, false);
}

static void action_RENEW(struct token_entry *entry)
{
    renew_if(entry, entry->state == ENTRY_EMPTY);
}

static void action_RENEW_FOR_EDIT(struct token_entry *entry)
{
    renew_if(entry, true);
}

static void action_ANSWER(struct token_entry *entry)
{
    if (entry->running == RUNNING_NOTHING)
        token_waiter_answer_all(entry);
}

/* ---- logins and revocations that wait for their turn ---- */

static void on_code_exchanged(void *context, bool is_granted, const char *message)
{
    login_exchange_end(context, is_granted, message);
}

/* A revocation forgets what tokens there are when it ends: not those of a login meanwhile. */
static void action_EXCHANGE_CODE(struct token_entry *entry)
{
    struct authorization_session *login = entry->login;
    if (entry->running != RUNNING_NOTHING || !login || login->state != SESSION_EXCHANGING || !login->code)
        return;
    struct grant_context input;
    AUTO(connection) connection = NULL;
    login_exchange_fill(login, &connection, &input);
    token_fetch_begin_code(entry, connection, &input, on_code_exchanged, login);
}

static void action_REVOKE(struct token_entry *entry)
{
    revocation_start_pending(entry);
}

static void on_switched_off(void *context, enum revoke_result result, const char *message)
{
    if (result == REVOKE_UNREACHED)
        log_warning("connection %s: switched off and its tokens forgotten, but the provider was not told: %s",
                    token_entry_name(context), message);
}

/* An inactive connection's tokens end at once, at the provider too. It may have got them after it was switched off. */
static void action_END_INACTIVE(struct token_entry *entry)
{
    struct error error;
    if (entry->connection && entry->state == ENTRY_INACTIVE && entry->tokens && !entry->revocation &&
        revocation_begin_final(entry, on_switched_off, entry, &error) != OK)
        log_error("connection %s: switched off, but not revoked: %s", token_entry_name(entry), error.message);
}

/* ---- time ---- */

static void action_REFRESH(struct token_entry *entry)
{
    if (refresh_scheduler_is_time(entry))
        token_fetch_begin(entry, true);
}

static void action_PLAN(struct token_entry *entry)
{
    refresh_scheduler_plan(entry);
}

static void action_SAY_DRAINED(struct token_entry *entry)
{
    struct broker *broker = entry->broker;
    if (broker->drained && broker->fetch_count == 0)
        broker->drained(broker->drained_context, OK, NULL);
}

/* ---- the tables ---- */

enum { ACTIONS_MAX = 8 };

#define ACTION_SYMBOL(action, begins, words) ACTION_##action,
enum action { ACTION_NONE, COORDINATOR_ACTION_TABLE(ACTION_SYMBOL) };
#undef ACTION_SYMBOL

#define ACTION_ROW(action, begins, words) [ACTION_##action] = {action_##action, RUNNING_##begins},
static const struct {
    act *act;
    enum entry_running begins;
} actions[] = {COORDINATOR_ACTION_TABLE(ACTION_ROW)};
#undef ACTION_ROW

#define LIST_1(a) ACTION_##a
#define LIST_2(a, ...) ACTION_##a, LIST_1(__VA_ARGS__)
#define LIST_3(a, ...) ACTION_##a, LIST_2(__VA_ARGS__)
#define LIST_4(a, ...) ACTION_##a, LIST_3(__VA_ARGS__)
#define LIST_5(a, ...) ACTION_##a, LIST_4(__VA_ARGS__)
#define LIST_6(a, ...) ACTION_##a, LIST_5(__VA_ARGS__)
#define LIST_7(a, ...) ACTION_##a, LIST_6(__VA_ARGS__)
#define LIST_CHOOSE(_1, _2, _3, _4, _5, _6, _7, chosen, ...) chosen
#define LIST(...) LIST_CHOOSE(__VA_ARGS__, LIST_7, LIST_6, LIST_5, LIST_4, LIST_3, LIST_2, LIST_1, )(__VA_ARGS__)
#define EVENT_ROW(event, words, ...) [EVENT_##event] = {words, {LIST(__VA_ARGS__)}},
static const struct {
    const char *words;
    enum action actions[ACTIONS_MAX]; /* ended by ACTION_NONE */
} rows[EVENT_COUNT] = {COORDINATOR_TABLE(EVENT_ROW)};
#undef EVENT_ROW

void coordinator_on_event(struct token_entry *entry, enum entry_event event)
{
    for (const enum action *next = rows[event].actions; *next != ACTION_NONE; next++)
        actions[*next].act(entry);
}

unsigned coordinator_may_begin(enum entry_event event)
{
    unsigned operations = 0;
    for (const enum action *next = rows[event].actions; *next != ACTION_NONE; next++)
        operations |= 1U << actions[*next].begins;
    return operations;
}

const char *coordinator_event_words(enum entry_event event)
{
    return rows[event].words;
}

void coordinator_stop_entry(struct token_entry *entry)
{
    token_waiter_drop_all(entry);
    token_fetch_destroy(TAKE(entry->fetch));
    revocation_destroy(TAKE(entry->revocation));
}
