#include "broker/exchange/grant.h"

#include <stdlib.h>

#include "base/clock.h"
#include "broker/broker_state.h"
#include "broker/exchange/exchange_reply.h"
#include "broker/exchange/provider_request.h"

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

/* Several times what a usual reply takes to be read. Untouched until then, so that it costs address space alone. */
enum { REPLY_RESERVE_BYTES = 256 * 1024 };

/*
 * No exchange starts without the memory that its reply may need: the refresh token in it is the only one that is
 * still good, and would be lost for the want of a few kilobytes.
 */
static bool has_reply_reserve(struct broker *broker)
{
    if (!broker->reply_reserve)
        broker->reply_reserve = malloc(REPLY_RESERVE_BYTES);
    return broker->reply_reserve;
}

static void read_reply(const struct grant *grant, const struct http_client_result *result,
                       struct token_outcome *ret_outcome)
{
    const struct provider_reply reply = exchange_reply(result);
    token_response_read(grant->exchange, &grant->input, &reply, ret_outcome);
    bool is_good = ret_outcome->outcome == OUTCOME_GRANTED || ret_outcome->outcome == OUTCOME_TOKEN_REFUSED;
    if (reply.status / 100 != 2 || is_good)
        return;
    /* A lack of memory may look like bad syntax: whatever was wrong, the second reading is the true one. */
    free(TAKE(grant->broker->reply_reserve));
    token_outcome_finish(ret_outcome);
    token_response_read(grant->exchange, &grant->input, &reply, ret_outcome);
}

static void on_reply(void *context, const struct http_client_result *result)
{
    struct grant *grant = context;
    struct token_outcome outcome = {0};
    grant->input.now = clock_wall();
    if (result->status == OK) {
        read_reply(grant, result, &outcome);
    } else {
        token_outcome_set_unanswered(&outcome, result->error.message);
        /*
         * An address that the rules refuse stays refused: an operator has to look, so do not knock every few seconds.
         */
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
                        bool background, uid_t user, grant_done *done, void *context, struct grant **ret_grant,
                        struct error *ret_error)
{
    if (!has_reply_reserve(broker))
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the reply to an exchange");
    AUTO(http_request) request = NULL;
    enum status status = token_request_create(exchange, input, &request, ret_error);
    if (status != OK)
        return status;
    struct grant *grant = calloc(1, sizeof *grant);
    if (!grant)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for an exchange");
    http_request_set_user(request, user);
    grant->broker = broker;
    grant->exchange = exchange;
    grant->input = *input;
    grant->done = done;
    grant->context = context;
    enum binding_part endpoint = exchange == TOKEN_EXCHANGE_REFRESH ? BINDING_REFRESH_ORIGIN : BINDING_TOKEN_ORIGIN;
    status = provider_request_send(broker, input, endpoint, TAKE(request), background, on_reply, grant, &grant->http,
                                   ret_error);
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
