#ifndef BROKER_EXCHANGE_PROVIDER_REQUEST_H
#define BROKER_EXCHANGE_PROVIDER_REQUEST_H

#include "io/client/http_client.h"
#include "model/reply/token_binding.h"
#include "protocol/request/grant_context.h"

struct broker;

/*
 * The one way by which the broker sends a request to a provider, and the last look at where it goes: a request that is
 * made from a token set (input->tokens) leaves only under the client id and to the origin that the token set is bound
 * to, whatever edit, reload or race made the request. Otherwise ERR_DENIED, and nothing is sent. endpoint: which of the
 * provider's URIs it is for. Other errors and all else as http_client_send(); take_request is consumed in any case.
 */
enum status provider_request_send(struct broker *broker, const struct grant_context *input, enum binding_part endpoint,
                                  struct http_request *take_request, bool background, http_client_done *done,
                                  void *context, struct http_exchange **ret_exchange, struct error *ret_error);

#endif
