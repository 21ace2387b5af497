#ifndef BROKER_EXCHANGE_GRANT_H
#define BROKER_EXCHANGE_GRANT_H

#include <stdbool.h>

#include "base/error.h"
#include "protocol/request/token_request.h"
#include "protocol/reply/token_response.h"

/* One exchange with a token endpoint, from request to classified outcome. */
struct broker;
struct grant;

/* Runs once, from the loop. may_have_been_sent: a request without a clear answer reached the network. */
typedef void grant_done(void *context, struct token_outcome *outcome, bool may_have_been_sent);

/*
 * input: borrowed until done or grant_cancel(). user: on whose account. The errors of token_request_create() and
 * http_client_send(); then nothing was sent and done does not run.
 */
enum status grant_start(struct broker *broker, enum token_exchange exchange, const struct grant_context *input,
                        bool background, uid_t user, grant_done *done, void *context, struct grant **ret_grant,
                        struct error *ret_error);
/* Ends it without calling back. Takes NULL. */
void grant_cancel(struct grant *grant);

#endif
