#include "protocol/request/revoke_request.h"

#include <string.h>

#include "model/template/template.h"
#include "protocol/request/client_authentication.h"
#include "protocol/request/request_builder.h"

static const struct request_fields revoke_fields = {"revoke", ICLIENT_REVOKE_URI, ICLIENT_REVOKE_METHOD,
                                                    ICLIENT_REVOKE_BODY, ICLIENT_REVOKE_HEADERS};

/* ERR_CONFLICT stops the walk: found. */
static enum status stop_at_token(void *context, const char *path, struct error *ret_error)
{
    (void)context;
    (void)ret_error;
    static const char *const names[] = {"token", "refreshToken", "accessToken"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], path) == 0)
            return ERR_CONFLICT;
    }
    return OK;
}

/* DELETE https://host/refresh-tokens/{{token}} has said it all; the token must not go out a second time. */
static bool uri_names_token(const struct request_builder *builder)
{
    return template_walk(builder->uri, stop_at_token, NULL, NULL) == ERR_CONFLICT;
}

static enum status set_defaults(struct request_builder *builder, struct error *ret_error)
{
    if (builder->own_body || uri_names_token(builder))
        return OK;
    enum status status = request_builder_set_secret(builder, "token", builder->context->token, ret_error);
    if (status == OK)
        status = request_builder_set(builder, "token_type_hint", builder->context->token_type_hint, ret_error);
    return status;
}

enum status revoke_request_create(const struct grant_context *context, struct http_request **ret_request,
                                  struct error *ret_error)
{
    if (!iclient_text(connection_iclient(context->connection), ICLIENT_REVOKE_URI))
        return error_set(ret_error, ERR_UNSUPPORTED, "this provider has no revoke URI");
    if (!context->token)
        return error_set(ret_error, ERR_INVALID, "there is no token to revoke");
    AUTO_FINISH(request_builder) builder;
    enum status status = request_builder_init(&builder, context, &revoke_fields, ICLIENT_REVOKE_URI, ret_error);
    if (status == OK)
        status = set_defaults(&builder, ret_error);
    if (status == OK)
        status = client_authentication_add(&builder, true, ret_error);
    return status == OK ? request_builder_make(&builder, ret_request, ret_error) : status;
}
