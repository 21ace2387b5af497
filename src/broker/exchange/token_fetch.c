#include "broker/exchange/token_fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/entry/decision.h"
#include "broker/entry/entry_event.h"
#include "broker/exchange/fetch_failure.h"
#include "broker/entry/fetch_rule.h"
#include "broker/exchange/grant.h"
#include "broker/entry/token_entry_state.h"
#include "broker/exchange/token_fetch_state.h"
#include "broker/entry/token_record.h"
#include "model/connection/connection_binding.h"
#include "protocol/jwt/jwt_assertion.h"

static enum token_exchange exchange_of(enum grant_type grant)
{
    switch (grant) {
    case GRANT_PASSWORD:
        return TOKEN_EXCHANGE_PASSWORD;
    case GRANT_JWT_BEARER:
        return TOKEN_EXCHANGE_JWT_BEARER;
    default:
        return TOKEN_EXCHANGE_CLIENT_CREDENTIALS;
    }
}

void token_fetch_destroy(struct token_fetch *fetch)
{
    if (!fetch)
        return;
    struct broker *broker = fetch->entry->broker;
    broker->fetch_count--;
    if (fetch->background)
        refresh_turn_give_back(&broker->turns, connection_iclient(fetch->connection));
    caller_share_give_back(&broker->shares, fetch->share, PLACE_EXCHANGE);
    grant_cancel(fetch->grant);
    token_set_destroy(fetch->granted);
    token_set_destroy(fetch->tokens);
    token_binding_destroy(fetch->binding);
    connection_destroy(fetch->connection);
    free(fetch);
}

/* connection, callback: what the exchange is sent under. */
static struct token_fetch *token_fetch_create(struct token_entry *entry, const struct connection *connection,
                                              const json_t *callback, bool background)
{
    struct token_fetch *fetch = calloc(1, sizeof *fetch);
    struct token_binding *take_binding =
        fetch ? connection_binding(connection, entry->fits ? entry->tokens->metadata : NULL, callback) : NULL;
    if (!take_binding) {
        free(fetch);
        return NULL;
    }
    entry->broker->fetch_count++;
    fetch->entry = entry;
    fetch->background = background;
    fetch->connection = connection_hold(connection);
    if (background)
        refresh_turn_take(&entry->broker->turns, connection_iclient(fetch->connection));
    fetch->tokens = entry->fits ? token_set_hold(entry->tokens) : NULL;
    fetch->binding = take_binding;
    fetch->input.connection = fetch->connection;
    fetch->input.tokens = fetch->tokens;
    return fetch;
}

/* ---- the end of an exchange ---- */

/*
 * is_outdated: it failed for a configuration that an edit has replaced. message: for the login that it was for, if any.
 */
static void token_fetch_end(struct token_fetch *fetch, bool is_granted, bool is_outdated, const char *message)
{
    struct token_entry *entry = fetch->entry;
    entry->fetch = NULL;
    entry->running = RUNNING_NOTHING;
    if (fetch->done)
        fetch->done(fetch->done_context, is_granted, message);
    token_fetch_destroy(fetch);
    entry_report(entry, is_outdated ? EVENT_EXCHANGE_OUTDATED : EVENT_EXCHANGE_ENDED);
}

/* ---- granted: commit, then serve ---- */

static void on_committed(void *context, enum status status, const struct error *error)
{
    struct token_fetch *fetch = context;
    struct token_entry *entry = fetch->entry;
    struct token_set *tokens = fetch->granted;
    entry->is_ambiguous = false;
    token_entry_adopt(entry, tokens, fetch->connection);
    if (status != OK)
        token_record_keep_trying(entry, LOSS_OF_TOKENS, error);
    log_info("connection %s: new token, generation %" PRIu64 " (%s)", token_entry_name(entry), tokens->generation,
             fetch->is_local ? "signed here" : token_exchange_name(fetch->exchange));
    if (client_breaker_close(entry->broker, connection_iclient(fetch->connection)))
        fetch_failure_release_iclient(entry->broker, connection_iclient(fetch->connection));
    token_fetch_end(fetch, true, false, "");
}

/*
 * What comes back belongs to what it was sent under, whatever an edit brought meanwhile. Without memory it is what was
 * known when the exchange began, which lacks no more than what the reply itself said of the servers.
 */
static struct token_binding *bind_granted(const struct token_fetch *fetch, const struct token_set *granted)
{
    AUTO(token_binding) present = connection_binding(fetch->connection, granted->metadata, fetch->input.callback);
    const struct token_binding *known = present ? present : fetch->binding;
    bool is_refresh = fetch->exchange == TOKEN_EXCHANGE_REFRESH && !fetch->is_local;
    struct token_binding *refreshed = is_refresh ? token_binding_refreshed(fetch->tokens->binding, known) : NULL;
    return refreshed ? refreshed : token_binding_hold(known);
}

static void token_fetch_commit(struct token_fetch *fetch, struct token_set *take_tokens)
{
    struct token_entry *entry = fetch->entry;
    fetch->granted = take_tokens;
    take_tokens->generation = entry->generation + 1;
    token_set_bind(take_tokens, bind_granted(fetch, take_tokens));
    token_record_write(entry, RECORD_TOKENS | RECORD_STATE | RECORD_JOURNAL_END, take_tokens, on_committed, fetch);
}

/* ---- not granted ---- */

static void token_fetch_send(struct token_fetch *fetch);

/* Drops the refresh token: the grant brings another one. */
static void use_own_grant(struct token_fetch *fetch)
{
    fetch->exchange = exchange_of(iclient_grant(connection_iclient(fetch->connection)));
    token_set_destroy(TAKE(fetch->tokens));
    fetch->input.tokens = NULL;
    fetch->is_unnoted = false;
}

static void on_outcome(void *context, struct token_outcome *outcome, bool may_have_been_sent)
{
    struct token_fetch *fetch = context;
    struct token_entry *entry = fetch->entry;
    fetch->grant = NULL;
    if (outcome->outcome == OUTCOME_GRANTED) {
        token_fetch_commit(fetch, TAKE(outcome->tokens));
        return;
    }
    log_warning("connection %s: %s %s: %s", token_entry_name(entry), token_exchange_name(fetch->exchange),
                outcome_class_name(outcome->outcome), outcome->message);
    if (fetch->exchange == TOKEN_EXCHANGE_CODE) {
        token_fetch_end(fetch, false, false, outcome->message);
        return;
    }
    bool is_refresh = fetch->exchange == TOKEN_EXCHANGE_REFRESH;
    if (outcome->outcome == OUTCOME_TOKEN_REFUSED && is_refresh && fetch_rule_needs_nobody(fetch->connection)) {
        use_own_grant(fetch);
        token_fetch_send(fetch);
        return;
    }
    /* A refresh that went out and was not clearly refused may have used the token up at the provider. */
    bool is_answer = outcome->outcome == OUTCOME_TOKEN_REFUSED || outcome->outcome == OUTCOME_CLIENT_REFUSED;
    bool is_unclear =
        is_refresh && !is_answer && (may_have_been_sent || outcome->status >= 500 || outcome->status / 100 == 2);
    bool is_applied = fetch_failure_apply(entry, fetch, outcome, is_unclear);
    token_fetch_end(fetch, false, !is_applied, outcome->message);
}

static void token_fetch_fail_unsent(struct token_fetch *fetch, const struct error *error)
{
    fetch->is_unsent = error->status == ERR_NO_MEMORY || error->status == ERR_BUSY;
    struct token_outcome outcome = {.outcome = fetch->is_unsent ? OUTCOME_TRANSIENT : OUTCOME_BROKEN};
    if (fetch->is_unsent)
        memcpy(outcome.code, DECISION_OVERLOADED, sizeof DECISION_OVERLOADED);
    else
        memcpy(outcome.code, "request_not_sent", sizeof "request_not_sent");
    size_t length = strnlen(error->message, sizeof outcome.message - 1);
    memcpy(outcome.message, error->message, length);
    on_outcome(fetch, &outcome, false);
}

/* ---- the start ---- */

static void token_fetch_send(struct token_fetch *fetch)
{
    struct error error = {0};
    fetch->input.now = clock_wall();
    enum status status;
    if (fetch->is_local) {
        struct token_set *tokens = NULL;
        status = jwt_assertion_create_token(&fetch->input, &tokens, &error);
        if (status == OK) {
            token_fetch_commit(fetch, tokens);
            return;
        }
    } else {
        uid_t user = fetch->share ? fetch->share->uid : 0;
        status = grant_start(fetch->entry->broker, fetch->exchange, &fetch->input, fetch->background, user, on_outcome,
                             fetch, &fetch->grant, &error);
    }
    if (status != OK)
        token_fetch_fail_unsent(fetch, &error);
}

static void wait_for_store(struct token_fetch *fetch)
{
    static const char message[] = "the token store cannot be written";
    fetch_failure_wait_for_store(fetch->entry, fetch);
    token_fetch_end(fetch, false, false, message);
}

/*
 * A refresh that nobody could account for after a restart is the last resort: not while there is a token to serve, not
 * where the grant needs no refresh token, and not for nobody, unless the provider keeps the refresh token anyway.
 */
static void refresh_unnoted(struct token_fetch *fetch, const struct error *error)
{
    struct token_entry *entry = fetch->entry;
    bool is_kept = fetch->tokens && fetch->tokens->rotation == TOKEN_ROTATION_KEPT;
    bool is_wanted = !fetch->background || entry->waiters;
    if (token_entry_is_usable(entry, clock_wall())) {
        wait_for_store(fetch);
        return;
    }
    if (!is_kept && fetch_rule_needs_nobody(fetch->connection)) {
        use_own_grant(fetch);
    } else if (is_kept || is_wanted) {
        fetch->is_unnoted = true;
        token_record_keep_trying(entry, LOSS_OF_JOURNAL, error);
    } else {
        wait_for_store(fetch);
        return;
    }
    token_fetch_send(fetch);
}

static void on_journal_written(void *context, enum status status, const struct error *error)
{
    struct token_fetch *fetch = context;
    struct token_entry *entry = fetch->entry;
    if (status == OK) {
        token_fetch_send(fetch);
        return;
    }
    metrics_add(entry->broker->metrics, METRIC_STORE_FAILURES, 1);
    log_error("connection %s: the store cannot note a refresh: %s", token_entry_name(entry), error->message);
    refresh_unnoted(fetch, error);
}

/* Sets the state that keeps the entry from starting an exchange; false when nothing does. */
static bool is_kept_from_starting(struct token_entry *entry, int64_t now)
{
    if (!fetch_rule_can_refresh(entry, now) && !fetch_rule_needs_nobody(entry->connection)) {
        bool had_tokens = entry->fits;
        token_entry_set_state(
            entry, ENTRY_AUTHORIZATION_REQUIRED, had_tokens ? "token_expired" : "not_authorized",
            had_tokens ? "there is no refresh token that could renew the access token" : "nobody has logged in yet", 0);
        return true;
    }
    int64_t probe_at = client_breaker_blocks_until(entry->broker, connection_iclient(entry->connection), now);
    if (probe_at == 0)
        return false;
    token_entry_set_state(entry, ENTRY_CLIENT_REJECTED, "client_rejected",
                          "the provider refuses this iClient's credentials; see its other connections", probe_at);
    return true;
}

/* Whether there is nothing to start: one is in flight, or must not be. */
static bool is_decided(struct token_entry *entry, bool *ret_is_running)
{
    *ret_is_running = entry->running != RUNNING_NOTHING;
    return *ret_is_running || entry->broker->drained || is_kept_from_starting(entry, clock_wall());
}

/* take_share: NULL when it is not on a caller's account. */
static bool start(struct token_entry *entry, bool background, struct caller_share *take_share)
{
    int64_t now = clock_wall();
    struct token_fetch *fetch = token_fetch_create(entry, entry->connection, NULL, background);
    if (!fetch) {
        caller_share_give_back(&entry->broker->shares, take_share, PLACE_EXCHANGE);
        token_entry_set_state(entry, ENTRY_PROVIDER_UNAVAILABLE, DECISION_OVERLOADED, "out of memory", now + 1);
        return false;
    }
    fetch->share = take_share;
    entry->fetch = fetch;
    entry->running = RUNNING_EXCHANGE;
    metrics_add(entry->broker->metrics, METRIC_REFRESHES_AHEAD, background);
    if (fetch_rule_can_refresh(entry, now) && fetch_rule_is_refresh_enough(entry)) {
        fetch->exchange = TOKEN_EXCHANGE_REFRESH;
        token_record_write(entry, RECORD_JOURNAL_BEGIN, NULL, on_journal_written, fetch);
    } else {
        enum grant_type grant = iclient_grant(connection_iclient(entry->connection));
        fetch->exchange = exchange_of(grant);
        fetch->is_local = grant == GRANT_JWT_TOKEN;
        token_fetch_send(fetch);
    }
    return entry->fetch != NULL;
}

bool token_fetch_begin(struct token_entry *entry, bool background)
{
    bool is_running;
    return is_decided(entry, &is_running) ? is_running : start(entry, background, NULL);
}

enum token_answer token_fetch_begin_for(struct token_entry *entry, uid_t caller)
{
    bool is_running;
    if (is_decided(entry, &is_running))
        return is_running ? TOKEN_PENDING : decision_trouble(entry);
    struct caller_share *share = NULL;
    enum token_answer answer = caller_share_take(&entry->broker->shares, caller, PLACE_EXCHANGE, &share);
    if (answer != TOKEN_PENDING)
        return answer;
    return start(entry, false, share) ? TOKEN_PENDING : decision_trouble(entry);
}

void token_fetch_begin_code(struct token_entry *entry, const struct connection *connection,
                            const struct grant_context *input, token_fetch_done *done, void *context)
{
    struct token_fetch *fetch = token_fetch_create(entry, connection, input->callback, false);
    if (!fetch) {
        done(context, false, "out of memory");
        return;
    }
    entry->fetch = fetch;
    entry->running = RUNNING_EXCHANGE;
    fetch->exchange = TOKEN_EXCHANGE_CODE;
    fetch->done = done;
    fetch->done_context = context;
    /* It replaces whatever tokens there are. */
    token_set_destroy(TAKE(fetch->tokens));
    fetch->input = *input;
    fetch->input.connection = fetch->connection;
    token_fetch_send(fetch);
}
