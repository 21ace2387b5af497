#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "model/iclient/field_rule.h"
#include "model/iclient/iclient_record.h"
#include "model/catalog/tenant.h"
#include "model/template/wire_text.h"

enum { SCOPE_TEXT_MAX = 64 * 1024 };

static bool is(const struct iclient *iclient, enum iclient_field field, const char *text)
{
    const struct field_view view = iclient_view(iclient);
    return field_view_is(&view, field, text);
}

static bool is_own(const struct iclient *iclient, enum iclient_field field)
{
    return field_set_has(&iclient->fields, field);
}

/*
 * enableJWT with clientcredentials: a token.body that uses {{{iClient.jwt.token}}} is sent as it is; without a body it
 * means the JWT grant, unless the JWT is there to authenticate the client (docs/CONFIGURATION.md, JWT).
 */
static bool means_jwt_grant(const struct iclient *iclient)
{
    if (!iclient_flag(iclient, ICLIENT_ENABLE_JWT) || iclient_json(iclient, ICLIENT_TOKEN_BODY))
        return false;
    return is(iclient, ICLIENT_JWT_USE, "assertion") && !is(iclient, ICLIENT_TOKEN_AUTH_METHOD, "private_key_jwt") &&
           !is(iclient, ICLIENT_TOKEN_AUTH_METHOD, "client_secret_jwt");
}

static enum grant_type derive_grant(const struct iclient *iclient)
{
    if (is(iclient, ICLIENT_JWT_USE, "accessToken"))
        return GRANT_JWT_TOKEN;
    if (is(iclient, ICLIENT_GRANT_TYPE, "authorizecode"))
        return GRANT_AUTHORIZATION_CODE;
    if (is(iclient, ICLIENT_GRANT_TYPE, "password"))
        return GRANT_PASSWORD;
    if (is(iclient, ICLIENT_GRANT_TYPE, "jwtbearer"))
        return GRANT_JWT_BEARER;
    if (is(iclient, ICLIENT_GRANT_TYPE, "clientcredentials"))
        return means_jwt_grant(iclient) ? GRANT_JWT_BEARER : GRANT_CLIENT_CREDENTIALS;
    return GRANT_NONE;
}

static const struct {
    const char *name;
    enum client_authentication authentication;
} methods[] = {
    {"basicauthheader", CLIENT_AUTH_BASIC},
    {"body", CLIENT_AUTH_BODY},
    {"none", CLIENT_AUTH_NONE},
    {"client_secret_jwt", CLIENT_AUTH_SECRET_JWT},
    {"private_key_jwt", CLIENT_AUTH_PRIVATE_KEY_JWT},
};

static enum client_authentication named_method(const char *name)
{
    for (size_t i = 0; name && i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].authentication;
    return CLIENT_AUTH_BASIC;
}

/* It authenticates in a way of its own, or the grant needs no client (RFC 7523 §3.1 leaves it open). */
static bool needs_no_secret(const struct iclient *iclient)
{
    return iclient->grant == GRANT_JWT_BEARER || iclient->grant == GRANT_JWT_TOKEN ||
           iclient_json(iclient, ICLIENT_TOKEN_BODY) ||
           headers_find(iclient_json(iclient, ICLIENT_TOKEN_HEADERS), "Authorization");
}

/* What the document says goes before what its preset says. */
static enum client_authentication derive_authentication(const struct iclient *iclient)
{
    const char *method = iclient_text(iclient, ICLIENT_TOKEN_AUTH_METHOD);
    const char *location = iclient_text(iclient, ICLIENT_CLIENT_CREDENTIALS_LOCATION);
    if (method && is_own(iclient, ICLIENT_TOKEN_AUTH_METHOD))
        return named_method(method);
    if (is(iclient, ICLIENT_JWT_USE, "clientAssertion")) {
        const char *signature = iclient_text(iclient, ICLIENT_JWT_SIGNATURE_METHOD);
        return signature && strncmp(signature, "HS", 2) == 0 ? CLIENT_AUTH_SECRET_JWT : CLIENT_AUTH_PRIVATE_KEY_JWT;
    }
    if (is(iclient, ICLIENT_TYPE, "public"))
        return CLIENT_AUTH_NONE;
    if (method && !is_own(iclient, ICLIENT_CLIENT_CREDENTIALS_LOCATION))
        return named_method(method);
    if (iclient_client_secret_field(iclient) == ICLIENT_FIELD_COUNT && needs_no_secret(iclient))
        return CLIENT_AUTH_NONE;
    return named_method(location);
}

static enum pkce_method derive_pkce(const struct iclient *iclient)
{
    if (is(iclient, ICLIENT_PKCE, "plain"))
        return PKCE_PLAIN;
    return is(iclient, ICLIENT_PKCE, "s256") ? PKCE_S256 : PKCE_NONE;
}

char *iclient_join_scopes(const json_t *scopes, const char *delimiter)
{
    AUTO_FINISH(text_buffer) joined;
    text_buffer_init(&joined, SCOPE_TEXT_MAX);
    for (size_t i = 0; i < json_array_size(scopes); i++) {
        if (i > 0)
            text_buffer_append_text(&joined, delimiter ? delimiter : " ");
        text_buffer_append_text(&joined, json_string_value(json_array_get(scopes, i)));
    }
    return text_buffer_take(&joined);
}

static void append_lower(struct text_buffer *buffer, const char *text)
{
    for (; text && *text; text++) {
        char lower = (char)tolower((unsigned char)*text);
        text_buffer_append(buffer, &lower, 1);
    }
}

/* Derived ids survive a restart; names are unique ignoring case, so case does not count here either. */
static bool derive_id(struct iclient *iclient)
{
    AUTO_FINISH(text_buffer) id;
    text_buffer_init(&id, 4 * FIELD_TEXT_MAX);
    const char *own = json_string_value(field_set_get(&iclient->fields, ICLIENT_ID));
    if (own) {
        append_lower(&id, own);
        if (id.failed || id.length != ICLIENT_ID_SIZE - 1)
            return false;
        memcpy(iclient->id, id.data, ICLIENT_ID_SIZE - 1);
        return true;
    }
    append_lower(&id, iclient_tenant(iclient));
    text_buffer_append(&id, "", 1);
    append_lower(&id, iclient_name(iclient));
    text_buffer_append(&id, "", 1);
    append_lower(&id, iclient_text(iclient, ICLIENT_VERSION));
    const struct digest_part part = {.bytes = text_buffer_text(&id), .length = id.length};
    char hex[DIGEST_HEX_SIZE];
    if (id.failed || !digest_parts(&part, 1, hex))
        return false;
    memcpy(iclient->id, hex, ICLIENT_ID_SIZE - 1);
    return true;
}

/*
 * One for each iClient, so that a server's answer arrives where only that server's are taken (RFC 9700 §4.4.2). Names
 * need no encoding, and no two of them differ in case alone. Versions of a name share it: a new version is no reason to
 * register again.
 */
static char *make_redirect_uri(const struct iclient *iclient, const char *base)
{
    const char *tenant = iclient_tenant(iclient);
    const bool is_default = tenant && tenant_is_default(tenant);
    char *uri;
    const int length = asprintf(&uri, "%s/%s%s%s", base, is_default || !tenant ? "" : tenant,
                                is_default || !tenant ? "" : "/", iclient_name(iclient) ? iclient_name(iclient) : "");
    return length < 0 ? NULL : uri;
}

bool iclient_derive(struct iclient *iclient, const struct iclient_options *options)
{
    iclient->grant = derive_grant(iclient);
    iclient->client_authentication = derive_authentication(iclient);
    iclient->pkce = derive_pkce(iclient);
    const json_t *scopes = iclient_json(iclient, ICLIENT_SCOPE);
    if (json_array_size(scopes) > 0 &&
        !(iclient->scope = iclient_join_scopes(scopes, iclient_text(iclient, ICLIENT_SCOPE_DELIMITER))))
        return false;
    if (iclient->grant == GRANT_AUTHORIZATION_CODE && options && options->default_redirect_uri &&
        !(iclient->default_redirect_uri = make_redirect_uri(iclient, options->default_redirect_uri)))
        return false;
    return derive_id(iclient);
}
