#include "protocol/request/authorization_url.h"

#include <stdint.h>

#include "base/text/url.h"
#include "protocol/request/pkce.h"
#include "protocol/request/request_builder.h"
#include "protocol/request/request_values.h"
#include "protocol/request/template_json.h"

/* A parameter that is NULL is left out. */
struct parameter {
    const char *name, *value;
};

/* RFC 7636 §4.2. Never silently without PKCE where the iClient wants it. */
static enum status make_challenge(const struct grant_context *context, enum pkce_method method,
                                  char challenge[PKCE_CHALLENGE_SIZE], struct error *ret_error)
{
    if (method == PKCE_NONE)
        return OK;
    if (!context->code_verifier)
        return error_set(ret_error, ERR_INVALID, "there is no code verifier for PKCE");
    return pkce_challenge(method, context->code_verifier, challenge, ret_error);
}

static enum status check_parts(const struct grant_context *context, const struct iclient *iclient,
                               struct error *ret_error)
{
    if (!iclient_text(iclient, ICLIENT_AUTH_URI))
        return error_set(ret_error, ERR_INVALID, "oauth2.auth.uri is missing");
    if (!iclient_client_id(iclient))
        return error_set(ret_error, ERR_INVALID, "oauth2.clientId is missing");
    if (!context->state)
        return error_set(ret_error, ERR_INVALID, "there is no state for the authorization request");
    return OK;
}

static enum status set_protocol_parameters(const struct grant_context *context, const struct iclient *iclient,
                                           json_t *parameters, struct error *ret_error)
{
    enum pkce_method method = iclient_pkce(iclient);
    char challenge[PKCE_CHALLENGE_SIZE];
    enum status status = make_challenge(context, method, challenge, ret_error);
    if (status != OK)
        return status;
    const struct parameter list[] = {
        {"response_type", "code"},
        {"client_id", iclient_client_id(iclient)},
        {"redirect_uri", context->redirect_uri ? context->redirect_uri : iclient_redirect_uri(iclient)},
        {"scope", connection_scope(context->connection)},
        {"state", context->state},
        {"code_challenge", method == PKCE_NONE ? NULL : challenge},
        {"code_challenge_method", pkce_method_name(method)},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (list[i].value && json_object_set_new(parameters, list[i].name, json_string(list[i].value)) != 0)
            return error_set(ret_error, ERR_INVALID, "the value of %s is not UTF-8", list[i].name);
    }
    return OK;
}

/* Names that are the protocol's own were refused when the document was read. */
static enum status add_auth_params(const struct grant_context *context, const struct iclient *iclient,
                                   json_t *parameters, struct error *ret_error)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)iclient_json(iclient, ICLIENT_AUTH_PARAMS), name, value) {
        json_t *rendered = NULL;
        enum status status = template_json_render(value, request_values_lookup, context, &rendered, ret_error);
        if (status != OK)
            return ret_error ? error_prefix(ret_error, "oauth2.authParams.%s", name) : status;
        if (json_object_set_new(parameters, name, rendered) != 0)
            return error_set(ret_error, ERR_NO_MEMORY, "oauth2.authParams");
    }
    return OK;
}

/* The connection's own audience wins over authParams. */
static enum status set_audience(const struct grant_context *context, json_t *parameters, struct error *ret_error)
{
    const char *audience = connection_audience(context->connection);
    if (!audience || json_object_set_new(parameters, "audience", json_string(audience)) == 0)
        return OK;
    return error_set(ret_error, ERR_INVALID, "the value of audience is not UTF-8");
}

static enum status make_url(const struct grant_context *context, const struct iclient *iclient,
                            const json_t *parameters, char **ret_url, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) url;
    text_buffer_init(&url, URL_MAX);
    enum status status = template_render(iclient_text(iclient, ICLIENT_AUTH_URI), TEMPLATE_IN_URI,
                                         request_values_lookup, context, &url, ret_error);
    if (status != OK)
        return ret_error ? error_prefix(ret_error, "oauth2.auth.uri") : status;
    status = request_url_append(&url, parameters, ret_error);
    if (status == OK)
        status = url_policy_check_text(iclient_url_policy(iclient), text_buffer_text(&url), ret_error);
    if (status != OK)
        return status;
    *ret_url = text_buffer_take(&url);
    return *ret_url ? OK : error_set(ret_error, ERR_NO_MEMORY, "authorization URL");
}

enum status authorization_url_create(const struct grant_context *context, char **ret_url, struct error *ret_error)
{
    const struct iclient *iclient = connection_iclient(context->connection);
    enum status status = check_parts(context, iclient, ret_error);
    if (status != OK)
        return status;
    AUTO_JSON parameters = json_object();
    if (!parameters)
        return error_set(ret_error, ERR_NO_MEMORY, "authorization URL");
    status = set_protocol_parameters(context, iclient, parameters, ret_error);
    if (status == OK)
        status = add_auth_params(context, iclient, parameters, ret_error);
    if (status == OK)
        status = set_audience(context, parameters, ret_error);
    return status == OK ? make_url(context, iclient, parameters, ret_url, ret_error) : status;
}
