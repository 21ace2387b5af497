#include "broker/exchange/provider_request.h"

#include "broker/broker_state.h"
#include "model/connection/connection_binding.h"

static enum status check_destination(const struct grant_context *input, enum binding_part endpoint,
                                     const struct http_request *request, struct error *ret_error)
{
    if (!input->tokens)
        return OK;
    AUTO(token_binding) present = connection_binding(input->connection, input->tokens->metadata, NULL);
    if (!present)
        return error_set(ret_error, ERR_NO_MEMORY, "what the tokens belong to");
    return token_binding_check_request(input->tokens->binding, endpoint, token_binding_value(present, BINDING_CLIENT),
                                       secret_reveal(http_request_url(request)), ret_error);
}

enum status provider_request_send(struct broker *broker, const struct grant_context *input, enum binding_part endpoint,
                                  struct http_request *take_request, bool background, http_client_done *done,
                                  void *context, struct http_exchange **ret_exchange, struct error *ret_error)
{
    AUTO(http_request) request = take_request;
    enum status status = check_destination(input, endpoint, request, ret_error);
    if (status != OK)
        return status;
    return http_client_send(broker->client, TAKE(request), background, 0, done, context, ret_exchange, ret_error);
}
