#include "broker/grant.h"

#include <stdlib.h>

#include "base/clock.h"
#include "broker/broker_state.h"

struct grant {
    struct broker *broker;
    enum token_exchange exchange;
    struct grant_context input;
    struct http_exchange *http;
    grant_done *done;
    void *context;
};

static void count_outcome(struct metrics *metrics, enum outcome_class outcome)
{
    static const enum metric metric_of[] = {
        [OUTCOME_GRANTED] = METRIC_EXCHANGES_GRANTED,
        [OUTCOME_TOKEN_REFUSED] = METRIC_EXCHANGES_TOKEN_REFUSED,
        [OUTCOME_CLIENT_REFUSED] = METRIC_EXCHANGES_CLIENT_REFUSED,
        [OUTCOME_TRANSIENT] = METRIC_EXCHANGES_TRANSIENT,
        [OUTCOME_BROKEN] = METRIC_EXCHANGES_BROKEN,
    };
    metrics_add(metrics, metric_of[outcome], 1);
}

static void on_reply(void *context, const struct http_client_result *result)
{
    struct grant *grant = context;
    struct token_outcome outcome = {0};
    grant->input.now = clock_wall();
    if (result->status == OK) {
        struct provider_reply reply = {
            .status = result->http_status,
            .content_type = result->content_type,
            .retry_after = result->retry_after,
            .body = result->body,
            .length = result->length,
            .too_large = result->too_large,
        };
        token_response_read(grant->exchange, &grant->input, &reply, &outcome);
    } else {
        token_outcome_set_unanswered(&outcome, result->error.message);
        /* An address that the rules refuse stays refused: an operator has to look, so do not knock every few seconds. */
        if (result->status == ERR_DENIED)
            outcome.outcome = OUTCOME_BROKEN;
    }
    count_outcome(grant->broker->metrics, outcome.outcome);
    bool may_have_been_sent = result->status != OK && result->may_have_been_sent;
    grant_done *done = grant->done;
    void *done_context = grant->context;
    free(grant);
    done(done_context, &outcome, may_have_been_sent);
    token_outcome_finish(&outcome);
}

enum status grant_start(struct broker *broker, enum token_exchange exchange, const struct grant_context *input,
                        bool background, grant_done *done, void *context, struct grant **ret_grant,
                        struct error *ret_error)
{
    AUTO(http_request) request = NULL;
    enum status status = token_request_create(exchange, input, &request, ret_error);
    if (status != OK)
        return status;
    struct grant *grant = calloc(1, sizeof *grant);
    if (!grant)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for an exchange");
    grant->broker = broker;
    grant->exchange = exchange;
    grant->input = *input;
    grant->done = done;
    grant->context = context;
    status = http_client_send(broker->client, TAKE(request), background, 0, on_reply, grant, &grant->http, ret_error);
    if (status != OK) {
        free(grant);
        return status;
    }
    metrics_add(broker->metrics, METRIC_EXCHANGES_STARTED, 1);
    *ret_grant = grant;
    return OK;
}

void grant_cancel(struct grant *grant)
{
    if (!grant)
        return;
    http_exchange_cancel(grant->http);
    free(grant);
}
