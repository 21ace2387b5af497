#include "protocol/request/request_values.h"

#include <string.h>

#include "protocol/jwt/jwt_assertion.h"

static enum status look_up_jwt(const struct grant_context *context, struct text_buffer *value)
{
    AUTO(secret) token = NULL;
    enum status status = jwt_assertion_create(context, &token, NULL);
    if (status != OK)
        return status;
    return text_buffer_append(value, secret_reveal(token), secret_length(token)) ? OK : ERR_TOO_LARGE;
}

enum status request_values_lookup(const void *context, const char *path, struct text_buffer *value)
{
    if (strcmp(path, "iClient.jwt.token") == 0)
        return look_up_jwt(context, value);
    return grant_context_lookup(context, path, value);
}
