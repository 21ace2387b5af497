#include "protocol/jwt/jwt_assertion.h"

#include <string.h>

#include "base/text/base64.h"
#include "base/json/json_read.h"
#include "base/random.h"
#include "protocol/jwt/jwt_signature.h"
#include "protocol/request/template_json.h"
#include "protocol/reply/token_expiry.h"

enum { LIFETIME_DEFAULT = 300 };

/* What one JWT is made of. */
struct jwt_plan {
    const char *method;
    const struct secret *key;
    const struct secret *passphrase;
    const json_t *header;  /* templates; may be NULL */
    const json_t *payload; /* templates; may be NULL */
};

static const struct iclient *iclient_of(const struct grant_context *context)
{
    return connection_iclient(context->connection);
}

static enum status render(const struct grant_context *context, const json_t *templates, const char *field,
                          json_t **ret_rendered, struct error *ret_error)
{
    enum status status = template_json_render(templates, grant_context_lookup, context, ret_rendered, ret_error);
    if (status != OK && ret_error)
        error_prefix(ret_error, "%s", field);
    return status;
}

/* ---- default claims (RFC 7523 §3) ---- */

static enum status claim_client_id(const struct grant_context *context, json_t **ret_value, struct error *ret_error)
{
    (void)ret_error;
    const char *client_id = iclient_client_id(iclient_of(context));
    *ret_value = client_id ? json_string(client_id) : NULL;
    return OK;
}

static enum status claim_audience(const struct grant_context *context, json_t **ret_value, struct error *ret_error)
{
    const char *uri = iclient_text(iclient_of(context), ICLIENT_TOKEN_URI);
    if (!uri)
        return OK;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TEMPLATE_RESULT_MAX);
    enum status status = template_render(uri, TEMPLATE_IN_URI, grant_context_lookup, context, &text, ret_error);
    if (status != OK)
        return status;
    *ret_value = json_string(text_buffer_text(&text));
    return OK;
}

static enum status claim_issued_at(const struct grant_context *context, json_t **ret_value, struct error *ret_error)
{
    (void)ret_error;
    *ret_value = json_integer(context->now);
    return OK;
}

static enum status claim_expiry(const struct grant_context *context, json_t **ret_value, struct error *ret_error)
{
    (void)ret_error;
    int64_t lifetime = iclient_number(iclient_of(context), ICLIENT_JWT_LIFETIME, LIFETIME_DEFAULT);
    *ret_value = json_integer(token_expiry_after(context->now, lifetime));
    return OK;
}

static enum status claim_id(const struct grant_context *context, json_t **ret_value, struct error *ret_error)
{
    (void)context;
    char text[RANDOM_TOKEN_SIZE];
    enum status status = random_token(text);
    if (status != OK)
        return error_set(ret_error, status, "random jti");
    *ret_value = json_string(text);
    return OK;
}

/* A value left NULL: the claim has no default here. A payload that somebody wrote gets the times alone. */
static const struct {
    const char *name;
    enum status (*make)(const struct grant_context *context, json_t **ret_value, struct error *ret_error);
    bool is_time;
} default_claims[] = {
    {"iss", claim_client_id, false}, {"sub", claim_client_id, false}, {"aud", claim_audience, false},
    {"iat", claim_issued_at, true},  {"exp", claim_expiry, true},     {"jti", claim_id, false},
};

static enum status add_defaults(const struct grant_context *context, bool times_alone, json_t *claims,
                                struct error *ret_error)
{
    for (size_t i = 0; i < sizeof default_claims / sizeof default_claims[0]; i++) {
        if (json_object_get(claims, default_claims[i].name) || (times_alone && !default_claims[i].is_time))
            continue;
        json_t *value = NULL;
        enum status status = default_claims[i].make(context, &value, ret_error);
        if (status != OK)
            return status;
        if (value && json_object_set_new(claims, default_claims[i].name, value) != 0)
            return error_set(ret_error, ERR_NO_MEMORY, "JWT claims");
    }
    return OK;
}

/* A null was there to keep a default away. */
static void drop_nulls(json_t *claims)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe (claims, next, name, value) {
        if (json_is_null(value))
            json_object_del(claims, name);
    }
}

/* RFC 7519 §2: a NumericDate is a number; a template yields text. */
static enum status make_dates_numeric(json_t *claims, struct error *ret_error)
{
    static const char *const dates[] = {"iat", "exp", "nbf"};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        json_t *value = json_object_get(claims, dates[i]);
        int64_t number;
        if (!json_is_string(value) || !json_read_integer(value, &number))
            continue;
        if (json_object_set_new(claims, dates[i], json_integer(number)) != 0)
            return error_set(ret_error, ERR_NO_MEMORY, "JWT claims");
    }
    return OK;
}

static enum status make_claims(const struct grant_context *context, const json_t *templates, json_t **ret_claims,
                               struct error *ret_error)
{
    AUTO_JSON claims = NULL;
    enum status status = OK;
    if (templates)
        status = render(context, templates, "jwt.payload", &claims, ret_error);
    else if (!(claims = json_object()))
        status = error_set(ret_error, ERR_NO_MEMORY, "JWT claims");
    if (status == OK)
        status = add_defaults(context, templates != NULL, claims, ret_error);
    if (status != OK)
        return status;
    drop_nulls(claims);
    status = make_dates_numeric(claims, ret_error);
    if (status == OK)
        *ret_claims = TAKE(claims);
    return status;
}

static enum status create(const struct grant_context *context, const struct jwt_plan *plan, struct secret **ret_token,
                          json_t **ret_claims, struct error *ret_error)
{
    if (!plan->method)
        return error_set(ret_error, ERR_INVALID, "jwt.signatureMethod is missing");
    AUTO_JSON header = NULL;
    AUTO_JSON claims = NULL;
    enum status status = OK;
    if (plan->header)
        status = render(context, plan->header, "jwt.header", &header, ret_error);
    if (status == OK)
        status = make_claims(context, plan->payload, &claims, ret_error);
    if (status == OK)
        status = jwt_sign(plan->method, plan->key, plan->passphrase, header, claims, ret_token, ret_error);
    if (status == OK && ret_claims)
        *ret_claims = TAKE(claims);
    return status;
}

static struct jwt_plan plan_of_jwt_block(const struct iclient *iclient)
{
    return (struct jwt_plan){
        .method = iclient_text(iclient, ICLIENT_JWT_SIGNATURE_METHOD),
        .key = iclient_jwt_key(iclient),
        .passphrase = iclient_secret(iclient, ICLIENT_JWT_PASSPHRASE),
        .header = iclient_json(iclient, ICLIENT_JWT_HEADER),
        .payload = iclient_json(iclient, ICLIENT_JWT_PAYLOAD),
    };
}

/* jwt.token, which somebody else signed; NULL when there is none. */
static struct secret *hold_static_token(const struct iclient *iclient)
{
    const struct secret *token = iclient_secret(iclient, ICLIENT_JWT_TOKEN);
    return token ? secret_hold(token) : NULL;
}

enum status jwt_assertion_create(const struct grant_context *context, struct secret **ret_token,
                                 struct error *ret_error)
{
    struct secret *given = hold_static_token(iclient_of(context));
    if (given) {
        *ret_token = given;
        return OK;
    }
    struct jwt_plan plan = plan_of_jwt_block(iclient_of(context));
    return create(context, &plan, ret_token, NULL, ret_error);
}

/* OpenID Connect Core §9: HS256 unless the iClient names another HS method. */
static void sign_with_client_secret(const struct iclient *iclient, struct jwt_plan *plan)
{
    if (!plan->method || strncmp(plan->method, "HS", 2) != 0)
        plan->method = "HS256";
    plan->key = iclient_client_secret(iclient);
    plan->passphrase = NULL;
}

enum status jwt_assertion_create_client(const struct grant_context *context, struct secret **ret_token,
                                        struct error *ret_error)
{
    const struct iclient *iclient = iclient_of(context);
    const char *use = iclient_text(iclient, ICLIENT_JWT_USE);
    bool is_for_client = use && strcmp(use, "clientAssertion") == 0;
    if (!iclient_client_id(iclient))
        return error_set(ret_error, ERR_INVALID, "oauth2.clientId is missing, a client assertion needs it");
    if (is_for_client && (*ret_token = hold_static_token(iclient)))
        return OK;
    struct jwt_plan plan = plan_of_jwt_block(iclient);
    if (iclient_client_authentication(iclient) == CLIENT_AUTH_SECRET_JWT)
        sign_with_client_secret(iclient, &plan);
    /* Any other payload describes the grant's assertion, whose subject need not be the client. */
    if (!is_for_client)
        plan.payload = NULL;
    return create(context, &plan, ret_token, NULL, ret_error);
}

/* ---- the JWT as the access token ---- */

/* The claims of a JWT that somebody else signed; NULL when they cannot be read, as of one that is encrypted. */
static json_t *read_claims(const struct secret *token)
{
    const char *text = secret_reveal(token);
    const char *payload = strchr(text, '.');
    size_t length = payload ? strcspn(payload + 1, ".") : 0;
    AUTO_FINISH(text_buffer) decoded;
    text_buffer_init(&decoded, SECRET_MAX);
    json_t *claims = NULL;
    if (length > 0 && base64url_decode(payload + 1, length, &decoded) == OK)
        json_read_text(text_buffer_text(&decoded), decoded.length, &claims, NULL);
    return claims;
}

/* Not served when it is over: another one has to be put there. */
static enum status use_static_token(const struct grant_context *context, struct secret **ret_token, json_t **ret_claims,
                                    struct error *ret_error)
{
    AUTO(secret) token = hold_static_token(iclient_of(context));
    AUTO_JSON claims = read_claims(token);
    int64_t expires_at;
    if (json_read_integer(json_object_get(claims, "exp"), &expires_at) && expires_at <= context->now)
        return error_set(ret_error, ERR_INVALID, "jwt.token is over since its exp: put a new one there");
    *ret_token = TAKE(token);
    *ret_claims = TAKE(claims);
    return OK;
}

enum status jwt_assertion_create_token(const struct grant_context *context, struct token_set **ret_tokens,
                                       struct error *ret_error)
{
    const struct iclient *iclient = iclient_of(context);
    struct jwt_plan plan = plan_of_jwt_block(iclient);
    AUTO(secret) token = NULL;
    AUTO_JSON claims = NULL;
    enum status status = iclient_secret(iclient, ICLIENT_JWT_TOKEN)
                             ? use_static_token(context, &token, &claims, ret_error)
                             : create(context, &plan, &token, &claims, ret_error);
    if (status != OK)
        return status;
    AUTO(token_set) tokens = token_set_create();
    if (!tokens)
        return error_set(ret_error, ERR_NO_MEMORY, "token set");
    tokens->access_token = TAKE(token);
    tokens->obtained_at = context->now;
    int64_t expires_at;
    if (json_read_integer(json_object_get(claims, "exp"), &expires_at))
        tokens->expires_at = token_expiry_clamp(context->now, expires_at);
    else
        tokens->expires_at = token_expiry_default(iclient, context->now);
    *ret_tokens = TAKE(tokens);
    return OK;
}
