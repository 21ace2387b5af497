#include "broker/revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/broker_state.h"
#include "broker/token_entry_state.h"
#include "broker/token_fetch.h"
#include "broker/token_record.h"
#include "protocol/revoke_request.h"
#include "protocol/token_response.h"

enum { REVOCATION_STEPS = 2 };

struct revocation {
    struct token_entry *entry;
    struct connection *connection; /* held */
    struct token_set *tokens;      /* held */
    bool is_running;
    size_t step;
    struct grant_context input;
    struct http_exchange *http;
    enum revoke_result result;
    char message[OUTCOME_MESSAGE_MAX];
    revoke_done *done;
    void *done_context;
};

bool revocation_is_running(const struct token_entry *entry)
{
    return entry->revocation && entry->revocation->is_running;
}

void revocation_destroy(struct revocation *revocation)
{
    if (!revocation)
        return;
    if (revocation->http)
        http_exchange_cancel(revocation->http);
    token_set_destroy(revocation->tokens);
    connection_destroy(revocation->connection);
    free(revocation);
}

static void revocation_end(struct revocation *revocation)
{
    struct token_entry *entry = revocation->entry;
    entry->revocation = NULL;
    log_notice("connection %s: revoke: %s", token_entry_name(entry),
               revocation->message[0] ? revocation->message : "done");
    if (revocation->done)
        revocation->done(revocation->done_context, revocation->result, revocation->message);
    revocation_destroy(revocation);
    token_fetch_settle(entry);
}

static void on_forgotten(void *context, enum status status, const struct error *error)
{
    struct revocation *revocation = context;
    if (status != OK) {
        metrics_add(revocation->entry->broker->metrics, METRIC_STORE_FAILURES, 1);
        snprintf(revocation->message, sizeof revocation->message,
                 "the tokens are forgotten in memory, but the store could not delete them: %.200s", error->message);
    }
    token_entry_forget_tokens(revocation->entry);
    revocation_end(revocation);
}

static void revocation_forget(struct revocation *revocation)
{
    token_record_write(revocation->entry, RECORD_TOKENS | RECORD_STATE | RECORD_JOURNAL_END, NULL,
                       revocation->entry->fingerprint, on_forgotten, revocation);
}

static void revocation_step(struct revocation *revocation);

static void take_outcome(struct revocation *revocation, const struct token_outcome *outcome)
{
    if (outcome->outcome == OUTCOME_GRANTED) {
        metrics_add(revocation->entry->broker->metrics, METRIC_REVOCATIONS, 1);
        return;
    }
    revocation->result = outcome->outcome == OUTCOME_TRANSIENT ? REVOKE_UNREACHED : REVOKE_REFUSED;
    snprintf(revocation->message, sizeof revocation->message, "%s", outcome->message);
}

static void on_reply(void *context, const struct http_client_result *result)
{
    struct revocation *revocation = context;
    revocation->http = NULL;
    struct token_outcome outcome = {0};
    if (result->status == OK) {
        struct provider_reply reply = {
            .status = result->http_status,
            .content_type = result->content_type,
            .retry_after = result->retry_after,
            .body = result->body,
            .length = result->length,
            .too_large = result->too_large,
        };
        revoke_response_read(&revocation->input, &reply, &outcome);
    } else {
        token_outcome_set_unanswered(&outcome, result->error.message);
    }
    take_outcome(revocation, &outcome);
    token_outcome_finish(&outcome);
    if (revocation->result == REVOKE_UNREACHED)
        revocation_end(revocation);
    else
        revocation_step(revocation);
}

static enum status send_step(struct revocation *revocation, const struct secret *token, const char *hint)
{
    struct error error = {0};
    AUTO(http_request) request = NULL;
    revocation->input.token = token;
    revocation->input.token_type_hint = hint;
    revocation->input.now = clock_wall();
    enum status status = revoke_request_create(&revocation->input, &request, &error);
    if (status == OK)
        status = http_client_send(revocation->entry->broker->client, TAKE(request), false, 0, on_reply, revocation,
                                  &revocation->http, &error);
    if (status != OK)
        snprintf(revocation->message, sizeof revocation->message, "%.*s", (int)sizeof revocation->message - 1,
                 error.message);
    return status;
}

/* The refresh token first: at many providers its end is the access token's end as well. */
static void revocation_step(struct revocation *revocation)
{
    const struct {
        const struct secret *token;
        const char *hint;
    } steps[REVOCATION_STEPS] = {
        {revocation->tokens->refresh_token, "refresh_token"},
        {revocation->tokens->access_token, "access_token"},
    };
    while (revocation->step < REVOCATION_STEPS && !steps[revocation->step].token)
        revocation->step++;
    if (revocation->step == REVOCATION_STEPS) {
        revocation_forget(revocation);
        return;
    }
    size_t step = revocation->step++;
    enum status status = send_step(revocation, steps[step].token, steps[step].hint);
    if (status == OK)
        return;
    if (status == ERR_UNSUPPORTED) {
        revocation->result = REVOKE_UNSUPPORTED;
        snprintf(revocation->message, sizeof revocation->message,
                 "the iClient has no revoke URI: the tokens are forgotten here, but the provider was not told");
        revocation_forget(revocation);
        return;
    }
    revocation->result = status == ERR_NO_MEMORY || status == ERR_BUSY ? REVOKE_UNREACHED : REVOKE_REFUSED;
    if (revocation->result == REVOKE_UNREACHED)
        revocation_end(revocation);
    else
        revocation_step(revocation);
}

void revocation_start_pending(struct token_entry *entry)
{
    struct revocation *revocation = entry->revocation;
    if (!revocation || revocation->is_running || entry->fetch)
        return;
    revocation->is_running = true;
    if (!entry->tokens) {
        revocation->result = REVOKE_NOTHING;
        snprintf(revocation->message, sizeof revocation->message, "there were no tokens");
        revocation_end(revocation);
        return;
    }
    revocation->tokens = token_set_hold(entry->tokens);
    revocation->input.connection = revocation->connection;
    revocation->input.tokens = revocation->tokens;
    revocation_step(revocation);
}

enum status broker_revoke(struct token_entry *entry, revoke_done *done, void *context, struct error *ret_error)
{
    if (entry->revocation)
        return error_set(ret_error, ERR_BUSY, "a revocation of this connection is under way");
    struct revocation *revocation = calloc(1, sizeof *revocation);
    if (!revocation)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the revocation");
    revocation->entry = entry;
    revocation->connection = connection_hold(entry->connection);
    revocation->done = done;
    revocation->done_context = context;
    entry->revocation = revocation;
    revocation_start_pending(entry);
    return OK;
}

void broker_revoke_forget_waiter(struct token_entry *entry, void *context)
{
    if (entry->revocation && entry->revocation->done_context == context)
        entry->revocation->done = NULL;
}
