#include "model/iclient/iclient.h"

#include <string.h>
#include <strings.h>

#include "base/json/json_read.h"
#include "model/iclient/iclient_record.h"
#include "model/iclient/provider_preset_fields.h"
#include "model/template/template.h"

struct field_view iclient_view(const struct iclient *iclient)
{
    return (struct field_view){.own = &iclient->fields, .preset = iclient->preset};
}

struct iclient *iclient_hold(const struct iclient *iclient)
{
    struct iclient *held = (struct iclient *)iclient;
    if (held)
        held->holds++;
    return held;
}

void iclient_destroy(struct iclient *iclient)
{
    if (!iclient || (iclient->holds > 0 && --iclient->holds > 0))
        return;
    for (size_t i = 0; i < iclient->connection_path_count; i++)
        free(iclient->connection_paths[i]);
    free(iclient->connection_paths);
    failure_rules_destroy(iclient->api_failures);
    failure_rules_destroy(iclient->token_failures);
    secret_destroy(iclient->jwt_key);
    url_policy_destroy(iclient->url_policy);
    token_binding_destroy(iclient->binding);
    free(iclient->digest);
    free(iclient->default_redirect_uri);
    free(iclient->scope);
    field_set_finish(&iclient->fields);
    free(iclient->file);
    provider_preset_destroy(iclient->preset);
    free(iclient);
}

/* ---- fields ---- */

const json_t *iclient_json(const struct iclient *iclient, enum iclient_field field)
{
    const struct field_view view = iclient_view(iclient);
    return field_view_get(&view, field);
}

const char *iclient_text(const struct iclient *iclient, enum iclient_field field)
{
    return json_string_value(iclient_json(iclient, field));
}

const struct reply_path *iclient_reply_path(const struct iclient *iclient, enum iclient_field field, size_t index)
{
    if (!iclient->preset || field_set_has(&iclient->fields, field))
        return field_set_path(&iclient->fields, field, index);
    return provider_preset_path(iclient->preset, field, index);
}

int64_t iclient_number(const struct iclient *iclient, enum iclient_field field, int64_t fallback)
{
    const json_t *value = iclient_json(iclient, field);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool iclient_flag(const struct iclient *iclient, enum iclient_field field)
{
    return json_is_true(iclient_json(iclient, field));
}

const struct secret *iclient_secret(const struct iclient *iclient, enum iclient_field field)
{
    return field_set_secret(&iclient->fields, field);
}

json_t *iclient_body(const struct iclient *iclient, enum iclient_field field)
{
    return json_deep_copy(iclient_json(iclient, field));
}

json_t *iclient_headers(const struct iclient *iclient, enum iclient_field field)
{
    return json_deep_copy(iclient_json(iclient, field));
}

/* ---- templates ---- */

static bool has_text(const char *text, struct iclient_path_value *ret_value)
{
    ret_value->text = text;
    return text != NULL;
}

static bool has_secret(const struct iclient *iclient, enum iclient_field field, struct iclient_path_value *ret_value)
{
    if (field == ICLIENT_FIELD_COUNT || !field_set_has(&iclient->fields, field))
        return false;
    ret_value->secret = iclient_secret(iclient, field);
    return true;
}

/* What a field gives as a whole, where that is not simply its JSON value. */
static bool find_whole(const struct iclient *iclient, enum iclient_field field, struct iclient_path_value *ret_value)
{
    switch (field) {
    case ICLIENT_ID:
        return has_text(iclient_id(iclient), ret_value);
    case ICLIENT_CLIENT_ID:
        return has_text(iclient_client_id(iclient), ret_value);
    case ICLIENT_SCOPE:
        return has_text(iclient->scope, ret_value);
    case ICLIENT_CLIENT_SECRET:
        return has_secret(iclient, iclient_client_secret_field(iclient), ret_value);
    default:
        break;
    }
    if (iclient_field_row(field)->kind == FIELD_SECRET)
        return has_secret(iclient, field, ret_value);
    ret_value->json = iclient_json(iclient, field);
    return ret_value->json && !json_is_null(ret_value->json);
}

static bool find_path(const struct iclient *iclient, const char *path, struct iclient_path_value *ret_value)
{
    const char *rest;
    enum iclient_field field = iclient_field_find_path(path, &rest);
    if (field == ICLIENT_FIELD_COUNT)
        return false;
    if (iclient_field_row(field)->kind == FIELD_SECRET_OBJECT)
        return secret_object_find(iclient->fields.encrypted, rest, &ret_value->secret);
    if (*rest == '\0')
        return find_whole(iclient, field, ret_value);
    if (iclient_field_row(field)->kind == FIELD_SECRET)
        return false;
    ret_value->json = json_read_path(iclient_json(iclient, field), rest);
    return ret_value->json && !json_is_null(ret_value->json);
}

bool iclient_find_path(const struct iclient *iclient, const char *path, struct iclient_path_value *ret_value)
{
    *ret_value = (struct iclient_path_value){0};
    if (find_path(iclient, path, ret_value))
        return true;
    char below[TEMPLATE_PATH_MAX + sizeof "oauth2."];
    *ret_value = (struct iclient_path_value){0};
    snprintf(below, sizeof below, "oauth2.%s", path);
    return find_path(iclient, below, ret_value);
}

enum status iclient_lookup(const struct iclient *iclient, const char *path, struct text_buffer *value)
{
    struct iclient_path_value found;
    if (!iclient_find_path(iclient, path, &found))
        return ERR_NOT_FOUND;
    bool appended = false;
    if (found.text)
        appended = text_buffer_append_text(value, found.text);
    else if (found.secret)
        appended = text_buffer_append(value, secret_reveal(found.secret), secret_length(found.secret));
    else if (found.json)
        appended = json_read_as_text(found.json, value);
    else
        return ERR_NOT_FOUND;
    return appended ? OK : ERR_TOO_LARGE;
}

/* ---- what follows from the fields ---- */

const char *iclient_name(const struct iclient *iclient)
{
    return iclient_text(iclient, ICLIENT_NAME);
}

const char *iclient_tenant(const struct iclient *iclient)
{
    return iclient_text(iclient, ICLIENT_TENANT);
}

const char *iclient_id(const struct iclient *iclient)
{
    return iclient->id;
}

const char *iclient_file(const struct iclient *iclient)
{
    return iclient->file;
}

enum grant_type iclient_grant(const struct iclient *iclient)
{
    return iclient->grant;
}

const char *grant_type_name(enum grant_type grant)
{
    static const char *const names[] = {
        [GRANT_NONE] = NULL,
        [GRANT_AUTHORIZATION_CODE] = "authorizecode",
        [GRANT_PASSWORD] = "password",
        [GRANT_CLIENT_CREDENTIALS] = "clientcredentials",
        [GRANT_JWT_BEARER] = "jwtbearer",
        [GRANT_JWT_TOKEN] = "jwttoken",
    };
    return names[grant];
}

const char *iclient_no_grant_reason(const struct iclient *iclient)
{
    return iclient->grant == GRANT_NONE ? provider_preset_no_grant(iclient->preset) : NULL;
}

enum client_authentication iclient_client_authentication(const struct iclient *iclient)
{
    return iclient->client_authentication;
}

enum pkce_method iclient_pkce(const struct iclient *iclient)
{
    return iclient->pkce;
}

const char *iclient_scope(const struct iclient *iclient)
{
    return iclient->scope;
}

const char *iclient_client_id(const struct iclient *iclient)
{
    static const enum iclient_field fields[] = {ICLIENT_CLIENT_ID, ICLIENT_SALESFORCE_CLIENT_ID, ICLIENT_EBAY_APP_ID};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *id = iclient_text(iclient, fields[i]);
        if (id)
            return id;
    }
    return NULL;
}

enum iclient_field iclient_client_secret_field(const struct iclient *iclient)
{
    static const enum iclient_field fields[] = {ICLIENT_CLIENT_SECRET, ICLIENT_SALESFORCE_CLIENT_SECRET,
                                                ICLIENT_EBAY_CERT_ID};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (field_set_has(&iclient->fields, fields[i]))
            return fields[i];
    return ICLIENT_FIELD_COUNT;
}

const struct secret *iclient_client_secret(const struct iclient *iclient)
{
    return iclient_secret(iclient, iclient_client_secret_field(iclient));
}

enum iclient_field iclient_jwt_key_field(const struct iclient *iclient)
{
    const char *method = iclient_text(iclient, ICLIENT_JWT_SIGNATURE_METHOD);
    bool symmetric = method && strncmp(method, "HS", 2) == 0;
    enum iclient_field field = symmetric ? ICLIENT_JWT_SECRET : ICLIENT_JWT_PRIVATE_KEY;
    if (field_set_has(&iclient->fields, field))
        return field;
    if (!symmetric && field_set_has(&iclient->fields, ICLIENT_SALESFORCE_PRIVATE_KEY))
        return ICLIENT_SALESFORCE_PRIVATE_KEY;
    return ICLIENT_FIELD_COUNT;
}

const struct secret *iclient_jwt_key(const struct iclient *iclient)
{
    const enum iclient_field field = iclient_jwt_key_field(iclient);
    return iclient->jwt_key && field == ICLIENT_JWT_SECRET ? iclient->jwt_key : iclient_secret(iclient, field);
}

const char *iclient_redirect_uri(const struct iclient *iclient)
{
    const char *uri = json_string_value(json_array_get(iclient_json(iclient, ICLIENT_REDIRECT_URIS), 0));
    if (!uri)
        uri = iclient_text(iclient, ICLIENT_REDIRECT_URI);
    if (!uri)
        uri = iclient_text(iclient, ICLIENT_EBAY_RU_NAME);
    return uri ? uri : iclient->default_redirect_uri;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

bool iclient_has_redirect_uri(const struct iclient *iclient, const char *uri)
{
    const json_t *uris = iclient_json(iclient, ICLIENT_REDIRECT_URIS);
    for (size_t i = 0; i < json_array_size(uris); i++)
        if (same_text(json_string_value(json_array_get(uris, i)), uri))
            return true;
    return same_text(iclient_text(iclient, ICLIENT_REDIRECT_URI), uri) ||
           same_text(iclient_text(iclient, ICLIENT_EBAY_RU_NAME), uri) || same_text(iclient->default_redirect_uri, uri);
}

const char *iclient_issuer(const struct iclient *iclient)
{
    bool is_presets = !field_set_has(&iclient->fields, ICLIENT_ISSUER);
    bool has_other_uri = field_set_has(&iclient->fields, ICLIENT_AUTH_URI);
    return is_presets && has_other_uri ? NULL : iclient_text(iclient, ICLIENT_ISSUER);
}

const struct url_policy *iclient_url_policy(const struct iclient *iclient)
{
    return iclient->url_policy;
}

const struct failure_rules *iclient_token_failures(const struct iclient *iclient)
{
    return iclient->token_failures;
}

const struct failure_rules *iclient_api_failures(const struct iclient *iclient)
{
    return iclient->api_failures;
}
