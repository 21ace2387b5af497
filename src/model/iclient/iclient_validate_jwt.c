#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/iclient/iclient_record.h"

/* The "jwt" block: who needs it, whether it is whole, and whether its parts agree. */
struct jwt_validation {
    const struct iclient *iclient;
    struct field_view view;
    struct document_faults *faults;
    const char *method; /* signatureMethod; NULL: none, or with a fault */
    bool symmetric;     /* HS256 and the like */
    bool makes_token;   /* a grant or a template makes it: it needs method and key */
    bool enabled;
};

static const char *pointer_of(enum iclient_field field)
{
    return iclient_field_row(field)->pointer;
}

static bool is_own(const struct jwt_validation *jwt, enum iclient_field field)
{
    return field_view_is_own(&jwt->view, field);
}

static void contradiction(const struct jwt_validation *jwt, enum iclient_field field, const char *text)
{
    document_fault(jwt->faults, pointer_of(field), NULL, "%s", text);
}

/* enableJWT said false, in so many words, to a configuration that cannot do without. */
static void check_enabled(const struct jwt_validation *jwt, bool template_uses_token)
{
    const json_t *flag = field_set_get(jwt->view.own, ICLIENT_ENABLE_JWT);
    if (!json_is_false(flag))
        return;
    if (jwt->iclient->grant == GRANT_JWT_BEARER)
        contradiction(jwt, ICLIENT_ENABLE_JWT, "false contradicts the JWT grant");
    else if (jwt->iclient->grant == GRANT_JWT_TOKEN)
        contradiction(jwt, ICLIENT_ENABLE_JWT, "false contradicts jwt.use \"accessToken\"");
    else if (template_uses_token)
        contradiction(jwt, ICLIENT_ENABLE_JWT, "false contradicts the template {{{iClient.jwt.token}}}");
}

static void check_unused(const struct jwt_validation *jwt)
{
    const json_t *own = json_object_get(jwt->iclient->fields.document, "jwt");
    const bool authenticates = jwt->iclient->client_authentication == CLIENT_AUTH_PRIVATE_KEY_JWT ||
                               jwt->iclient->client_authentication == CLIENT_AUTH_SECRET_JWT;
    if (jwt->makes_token || authenticates)
        return;
    if (jwt->enabled && iclient_json(jwt->iclient, ICLIENT_TOKEN_BODY))
        document_fault(jwt->faults, pointer_of(ICLIENT_TOKEN_BODY),
                       "put {{{iClient.jwt.token}}} where the provider wants it",
                       "does not use the JWT that enableJWT makes");
    else if (jwt->enabled)
        document_warning(jwt->faults, pointer_of(ICLIENT_ENABLE_JWT), NULL, "has no effect: nothing uses the JWT");
    else if (json_object_size(own) > 0)
        document_warning(jwt->faults, "/jwt", NULL, "has no effect: nothing uses the JWT");
}

static void check_key_fields(const struct jwt_validation *jwt)
{
    const bool secret = is_own(jwt, ICLIENT_JWT_SECRET);
    const bool private_key = is_own(jwt, ICLIENT_JWT_PRIVATE_KEY);
    if (secret && private_key)
        contradiction(jwt, jwt->symmetric ? ICLIENT_JWT_PRIVATE_KEY : ICLIENT_JWT_SECRET,
                      "jwt.secret and jwt.privateKey exclude one another: one method has one key");
    else if (secret && jwt->method && !jwt->symmetric)
        contradiction(jwt, ICLIENT_JWT_SECRET,
                      "is for HS256, HS384 and HS512: this signatureMethod needs jwt.privateKey");
    else if (private_key && jwt->symmetric)
        contradiction(jwt, ICLIENT_JWT_PRIVATE_KEY, "does not fit an HS method, which needs jwt.secret");
    if (is_own(jwt, ICLIENT_JWT_PASSPHRASE) && !private_key && !is_own(jwt, ICLIENT_SALESFORCE_PRIVATE_KEY))
        contradiction(jwt, ICLIENT_JWT_PASSPHRASE, "a passphrase without a private key");
    const char *algorithm = json_string_value(json_object_get(field_set_get(jwt->view.own, ICLIENT_JWT_HEADER), "alg"));
    if (algorithm && jwt->method && strcmp(algorithm, jwt->method) != 0)
        document_fault(jwt->faults, "/jwt/header/alg", "leave it out", "contradicts jwt.signatureMethod");
    if (json_integer_value(field_set_get(jwt->view.own, ICLIENT_JWT_LIFETIME)) == 0 &&
        is_own(jwt, ICLIENT_JWT_LIFETIME))
        contradiction(jwt, ICLIENT_JWT_LIFETIME, "must be at least 1 second");
}

/* RFC 7518 §3.2 wants as many bits as the method's hash has; but it is the provider who gives the secret. */
static void warn_of_short_secret(const struct jwt_validation *jwt, const char *method, enum iclient_field field,
                                 const struct secret *key)
{
    static const char symmetric[] = "HS";
    const size_t prefix = sizeof symmetric - 1;
    if (strncmp(method, symmetric, prefix) != 0)
        return;
    const size_t wanted = strtoul(method + prefix, NULL, 10) / 8;
    const size_t length = secret_length(key);
    if (length > 0 && length < wanted)
        document_warning(jwt->faults, pointer_of(field), NULL,
                         "is short for %s: %zu bytes where %zu are advised (RFC 7518)", method, length, wanted);
}

static void check_key(const struct jwt_validation *jwt, const struct iclient_options *options, const char *method,
                      enum iclient_field field)
{
    const bool is_jwt_key = field == iclient_jwt_key_field(jwt->iclient);
    const struct secret *key = is_jwt_key ? iclient_jwt_key(jwt->iclient) : iclient_secret(jwt->iclient, field);
    if (!options || !options->check_jwt_key || !key || !method)
        return;
    struct error error = {0};
    const struct secret *passphrase = iclient_secret(jwt->iclient, ICLIENT_JWT_PASSPHRASE);
    enum status status = options->check_jwt_key(method, key, passphrase, &error);
    if (document_check(jwt->faults, pointer_of(field), status, &error))
        warn_of_short_secret(jwt, method, field, key);
}

/* The token that is made from the block: by a grant, for a template, or as private_key_jwt. */
static void check_signature(const struct jwt_validation *jwt, const struct iclient_options *options)
{
    if (is_own(jwt, ICLIENT_JWT_TOKEN))
        return;
    if (field_view_lacks(&jwt->view, ICLIENT_JWT_SIGNATURE_METHOD))
        document_fault(jwt->faults, pointer_of(ICLIENT_JWT_SIGNATURE_METHOD), NULL, "is required to make the JWT");
    const enum iclient_field key = iclient_jwt_key_field(jwt->iclient);
    if (key != ICLIENT_FIELD_COUNT) {
        check_key(jwt, options, jwt->method, key);
        return;
    }
    const bool wrong_kind = is_own(jwt, ICLIENT_JWT_SECRET) || is_own(jwt, ICLIENT_JWT_PRIVATE_KEY);
    if (jwt->method && !wrong_kind)
        document_fault(jwt->faults, pointer_of(jwt->symmetric ? ICLIENT_JWT_SECRET : ICLIENT_JWT_PRIVATE_KEY), NULL,
                       "is required to sign with %s", jwt->method);
}

/* It goes into headers, as it is. */
static bool is_token_text(const struct secret *token)
{
    const char *text = secret_reveal(token);
    for (size_t i = 0; i < secret_length(token); i++)
        if (text[i] < '!' || text[i] > '~')
            return false;
    return true;
}

/* jwt.token stands for all that would make one. */
static void check_static_token(const struct jwt_validation *jwt)
{
    static const enum iclient_field makers[] = {ICLIENT_JWT_SIGNATURE_METHOD, ICLIENT_JWT_SECRET,
                                                ICLIENT_JWT_PRIVATE_KEY,      ICLIENT_JWT_HEADER,
                                                ICLIENT_JWT_PAYLOAD,          ICLIENT_JWT_LIFETIME};
    if (!is_own(jwt, ICLIENT_JWT_TOKEN))
        return;
    const struct secret *token = iclient_secret(jwt->iclient, ICLIENT_JWT_TOKEN);
    if (token && !is_token_text(token))
        contradiction(jwt, ICLIENT_JWT_TOKEN, "has characters in it that no JWT has");
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        if (is_own(jwt, makers[i]))
            document_warning(jwt->faults, pointer_of(makers[i]), NULL,
                             "has no effect beside jwt.token, which is used as it is");
}

/*
 * RFC 7523 §3 wants iss and aud in every assertion. A payload of one's own is sent as it is written, and some providers
 * do without; so these are warnings.
 */
static void check_payload(const struct jwt_validation *jwt)
{
    static const char *const wanted[] = {"iss", "aud"};
    const json_t *payload = field_set_get(jwt->view.own, ICLIENT_JWT_PAYLOAD);
    const bool is_assertion = !field_view_is(&jwt->view, ICLIENT_JWT_USE, "accessToken");
    for (size_t i = 0; payload && is_assertion && i < sizeof wanted / sizeof wanted[0]; i++)
        if (!json_object_get(payload, wanted[i]))
            document_warning(jwt->faults, pointer_of(ICLIENT_JWT_PAYLOAD),
                             "write null for it to say that there is none",
                             "has no %s: only iat and exp are added to a payload", wanted[i]);
}

static void check_encoding(const struct jwt_validation *jwt)
{
    if (iclient_flag(jwt->iclient, ICLIENT_JWT_SECRET_IS_BASE64) && !is_own(jwt, ICLIENT_JWT_SECRET))
        document_warning(jwt->faults, pointer_of(ICLIENT_JWT_SECRET_IS_BASE64), NULL,
                         "has no effect: there is no jwt.secret");
}

/* client_secret_jwt signs with the client secret, HS256 unless another HS method is given (OpenID Connect Core §9). */
static void check_client_secret_jwt(const struct jwt_validation *jwt, const struct iclient_options *options)
{
    if (jwt->method && !jwt->symmetric)
        contradiction(jwt, ICLIENT_JWT_SIGNATURE_METHOD, "client_secret_jwt needs HS256, HS384 or HS512");
    if (is_own(jwt, ICLIENT_JWT_SECRET) && !jwt->makes_token)
        contradiction(jwt, ICLIENT_JWT_SECRET, "is not used: client_secret_jwt signs with oauth2.clientSecret");
    const enum iclient_field secret = iclient_client_secret_field(jwt->iclient);
    if (secret != ICLIENT_FIELD_COUNT && (!jwt->method || jwt->symmetric))
        check_key(jwt, options, jwt->method ? jwt->method : "HS256", secret);
}

void iclient_validate_jwt(const struct iclient *iclient, bool template_uses_token,
                          const struct iclient_options *options, struct document_faults *faults)
{
    struct jwt_validation jwt = {.iclient = iclient, .view = iclient_view(iclient), .faults = faults};
    jwt.method = iclient_text(iclient, ICLIENT_JWT_SIGNATURE_METHOD);
    jwt.symmetric = jwt.method && strncmp(jwt.method, "HS", 2) == 0;
    jwt.enabled = iclient_flag(iclient, ICLIENT_ENABLE_JWT);
    jwt.makes_token = iclient->grant == GRANT_JWT_BEARER || iclient->grant == GRANT_JWT_TOKEN || template_uses_token;
    const bool signs_as_client = iclient->client_authentication == CLIENT_AUTH_PRIVATE_KEY_JWT;
    check_enabled(&jwt, template_uses_token);
    check_key_fields(&jwt);
    check_static_token(&jwt);
    check_encoding(&jwt);
    if (jwt.makes_token || signs_as_client)
        check_payload(&jwt);
    check_unused(&jwt);
    if (jwt.makes_token || signs_as_client)
        check_signature(&jwt, options);
    if (signs_as_client && jwt.symmetric)
        contradiction(&jwt, ICLIENT_JWT_SIGNATURE_METHOD, "private_key_jwt needs an RS, PS, ES method or EdDSA");
    if (iclient->client_authentication == CLIENT_AUTH_SECRET_JWT)
        check_client_secret_jwt(&jwt, options);
}
