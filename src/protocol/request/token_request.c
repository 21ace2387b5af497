#include "protocol/request/token_request.h"

#include "model/connection/connection_binding.h"
#include "protocol/request/client_authentication.h"
#include "protocol/jwt/jwt_assertion.h"
#include "protocol/request/request_builder.h"

enum { PASSWORD_MAX = 16 * 1024 };

static const struct request_fields token_fields = {"token", ICLIENT_TOKEN_URI, ICLIENT_TOKEN_METHOD, ICLIENT_TOKEN_BODY,
                                                   ICLIENT_TOKEN_HEADERS};
static const struct request_fields refresh_fields = {"refresh", ICLIENT_REFRESH_URI, ICLIENT_REFRESH_METHOD,
                                                     ICLIENT_REFRESH_BODY, ICLIENT_REFRESH_HEADERS};

/* ---- default parameters, when the iClient has no body of its own ---- */

static enum status set_code(struct request_builder *builder, struct error *ret_error)
{
    const struct grant_context *context = builder->context;
    if (!context->code)
        return error_set(ret_error, ERR_INVALID, "there is no authorization code to exchange");
    const char *redirect_uri = context->redirect_uri ? context->redirect_uri : iclient_redirect_uri(builder->iclient);
    enum status status = request_builder_set(builder, "code", context->code, ret_error);
    if (status == OK)
        status = request_builder_set(builder, "redirect_uri", redirect_uri, ret_error);
    if (status == OK && iclient_pkce(builder->iclient) != PKCE_NONE)
        status = request_builder_set(builder, "code_verifier", context->code_verifier, ret_error);
    return status;
}

static enum status set_scope(struct request_builder *builder, struct error *ret_error)
{
    return request_builder_set(builder, "scope", connection_scope(builder->context->connection), ret_error);
}

/* Salesforce wants the user's security token behind the password. */
static enum status set_password_value(struct request_builder *builder, const struct secret *password,
                                      struct error *ret_error)
{
    const struct secret *api_token = iclient_secret(builder->iclient, ICLIENT_SALESFORCE_API_TOKEN);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, PASSWORD_MAX);
    text_buffer_append(&text, secret_reveal(password), secret_length(password));
    if (api_token)
        text_buffer_append(&text, secret_reveal(api_token), secret_length(api_token));
    if (text.failed)
        return error_set(ret_error, ERR_TOO_LARGE, "the password is longer than %d bytes", PASSWORD_MAX);
    AUTO(secret) value = text_buffer_take_secret(&text);
    if (!value)
        return error_set(ret_error, ERR_NO_MEMORY, "password");
    return request_builder_set_secret(builder, "password", value, ret_error);
}

static enum status set_password(struct request_builder *builder, struct error *ret_error)
{
    const char *username = connection_username(builder->context->connection);
    const struct secret *password = connection_password(builder->context->connection);
    if (!username || !password)
        return error_set(ret_error, ERR_INVALID, "the password grant needs a username and a password");
    enum status status = request_builder_set(builder, "username", username, ret_error);
    if (status == OK)
        status = set_password_value(builder, password, ret_error);
    return status == OK ? set_scope(builder, ret_error) : status;
}

static enum status set_jwt_bearer(struct request_builder *builder, struct error *ret_error)
{
    AUTO(secret) assertion = NULL;
    enum status status = jwt_assertion_create(builder->context, &assertion, ret_error);
    if (status == OK)
        status = request_builder_set_secret(builder, "assertion", assertion, ret_error);
    return status == OK ? set_scope(builder, ret_error) : status;
}

static enum status set_refresh(struct request_builder *builder, struct error *ret_error)
{
    const struct token_set *tokens = builder->context->tokens;
    if (!tokens || !tokens->refresh_token)
        return error_set(ret_error, ERR_INVALID, "there is no refresh token");
    enum status status = request_builder_set_secret(builder, "refresh_token", tokens->refresh_token, ret_error);
    const char *scope = connection_refresh_scope(builder->context->connection, tokens->binding);
    return status == OK ? request_builder_set(builder, "scope", scope, ret_error) : status;
}

/* asks: the exchange names what is wanted, so that the connection's audience belongs into it. */
static const struct {
    const char *name, *grant_type;
    enum status (*set)(struct request_builder *builder, struct error *ret_error);
    bool asks;
} exchanges[] = {
    [TOKEN_EXCHANGE_CODE] = {"authorization_code", "authorization_code", set_code, false},
    [TOKEN_EXCHANGE_PASSWORD] = {"password", "password", set_password, true},
    [TOKEN_EXCHANGE_CLIENT_CREDENTIALS] = {"client_credentials", "client_credentials", set_scope, true},
    [TOKEN_EXCHANGE_JWT_BEARER] = {"jwt_bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer", set_jwt_bearer, true},
    [TOKEN_EXCHANGE_REFRESH] = {"refresh_token", "refresh_token", set_refresh, false},
};

const char *token_exchange_name(enum token_exchange exchange)
{
    return exchanges[exchange].name;
}

static enum status set_defaults(struct request_builder *builder, enum token_exchange exchange, struct error *ret_error)
{
    if (builder->own_body)
        return OK;
    enum status status = request_builder_set(builder, "grant_type", exchanges[exchange].grant_type, ret_error);
    return status == OK ? exchanges[exchange].set(builder, ret_error) : status;
}

static enum status add_connection_params(struct request_builder *builder, enum token_exchange exchange,
                                         struct error *ret_error)
{
    const struct connection *connection = builder->context->connection;
    enum status status = request_builder_add_params(builder, connection_params(connection), "params", ret_error);
    const char *audience = connection_audience(connection);
    if (status != OK || !audience || !exchanges[exchange].asks || builder->own_body)
        return status;
    AUTO_JSON params = json_pack("{s:s}", "audience", audience);
    return params ? request_builder_add_params(builder, params, "audience", ret_error)
                  : error_set(ret_error, ERR_NO_MEMORY, "audience");
}

static enum status add_iclient_params(struct request_builder *builder, enum token_exchange exchange,
                                      struct error *ret_error)
{
    if (exchange == TOKEN_EXCHANGE_REFRESH)
        return request_builder_add_params(builder, iclient_json(builder->iclient, ICLIENT_REFRESH_PARAMS),
                                          "oauth2.refreshParams", ret_error);
    return request_builder_add_params(builder, iclient_json(builder->iclient, ICLIENT_TOKEN_PARAMS),
                                      "oauth2.tokenParams", ret_error);
}

/* The first one to name a parameter wins: the connection. */
static enum status add_params(struct request_builder *builder, enum token_exchange exchange, struct error *ret_error)
{
    enum status status = add_connection_params(builder, exchange, ret_error);
    return status == OK ? add_iclient_params(builder, exchange, ret_error) : status;
}

enum status token_request_create(enum token_exchange exchange, const struct grant_context *context,
                                 struct http_request **ret_request, struct error *ret_error)
{
    const struct request_fields *fields = exchange == TOKEN_EXCHANGE_REFRESH ? &refresh_fields : &token_fields;
    AUTO_FINISH(request_builder) builder;
    enum status status = request_builder_init(&builder, context, fields, ICLIENT_TOKEN_URI, ret_error);
    if (status == OK)
        status = set_defaults(&builder, exchange, ret_error);
    if (status == OK)
        status = client_authentication_add(&builder, exchange == TOKEN_EXCHANGE_JWT_BEARER, ret_error);
    if (status == OK)
        status = add_params(&builder, exchange, ret_error);
    return status == OK ? request_builder_make(&builder, ret_request, ret_error) : status;
}
