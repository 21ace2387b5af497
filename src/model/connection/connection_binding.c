#include "model/connection/connection_binding.h"

#include <string.h>

#include "base/json/json_read.h"
#include "model/connection/connection_record.h"
#include "model/secret/digest.h"
#include "model/iclient/iclient_record.h"
#include "model/reply/scope_set.h"
#include "model/template/template.h"
#include "model/rule/uri_origin.h"

enum { PART_MAX = 64 * 1024 };

struct binding_maker {
    const struct connection *connection;
    const struct iclient *iclient;
    const json_t *metadata;
    const json_t *callback;
    bool may_name_reply; /* the template that is being rendered may name metadata and callback */
    bool is_own;         /* a value of the connection or of a reply went in: the binding is not the iClient's */
    bool no_memory;
    char *texts[BINDING_PART_COUNT]; /* NULL: absent */
};

/* ---- templates ---- */

/*
 * The context is where a pointer to the maker stands: a lookup does not change its context, and the maker notes what it
 * saw.
 */
static enum status look_up(const void *context, const char *path, struct text_buffer *value)
{
    struct binding_maker *maker = *(struct binding_maker *const *)context;
    const char *below = template_path_below(path, "iClient");
    if (below)
        return iclient_lookup(maker->iclient, below, value);
    maker->is_own = true;
    below = template_path_below(path, "connection");
    if (below)
        return connection_lookup(maker->connection, below, value);
    if (!maker->may_name_reply)
        return ERR_NOT_FOUND;
    below = template_path_below(path, "callback");
    if (below)
        return json_read_path_as_text(maker->callback, below, value);
    below = template_path_below(path, "metadata");
    return below ? json_read_path_as_text(maker->metadata, below, value) : ERR_NOT_FOUND;
}

/* NULL also when a template has no value now. */
static char *render(struct binding_maker *maker, const char *text, enum template_place place)
{
    AUTO_FINISH(text_buffer) result;
    text_buffer_init(&result, PART_MAX);
    enum status status = template_render(text, place, look_up, &maker, &result, NULL);
    maker->no_memory |= status == ERR_NO_MEMORY;
    return status == OK ? text_buffer_take(&result) : NULL;
}

/* ---- the servers ---- */

/* Scheme and authority alone: the rest decides nothing, and may name what is not known yet. */
static char *render_origin(struct binding_maker *maker, const char *uri)
{
    const char *marks = strstr(uri, "://");
    const char *authority = marks ? marks + strlen("://") : uri;
    AUTO_TEXT text = strndup(uri, (size_t)(authority - uri) + strcspn(authority, "/?#"));
    maker->no_memory |= !text;
    maker->may_name_reply = true;
    AUTO_TEXT rendered = text && template_is_in(text) ? render(maker, text, TEMPLATE_IN_URI) : TAKE(text);
    maker->may_name_reply = false;
    char *origin = NULL;
    enum status status = rendered ? uri_origin(rendered, &origin, NULL) : ERR_NOT_FOUND;
    maker->no_memory |= status == ERR_NO_MEMORY;
    return origin;
}

static void set_origins(struct binding_maker *maker)
{
    const char *token = iclient_text(maker->iclient, ICLIENT_TOKEN_URI);
    const char *refresh = iclient_text(maker->iclient, ICLIENT_REFRESH_URI);
    const char *revoke = iclient_text(maker->iclient, ICLIENT_REVOKE_URI);
    if (!refresh)
        refresh = token;
    if (token)
        maker->texts[BINDING_TOKEN_ORIGIN] = render_origin(maker, token);
    if (refresh)
        maker->texts[BINDING_REFRESH_ORIGIN] = render_origin(maker, refresh);
    if (revoke)
        maker->texts[BINDING_REVOKE_ORIGIN] = render_origin(maker, revoke);
}

/* ---- client and account ---- */

static void set_copy(struct binding_maker *maker, enum binding_part part, const char *text)
{
    if (!text)
        return;
    maker->texts[part] = strdup(text);
    maker->no_memory |= !maker->texts[part];
}

/* An array or an object is taken as its JSON: it is only compared. */
static char *render_json(struct binding_maker *maker, const json_t *value)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, PART_MAX);
    if (json_is_string(value))
        return render(maker, json_string_value(value), TEMPLATE_IN_VALUE);
    return json_read_as_text(value, &text) ? render(maker, text_buffer_text(&text), TEMPLATE_IN_VALUE) : NULL;
}

/* A JWT that was signed elsewhere is its account as a whole: its claims are not read. */
static void set_static_jwt(struct binding_maker *maker, const struct secret *jwt)
{
    const struct digest_part part = {.bytes = secret_reveal(jwt), .length = secret_length(jwt)};
    char digest[DIGEST_HEX_SIZE];
    if (digest_parts(&part, 1, digest))
        set_copy(maker, BINDING_JWT_SUBJECT, digest);
    else
        maker->no_memory = true;
}

/*
 * A token body of the iClient's own is sent as it stands, and so says more truly than the fields whose tokens come
 * back. NULL: there is no such body, it does not have the parameter, or the parameter has no value now.
 */
static char *render_from_own_body(struct binding_maker *maker, const char *name)
{
    const json_t *value = json_object_get(iclient_json(maker->iclient, ICLIENT_TOKEN_BODY), name);
    return value && !json_is_null(value) ? render_json(maker, value) : NULL;
}

static void set_client(struct binding_maker *maker)
{
    maker->texts[BINDING_CLIENT] = render_from_own_body(maker, "client_id");
    if (!maker->texts[BINDING_CLIENT])
        set_copy(maker, BINDING_CLIENT, iclient_client_id(maker->iclient));
}

/*
 * iss, sub and aud as signed. Without a payload the first two are the client id (RFC 7523 §3), and the audience is the
 * token URI, whose origin is a part already and whose path may change.
 */
static void set_claims(struct binding_maker *maker)
{
    const struct secret *jwt = iclient_secret(maker->iclient, ICLIENT_JWT_TOKEN);
    if (jwt) {
        set_static_jwt(maker, jwt);
        return;
    }
    static const struct {
        const char *name;
        enum binding_part part;
        bool is_client_id;
    } claims[] = {
        {"iss", BINDING_JWT_ISSUER, true}, {"sub", BINDING_JWT_SUBJECT, true}, {"aud", BINDING_JWT_AUDIENCE, false}};
    const json_t *payload = iclient_json(maker->iclient, ICLIENT_JWT_PAYLOAD);
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const json_t *value = json_object_get(payload, claims[i].name);
        if (value && !json_is_null(value))
            maker->texts[claims[i].part] = render_json(maker, value);
        else if (!payload && claims[i].is_client_id)
            set_copy(maker, claims[i].part, iclient_client_id(maker->iclient));
    }
}

static void set_username(struct binding_maker *maker)
{
    const struct connection_content *content = maker->connection->content;
    maker->texts[BINDING_USERNAME] = render_from_own_body(maker, "username");
    if (maker->texts[BINDING_USERNAME])
        return;
    maker->is_own |= content && content->username;
    set_copy(maker, BINDING_USERNAME, connection_username(maker->connection));
}

/*
 * enableJWT with clientcredentials and a token body of its own: the body has the JWT, or the document would be refused.
 */
static bool sends_jwt_in_own_body(const struct iclient *iclient)
{
    return iclient_grant(iclient) == GRANT_CLIENT_CREDENTIALS && iclient_flag(iclient, ICLIENT_ENABLE_JWT) &&
           iclient_json(iclient, ICLIENT_TOKEN_BODY);
}

static void set_account(struct binding_maker *maker)
{
    enum grant_type grant = iclient_grant(maker->iclient);
    if (grant == GRANT_PASSWORD)
        set_username(maker);
    else if (grant == GRANT_JWT_BEARER || grant == GRANT_JWT_TOKEN || sends_jwt_in_own_body(maker->iclient))
        set_claims(maker);
}

/* ---- what is asked for ---- */

/* Where the first request of the grant gets a parameter from: the first that has it wins, as in the request itself. */
static const json_t *find_asked(struct binding_maker *maker, const char *name)
{
    bool is_login = iclient_grant(maker->iclient) == GRANT_AUTHORIZATION_CODE;
    const json_t *own = connection_params(maker->connection);
    maker->is_own |= json_object_get(own, name) != NULL;
    const json_t *places[] = {
        own,
        is_login ? iclient_json(maker->iclient, ICLIENT_AUTH_PARAMS) : NULL,
        iclient_json(maker->iclient, ICLIENT_TOKEN_PARAMS),
        iclient_json(maker->iclient, ICLIENT_TOKEN_BODY),
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const json_t *value = json_object_get(places[i], name);
        if (value && !json_is_null(value))
            return value;
    }
    return NULL;
}

static void set_asked(struct binding_maker *maker, enum binding_part part, const char *name)
{
    const json_t *value = find_asked(maker, name);
    if (value)
        maker->texts[part] = render_json(maker, value);
}

static void set_scope(struct binding_maker *maker)
{
    bool is_login = iclient_grant(maker->iclient) == GRANT_AUTHORIZATION_CODE;
    const struct connection_content *content = maker->connection->content;
    maker->is_own |= content && content->scope;
    AUTO_TEXT named = NULL;
    const json_t *value = is_login ? NULL : find_asked(maker, "scope");
    if (value)
        named = render_json(maker, value);
    const char *scope = named ? named : connection_scope(maker->connection);
    if (!scope)
        return;
    AUTO_FINISH(text_buffer) names;
    text_buffer_init(&names, PART_MAX);
    scope_set_append(&names, scope, iclient_text(maker->iclient, ICLIENT_SCOPE_DELIMITER));
    maker->texts[BINDING_SCOPE] = text_buffer_take(&names);
    maker->no_memory |= !maker->texts[BINDING_SCOPE];
}

static void set_audience(struct binding_maker *maker)
{
    const char *own = connection_audience(maker->connection);
    if (!own) {
        set_asked(maker, BINDING_AUDIENCE, "audience");
        return;
    }
    maker->is_own = true;
    set_copy(maker, BINDING_AUDIENCE, own);
}

/* ---- the whole ---- */

static bool has_own_values(const struct connection *connection)
{
    const struct connection_content *content = connection->content;
    return content && (content->username || content->scope || content->audience || content->params);
}

struct token_binding *connection_binding(const struct connection *connection, const json_t *metadata,
                                         const json_t *callback)
{
    /* A cache: what an iClient is to the outside does not change by it. */
    struct iclient *iclient = (struct iclient *)connection->iclient;
    if (iclient->binding && !has_own_values(connection))
        return token_binding_hold(iclient->binding);
    struct binding_maker maker = {
        .connection = connection, .iclient = iclient, .metadata = metadata, .callback = callback};
    set_copy(&maker, BINDING_GRANT, grant_type_name(iclient_grant(iclient)));
    set_client(&maker);
    set_origins(&maker);
    set_account(&maker);
    set_scope(&maker);
    set_audience(&maker);
    set_asked(&maker, BINDING_RESOURCE, "resource");
    struct token_binding *binding = maker.no_memory ? NULL : token_binding_create((const char *const *)maker.texts);
    for (int i = 0; i < BINDING_PART_COUNT; i++)
        free(maker.texts[i]);
    if (!binding || maker.is_own)
        return binding;
    if (!iclient->binding)
        iclient->binding = token_binding_hold(binding);
    token_binding_destroy(binding);
    return token_binding_hold(iclient->binding);
}

const char *connection_refresh_scope(const struct connection *connection, const struct token_binding *binding)
{
    const char *granted = binding ? token_binding_value(binding, BINDING_SCOPE) : NULL;
    const char *scope = connection_scope(connection);
    AUTO_FINISH(text_buffer) names;
    text_buffer_init(&names, PART_MAX);
    if (!granted || !scope ||
        !scope_set_append(&names, scope, iclient_text(connection->iclient, ICLIENT_SCOPE_DELIMITER)))
        return NULL;
    const char *wanted = text_buffer_text(&names);
    return scope_set_contains(granted, wanted) && !scope_set_contains(wanted, granted) ? scope : NULL;
}
