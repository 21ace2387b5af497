#include "protocol/request/client_authentication.h"

#include <string.h>

#include "base/text/base64.h"
#include "protocol/jwt/jwt_assertion.h"

#define ASSERTION_TYPE_JWT "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

enum { CREDENTIALS_MAX = 64 * 1024 };

static bool append_plain(struct text_buffer *buffer, const char *bytes, size_t length)
{
    return text_buffer_append(buffer, bytes, length);
}

/*
 * RFC 6749 §2.3.1: id and secret are form-encoded first, then joined, then Base64. Many servers never decode the two;
 * for these clientCredentialsEncoding is "none".
 */
static enum status make_basic(struct request_builder *builder, const char *client_id, struct error *ret_error)
{
    const char *encoding = iclient_text(builder->iclient, ICLIENT_CLIENT_CREDENTIALS_ENCODING);
    bool is_plain = encoding && strcmp(encoding, "none") == 0;
    bool (*append)(struct text_buffer *, const char *, size_t) = is_plain ? append_plain : text_buffer_append_form;
    /* RFC 7617 §2: the first colon ends the id. */
    if (is_plain && strchr(client_id, ':'))
        return error_set(ret_error, ERR_INVALID, "a client id with a colon needs clientCredentialsEncoding \"form\"");
    AUTO_FINISH(text_buffer) pair;
    text_buffer_init(&pair, CREDENTIALS_MAX);
    append(&pair, client_id, strlen(client_id));
    text_buffer_append_text(&pair, ":");
    const struct secret *secret = iclient_client_secret(builder->iclient);
    if (secret)
        append(&pair, secret_reveal(secret), secret_length(secret));

    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 2 * CREDENTIALS_MAX);
    text_buffer_append_text(&value, "Basic ");
    base64_append(&value, text_buffer_text(&pair), pair.length);
    if (pair.failed)
        return error_set(ret_error, ERR_TOO_LARGE, "client id and secret are too long");
    builder->authorization = text_buffer_take_secret(&value);
    return builder->authorization ? OK : error_set(ret_error, ERR_NO_MEMORY, "Authorization header");
}

static enum status add_to_body(struct request_builder *builder, const char *client_id, bool with_secret,
                               struct error *ret_error)
{
    if (builder->own_body)
        return OK;
    enum status status = request_builder_set(builder, "client_id", client_id, ret_error);
    if (status == OK && with_secret)
        status =
            request_builder_set_secret(builder, "client_secret", iclient_client_secret(builder->iclient), ret_error);
    return status;
}

static enum status add_assertion(struct request_builder *builder, const char *client_id, struct error *ret_error)
{
    AUTO(secret) assertion = NULL;
    enum status status = jwt_assertion_create_client(builder->context, &assertion, ret_error);
    if (status == OK)
        status = request_builder_set(builder, "client_assertion_type", ASSERTION_TYPE_JWT, ret_error);
    if (status == OK)
        status = request_builder_set_secret(builder, "client_assertion", assertion, ret_error);
    /* RFC 7521 §4.2 makes it optional; some servers look the client up by it before they read the assertion. */
    if (status == OK && !json_object_get(builder->parameters, "client_id"))
        status = request_builder_set(builder, "client_id", client_id, ret_error);
    return status;
}

static enum status add_basic(struct request_builder *builder, const char *client_id, bool optional,
                             struct error *ret_error)
{
    if (optional && !iclient_client_secret(builder->iclient))
        return OK;
    return make_basic(builder, client_id, ret_error);
}

/* A body of the iClient's own may say who sends it: RFC 6749 §2.3 forbids a second method in the same request. */
static bool body_authenticates(const struct request_builder *builder)
{
    return json_object_get(builder->parameters, "client_secret") ||
           json_object_get(builder->parameters, "client_assertion");
}

enum status client_authentication_add(struct request_builder *builder, bool optional, struct error *ret_error)
{
    const char *client_id = iclient_client_id(builder->iclient);
    enum client_authentication method = iclient_client_authentication(builder->iclient);
    bool has_own = builder->own_body || request_builder_has_header(builder, "Authorization");
    if (!client_id)
        return optional || has_own ? OK : error_set(ret_error, ERR_INVALID, "oauth2.clientId is missing");
    if (body_authenticates(builder))
        return OK;
    switch (method) {
    case CLIENT_AUTH_BASIC:
        return add_basic(builder, client_id, optional, ret_error);
    case CLIENT_AUTH_BODY:
        return add_to_body(builder, client_id, true, ret_error);
    case CLIENT_AUTH_NONE:
        return add_to_body(builder, client_id, false, ret_error);
    case CLIENT_AUTH_SECRET_JWT:
    case CLIENT_AUTH_PRIVATE_KEY_JWT:
        break;
    }
    return add_assertion(builder, client_id, ret_error);
}
