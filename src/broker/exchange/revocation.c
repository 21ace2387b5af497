#include "broker/exchange/revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/entry/entry_event.h"
#include "broker/exchange/exchange_reply.h"
#include "broker/exchange/provider_request.h"
#include "broker/entry/token_entry_state.h"
#include "broker/entry/token_record.h"
#include "protocol/request/revoke_request.h"
#include "protocol/reply/token_response.h"

enum { REVOCATION_STEPS = 2 };

struct revocation {
    struct token_entry *entry;
    struct connection *connection; /* held */
    struct token_set *tokens;      /* held */
    size_t step;
    struct http_request *requests[REVOCATION_STEPS]; /* NULL: nothing to send */
    bool is_confirmed;                               /* by at least one reply */
    bool is_refused;
    struct grant_context input;
    struct http_exchange *http;
    enum revoke_result result;
    char message[OUTCOME_MESSAGE_MAX];
    bool is_final; /* the tokens are forgotten already */
    revoke_done *done;
    void *done_context;
};

void revocation_destroy(struct revocation *revocation)
{
    if (!revocation)
        return;
    if (revocation->http)
        http_exchange_cancel(revocation->http);
    for (size_t i = 0; i < REVOCATION_STEPS; i++)
        http_request_destroy(revocation->requests[i]);
    token_set_destroy(revocation->tokens);
    connection_destroy(revocation->connection);
    free(revocation);
}

static void revocation_end(struct revocation *revocation)
{
    struct token_entry *entry = revocation->entry;
    entry->revocation = NULL;
    entry->running = RUNNING_NOTHING;
    entry->is_forgetting = false;
    log_notice("connection %s: revoke: %s", token_entry_name(entry),
               revocation->message[0] ? revocation->message : "done");
    if (revocation->done)
        revocation->done(revocation->done_context, revocation->result, revocation->message);
    revocation_destroy(revocation);
    entry_report(entry, EVENT_REVOCATION_ENDED);
}

static void on_forgotten(void *context, enum status status, const struct error *error)
{
    struct revocation *revocation = context;
    token_entry_forget_tokens(revocation->entry);
    if (status != OK) {
        snprintf(revocation->message, sizeof revocation->message,
                 "the tokens are forgotten in memory, but the store could not delete them yet: %.200s", error->message);
        token_record_keep_trying(revocation->entry, LOSS_OF_TOKENS, error);
    }
    revocation_end(revocation);
}

static void revocation_forget(struct revocation *revocation)
{
    revocation->entry->is_forgetting = true;
    token_record_write(revocation->entry, RECORD_TOKENS | RECORD_STATE | RECORD_JOURNAL_END, NULL, on_forgotten,
                       revocation);
}

static void revocation_unreached(struct revocation *revocation)
{
    if (revocation->is_final)
        revocation_forget(revocation);
    else
        revocation_end(revocation);
}

static void revocation_step(struct revocation *revocation);

/*
 * A provider that takes one kind of token only refuses the other: that is no failure once it has confirmed the first,
 * but it is said.
 */
static void take_outcome(struct revocation *revocation, const struct token_outcome *outcome)
{
    bool is_impossible = strcmp(outcome->code, "unsupported_token_type") == 0;
    if (outcome->outcome == OUTCOME_GRANTED && !is_impossible) {
        metrics_add(revocation->entry->broker->metrics, METRIC_REVOCATIONS, 1);
        revocation->is_confirmed = true;
        revocation->result = REVOKE_CONFIRMED;
        return;
    }
    if (outcome->outcome == OUTCOME_TRANSIENT)
        revocation->result = REVOKE_UNREACHED;
    else if (!revocation->is_confirmed)
        revocation->result = is_impossible && !revocation->is_refused ? REVOKE_UNSUPPORTED : REVOKE_REFUSED;
    revocation->is_refused |= !is_impossible;
    snprintf(revocation->message, sizeof revocation->message, "%s: %.300s", revocation->input.token_type_hint,
             outcome->message);
}

static void on_reply(void *context, const struct http_client_result *result)
{
    struct revocation *revocation = context;
    revocation->http = NULL;
    struct token_outcome outcome = {0};
    if (result->status == OK) {
        struct provider_reply reply = exchange_reply(result);
        revoke_response_read(&revocation->input, &reply, &outcome);
    } else {
        token_outcome_set_unanswered(&outcome, result->error.message);
    }
    take_outcome(revocation, &outcome);
    token_outcome_finish(&outcome);
    if (revocation->result == REVOKE_UNREACHED)
        revocation_unreached(revocation);
    else
        revocation_step(revocation);
}

/* The refresh token first: at many providers its end is the access token's end as well. */
static void choose_token(struct revocation *revocation, size_t step)
{
    revocation->input.token = step == 0 ? revocation->tokens->refresh_token : revocation->tokens->access_token;
    revocation->input.token_type_hint = step == 0 ? "refresh_token" : "access_token";
    revocation->input.now = clock_wall();
}

/*
 * Makes both requests before the first is sent. One that is the same for either token (the account is what is revoked)
 * is sent once; one whose template needs a token that there is none of is left out, as long as the other can be sent.
 */
static enum status make_requests(struct revocation *revocation, struct error *ret_error)
{
    struct http_request **requests = revocation->requests;
    enum status failure = OK;
    for (size_t step = 0; step < REVOCATION_STEPS; step++) {
        choose_token(revocation, step);
        enum status status = OK;
        if (revocation->input.token)
            status = revoke_request_create(&revocation->input, &requests[step], ret_error);
        if (status != OK && status != ERR_NOT_FOUND)
            return status;
        failure = status != OK ? status : failure;
    }
    if (requests[0] && requests[1] && http_request_equal(requests[0], requests[1])) {
        http_request_destroy(requests[1]);
        requests[1] = NULL;
    }
    return requests[0] || requests[1] ? OK : failure;
}

static void end_unsent(struct revocation *revocation, const struct error *error)
{
    snprintf(revocation->message, sizeof revocation->message, "%.*s", (int)sizeof revocation->message - 1,
             error->message);
    bool is_for_later = error->status == ERR_NO_MEMORY || error->status == ERR_BUSY;
    revocation->result = is_for_later ? REVOKE_UNREACHED : REVOKE_REFUSED;
    if (error->status == ERR_UNSUPPORTED) {
        revocation->result = REVOKE_UNSUPPORTED;
        snprintf(revocation->message, sizeof revocation->message,
                 "the iClient has no revoke URI: the tokens are forgotten here, but the provider was not told");
    }
    if (is_for_later)
        revocation_unreached(revocation);
    else
        revocation_forget(revocation);
}

static void revocation_step(struct revocation *revocation)
{
    while (revocation->step < REVOCATION_STEPS && !revocation->requests[revocation->step])
        revocation->step++;
    if (revocation->step == REVOCATION_STEPS) {
        revocation_forget(revocation);
        return;
    }
    size_t step = revocation->step++;
    choose_token(revocation, step);
    struct error error = {0};
    if (provider_request_send(revocation->entry->broker, &revocation->input, BINDING_REVOKE_ORIGIN,
                              TAKE(revocation->requests[step]), false, on_reply, revocation, &revocation->http,
                              &error) != OK)
        end_unsent(revocation, &error);
}

void revocation_start_pending(struct token_entry *entry)
{
    struct revocation *revocation = entry->revocation;
    if (!revocation || entry->running != RUNNING_NOTHING)
        return;
    entry->running = RUNNING_REVOCATION;
    if (!entry->tokens) {
        revocation->result = REVOKE_NOTHING;
        snprintf(revocation->message, sizeof revocation->message, "there were no tokens");
        revocation_end(revocation);
        return;
    }
    revocation->tokens = token_set_hold(entry->tokens);
    revocation->input.connection = revocation->connection;
    revocation->input.tokens = revocation->tokens;
    if (revocation->is_final)
        token_entry_forget_tokens(entry);
    struct error error = {0};
    enum status status = make_requests(revocation, &error);
    if (status == OK)
        revocation_step(revocation);
    else
        end_unsent(revocation, &error);
}

static enum status revocation_begin(struct token_entry *entry, bool is_final, revoke_done *done, void *context,
                                    struct error *ret_error)
{
    if (entry->revocation)
        return error_set(ret_error, ERR_BUSY, "a revocation of this connection is under way");
    struct revocation *revocation = calloc(1, sizeof *revocation);
    if (!revocation)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the revocation");
    revocation->entry = entry;
    revocation->connection = connection_hold(entry->connection);
    revocation->is_final = is_final;
    revocation->done = done;
    revocation->done_context = context;
    entry->revocation = revocation;
    revocation_start_pending(entry);
    return OK;
}

enum status revocation_begin_final(struct token_entry *entry, revoke_done *done, void *context, struct error *ret_error)
{
    /* One that is under way forgets the tokens too, also those that an exchange in flight will bring. */
    if (entry->revocation)
        entry->revocation->is_final = true;
    return revocation_begin(entry, true, done, context, ret_error);
}

enum status broker_revoke(struct token_entry *entry, revoke_done *done, void *context, struct error *ret_error)
{
    return revocation_begin(entry, false, done, context, ret_error);
}

void broker_revoke_forget_waiter(struct token_entry *entry, void *context)
{
    if (entry->revocation && entry->revocation->done_context == context)
        entry->revocation->done = NULL;
}
