#include <string.h>
#include <strings.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/iclient/iclient_record.h"
#include "model/iclient/reserved_param.h"
#include "model/template/template_check.h"
#include "model/rule/uri_policy.h"
#include "model/template/wire_text.h"

enum { STATUS_MIN = 100, STATUS_MAX = 599, STATUS_UNAUTHORIZED = 401, POINTER_MAX = 512 };

struct validation {
    struct iclient *iclient;
    struct field_view view;
    struct document_faults *faults;
    bool makes_jwt; /* from jwt.header and jwt.payload, whose templates matter only then */
};

static const char *pointer_of(enum iclient_field field)
{
    return iclient_field_row(field)->pointer;
}

static bool is(const struct validation *validation, enum iclient_field field, const char *text)
{
    return field_view_is(&validation->view, field, text);
}

static bool is_own(const struct validation *validation, enum iclient_field field)
{
    return field_view_is_own(&validation->view, field);
}

/* ---- what must be there ---- */

static void require(const struct validation *validation, enum iclient_field field, const char *why)
{
    if (field_view_lacks(&validation->view, field))
        document_fault(validation->faults, pointer_of(field), NULL, "is required%s", why);
}

/* Said by the document itself, whatever its preset has. */
static void require_own(const struct validation *validation, enum iclient_field field, const char *hint)
{
    if (!is_own(validation, field))
        document_fault(validation->faults, pointer_of(field), hint, "is required");
}

static bool has_client_id(const struct validation *validation)
{
    return iclient_client_id(validation->iclient) || is_own(validation, ICLIENT_CLIENT_ID) ||
           is_own(validation, ICLIENT_SALESFORCE_CLIENT_ID) || is_own(validation, ICLIENT_EBAY_APP_ID);
}

/* A JWT whose claims are written out, or a body that is sent without a client's name, does without. */
static bool needs_client_id(const struct validation *validation)
{
    const struct iclient *iclient = validation->iclient;
    if (iclient->grant == GRANT_JWT_BEARER || iclient->grant == GRANT_JWT_TOKEN)
        return !iclient_json(iclient, ICLIENT_JWT_PAYLOAD) && !is_own(validation, ICLIENT_JWT_TOKEN);
    return iclient->grant == GRANT_AUTHORIZATION_CODE || iclient->client_authentication != CLIENT_AUTH_NONE ||
           !iclient_json(iclient, ICLIENT_TOKEN_BODY);
}

static void check_required(const struct validation *validation)
{
    const struct iclient *iclient = validation->iclient;
    require_own(validation, ICLIENT_NAME, NULL);
    require_own(validation, ICLIENT_PROVIDER, "for a provider without a preset say \"custom_oauth2\"");
    if (iclient->grant == GRANT_NONE) {
        if (!provider_preset_no_grant(iclient->preset))
            require(validation, ICLIENT_GRANT_TYPE, ": the provider's preset has none");
        return;
    }
    if (needs_client_id(validation) && !has_client_id(validation))
        document_fault(validation->faults, pointer_of(ICLIENT_CLIENT_ID), NULL, "is required");
    if (iclient->grant != GRANT_JWT_TOKEN)
        require(validation, ICLIENT_TOKEN_URI, ": the provider's preset has none");
    if (iclient->grant == GRANT_AUTHORIZATION_CODE)
        require(validation, ICLIENT_AUTH_URI, " for the grant authorizecode");
}

/* ---- the client and how it authenticates ---- */

static bool template_sends_secret(const struct iclient *iclient, struct document_faults *faults)
{
    static const char *const paths[] = {"iClient.oauth2.clientSecret", "iClient.clientSecret",
                                        "iClient.salesforce.clientSecret", "iClient.ebay.certId"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (iclient_template_uses(iclient, paths[i], faults))
            return true;
    return false;
}

static void check_secret_presence(const struct validation *validation)
{
    const struct iclient *iclient = validation->iclient;
    const enum client_authentication authentication = iclient->client_authentication;
    const enum iclient_field secret = iclient_client_secret_field(iclient);
    if (iclient->grant == GRANT_NONE || iclient->grant == GRANT_JWT_TOKEN)
        return;
    if (secret == ICLIENT_FIELD_COUNT && is(validation, ICLIENT_TYPE, "public"))
        return;
    if (secret == ICLIENT_FIELD_COUNT) {
        if (authentication == CLIENT_AUTH_SECRET_JWT)
            document_fault(validation->faults, pointer_of(ICLIENT_CLIENT_SECRET), NULL,
                           "is required: client_secret_jwt signs with it");
        else if (authentication == CLIENT_AUTH_BASIC || authentication == CLIENT_AUTH_BODY)
            document_fault(validation->faults, pointer_of(ICLIENT_CLIENT_SECRET),
                           "for a client without one set \"type\": \"public\"",
                           "is required for a confidential client");
        return;
    }
    if (is(validation, ICLIENT_TYPE, "public"))
        document_fault(validation->faults, pointer_of(secret), NULL,
                       "contradicts type \"public\": such a client has none");
    else if (authentication == CLIENT_AUTH_NONE && !template_sends_secret(iclient, validation->faults))
        document_fault(validation->faults, pointer_of(secret), NULL,
                       "contradicts tokenAuthMethod \"none\": it is never sent");
}

/* What goes into the Authorization header, where the first colon ends the id (RFC 7617 §2). */
static void check_credentials_encoding(const struct validation *validation)
{
    const char *client_id = iclient_client_id(validation->iclient);
    const bool is_basic = validation->iclient->client_authentication == CLIENT_AUTH_BASIC;
    if (is_basic && is(validation, ICLIENT_CLIENT_CREDENTIALS_ENCODING, "none") && client_id && strchr(client_id, ':'))
        document_fault(validation->faults, pointer_of(ICLIENT_CLIENT_CREDENTIALS_ENCODING), NULL,
                       "\"none\" cannot carry a client id with a colon in it (RFC 7617)");
    if (!is_basic && is_own(validation, ICLIENT_CLIENT_CREDENTIALS_ENCODING))
        document_warning(validation->faults, pointer_of(ICLIENT_CLIENT_CREDENTIALS_ENCODING), NULL,
                         "has no effect: only an Authorization header has client id and secret encoded");
}

static void check_authentication(const struct validation *validation)
{
    const bool is_public = is(validation, ICLIENT_TYPE, "public");
    const char *method = field_view_text(&validation->view, ICLIENT_TOKEN_AUTH_METHOD);
    const bool own_method = method && is_own(validation, ICLIENT_TOKEN_AUTH_METHOD);
    const bool own_location = is_own(validation, ICLIENT_CLIENT_CREDENTIALS_LOCATION);
    if (own_method && own_location && !is(validation, ICLIENT_CLIENT_CREDENTIALS_LOCATION, method))
        document_fault(validation->faults, pointer_of(ICLIENT_CLIENT_CREDENTIALS_LOCATION), "leave one of the two out",
                       "contradicts tokenAuthMethod \"%s\"", method);
    if (is_public && own_method && strcmp(method, "none") != 0)
        document_fault(validation->faults, pointer_of(ICLIENT_TOKEN_AUTH_METHOD), NULL,
                       "contradicts type \"public\": such a client does not authenticate");
    if (is_public && is(validation, ICLIENT_CLIENT_CREDENTIALS_LOCATION, "basicauthheader") && own_location)
        document_fault(validation->faults, pointer_of(ICLIENT_CLIENT_CREDENTIALS_LOCATION), NULL,
                       "contradicts type \"public\": such a client has its id in the body");
    if (is_public && validation->iclient->grant == GRANT_CLIENT_CREDENTIALS)
        document_fault(validation->faults, pointer_of(ICLIENT_TYPE), NULL,
                       "contradicts clientcredentials, which is for confidential clients alone (RFC 6749 §4.4)");
    if (own_method && is(validation, ICLIENT_JWT_USE, "clientAssertion") && !strstr(method, "_jwt"))
        document_fault(validation->faults, pointer_of(ICLIENT_TOKEN_AUTH_METHOD), NULL,
                       "contradicts jwt.use \"clientAssertion\"");
    check_secret_presence(validation);
    check_credentials_encoding(validation);
}

static void check_grants(const struct validation *validation)
{
    const json_t *allowed = iclient_json(validation->iclient, ICLIENT_ALLOWED_GRANTS);
    const char *grant = field_view_text(&validation->view, ICLIENT_GRANT_TYPE);
    bool listed = !grant || json_array_size(allowed) == 0;
    for (size_t i = 0; i < json_array_size(allowed); i++) {
        const char *name = json_string_value(json_array_get(allowed, i));
        listed |= grant && strcmp(name, grant) == 0;
        listed |= validation->iclient->grant == GRANT_JWT_BEARER && strcmp(name, "jwtbearer") == 0;
    }
    if (!listed)
        document_fault(validation->faults, pointer_of(ICLIENT_ALLOWED_GRANTS), NULL,
                       "excludes the iClient's own grantType \"%s\"", grant);
    if (validation->iclient->grant == GRANT_JWT_TOKEN && grant &&
        (strcmp(grant, "authorizecode") == 0 || strcmp(grant, "password") == 0))
        document_fault(validation->faults, pointer_of(ICLIENT_JWT_USE), NULL,
                       "\"accessToken\" contradicts grantType \"%s\": the JWT is itself the token", grant);
}

/* Provider credentials under another provider are most likely a slip. */
static void check_provider_groups(const struct validation *validation)
{
    static const char *const providers[] = {"salesforce", "ebay", "netsuite", "amazonmws"};
    const char *provider = provider_preset_name(validation->iclient->preset);
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        if (!json_object_get(validation->iclient->fields.document, providers[i]) ||
            strncmp(provider, providers[i], strlen(providers[i])) == 0)
            continue;
        char pointer[POINTER_MAX];
        snprintf(pointer, sizeof pointer, "/%s", providers[i]);
        document_warning(validation->faults, pointer, NULL, "is meant for provider \"%s\", not \"%s\"", providers[i],
                         provider);
    }
}

/* ---- bodies ---- */

/* What the wire takes: only JSON has room for structure. *ret_stated: a Content-Type header said so. */
static bool is_json_wire(const struct validation *validation, enum iclient_field headers, bool *ret_stated)
{
    const char *type = headers_find(iclient_json(validation->iclient, headers), "Content-Type");
    *ret_stated = type != NULL;
    return type ? strcasestr(type, "json") != NULL : is(validation, ICLIENT_BODY_FORMAT, "json");
}

static void check_form_members(const struct validation *validation, enum iclient_field field, const char *hint,
                               const json_t *body)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)body, name, value) {
        if (!json_is_object(value) && !json_is_array(value) && !json_is_null(value))
            continue;
        AUTO_FINISH(text_buffer) pointer;
        text_buffer_init(&pointer, POINTER_MAX);
        text_buffer_append_text(&pointer, pointer_of(field));
        json_pointer_append(&pointer, name);
        document_fault(validation->faults, text_buffer_text(&pointer), hint,
                       "has no form encoding: a form's values are text, numbers and flags");
    }
}

static void check_bodies(const struct validation *validation)
{
    static const struct {
        enum iclient_field method, body, headers;
    } requests[] = {{ICLIENT_TOKEN_METHOD, ICLIENT_TOKEN_BODY, ICLIENT_TOKEN_HEADERS},
                    {ICLIENT_REFRESH_METHOD, ICLIENT_REFRESH_BODY, ICLIENT_REFRESH_HEADERS},
                    {ICLIENT_REVOKE_METHOD, ICLIENT_REVOKE_BODY, ICLIENT_REVOKE_HEADERS}};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        bool stated;
        const bool json = is_json_wire(validation, requests[i].headers, &stated);
        /* A GET has its parameters in the query, whatever the format of bodies. */
        const bool in_query = is(validation, requests[i].method, "GET");
        if (!json || in_query)
            check_form_members(validation, requests[i].body,
                               in_query ? "a GET sends it in the query: use POST" : "set oauth2.bodyFormat to \"json\"",
                               iclient_json(validation->iclient, requests[i].body));
        if (stated && is_own(validation, ICLIENT_BODY_FORMAT) && is_own(validation, requests[i].headers) &&
            is(validation, ICLIENT_BODY_FORMAT, json ? "form" : "json"))
            document_fault(validation->faults, pointer_of(requests[i].headers), NULL,
                           "its Content-Type contradicts bodyFormat");
    }
}

/* ---- failure rules ---- */

static bool add_flat_rule(const struct validation *validation, struct failure_rules *rules)
{
    const struct iclient *iclient = validation->iclient;
    const int status = (int)iclient_number(iclient, ICLIENT_FAIL_STATUS_CODE, 0);
    const char *path = iclient_text(iclient, ICLIENT_FAIL_PATH);
    if (status == 0 && !path)
        return true;
    struct error error = {0};
    enum status added = failure_rules_add(rules, status, path, iclient_json(iclient, ICLIENT_FAIL_VALUES), &error);
    return document_check(validation->faults, pointer_of(ICLIENT_FAIL_PATH), added, &error);
}

/* Without failStatusCode a 401 is a failure as well (docs/CONFIGURATION.md, Failure rules). */
static bool add_unauthorized(const struct iclient *iclient, struct failure_rules *rules)
{
    return iclient_json(iclient, ICLIENT_FAIL_STATUS_CODE) ||
           failure_rules_add(rules, STATUS_UNAUTHORIZED, NULL, NULL, NULL) == OK;
}

static void make_failure_rules(const struct validation *validation)
{
    struct iclient *iclient = validation->iclient;
    iclient->token_failures = failure_rules_create();
    iclient->api_failures = failure_rules_create();
    if (!iclient->token_failures || !iclient->api_failures) {
        validation->faults->no_memory = true;
        return;
    }
    const json_t *rules = iclient_json(iclient, ICLIENT_TOKEN_FAILURES);
    bool done = true;
    for (size_t i = 0; i < json_array_size(rules); i++)
        done &= failure_rules_add_json(iclient->token_failures, json_array_get(rules, i), NULL) == OK;
    if (add_flat_rule(validation, iclient->api_failures))
        done &= add_flat_rule(validation, iclient->token_failures);
    done &= add_unauthorized(iclient, iclient->api_failures);
    /* tokenFailures is there because the token endpoint's failures differ from the API's. */
    if (json_array_size(rules) == 0)
        done &= add_unauthorized(iclient, iclient->token_failures);
    validation->faults->no_memory |= !done && !validation->faults->has_errors;
}

static void check_failure_fields(const struct validation *validation)
{
    const int64_t status = iclient_number(validation->iclient, ICLIENT_FAIL_STATUS_CODE, STATUS_MIN);
    const bool values_alone = json_array_size(iclient_json(validation->iclient, ICLIENT_FAIL_VALUES)) > 0 &&
                              field_view_lacks(&validation->view, ICLIENT_FAIL_PATH);
    if (values_alone)
        document_fault(validation->faults, pointer_of(ICLIENT_FAIL_VALUES),
                       "set oauth2.failPath to the field that has them", "failValues without failPath");
    if (status < STATUS_MIN || status > STATUS_MAX)
        document_fault(validation->faults, pointer_of(ICLIENT_FAIL_STATUS_CODE), NULL, "must be from %d to %d",
                       STATUS_MIN, STATUS_MAX);
    else if (!values_alone)
        make_failure_rules(validation);
}

/* ---- templates ---- */

static void collect_connection_path(const struct validation *validation, const char *path)
{
    struct iclient *iclient = validation->iclient;
    for (size_t i = 0; i < iclient->connection_path_count; i++)
        if (strcmp(iclient->connection_paths[i], path) == 0)
            return;
    if (iclient->connection_path_count == CONNECTION_PATHS_MAX)
        return;
    char **grown = reallocarray(iclient->connection_paths, iclient->connection_path_count + 1, sizeof *grown);
    char *copy = strdup(path);
    if (grown)
        iclient->connection_paths = grown;
    if (grown && copy)
        grown[iclient->connection_path_count++] = copy;
    else {
        validation->faults->no_memory = true;
        free(copy);
    }
}

static void visit_template(void *context, const struct template_site *site)
{
    const struct validation *validation = context;
    const bool in_jwt = site->field == ICLIENT_JWT_HEADER || site->field == ICLIENT_JWT_PAYLOAD;
    if (in_jwt && !validation->makes_jwt)
        return;
    const char *below = template_path_below(site->path, "connection");
    if (below)
        collect_connection_path(validation, below);
    const char *path = template_path_below(site->path, "iClient");
    if (!path)
        return;
    struct iclient_path_value value;
    if (strcmp(path, "jwt.token") == 0) {
        if (in_jwt)
            document_fault(validation->faults, site->pointer, NULL, "{{{%s}}} cannot stand in the JWT itself",
                           site->path);
        return;
    }
    if (iclient_find_path(validation->iclient, path, &value))
        return;
    if (is_own(validation, site->field))
        document_fault(validation->faults, site->pointer, NULL, "{{{%s}}} resolves to nothing", site->path);
    else
        document_fault(validation->faults, site->pointer, "set that field of the iClient",
                       "{{{%s}}} of preset \"%s\" resolves to nothing", site->path,
                       provider_preset_name(validation->iclient->preset));
}

/* ---- URIs that the iClient's own values make ---- */

static enum status look_up_own(const void *context, const char *path, struct text_buffer *value)
{
    const char *below = template_path_below(path, "iClient");
    return below ? iclient_lookup(context, below, value) : ERR_NOT_FOUND;
}

static void check_uris(const struct validation *validation)
{
    struct iclient *iclient = validation->iclient;
    for (size_t i = 0; iclient->url_policy && i < URI_POLICY_FIELD_COUNT; i++) {
        struct error error = {0};
        enum status status =
            uri_policy_check_rendered(iclient->url_policy, field_view_text(&validation->view, uri_policy_fields[i]),
                                      look_up_own, iclient, &error);
        document_check(validation->faults, pointer_of(uri_policy_fields[i]), status, &error);
    }
}

struct search {
    const char *path;
    bool found;
};

static void visit_search(void *context, const struct template_site *site)
{
    struct search *search = context;
    search->found |= strcmp(search->path, site->path) == 0;
}

bool iclient_template_uses(const struct iclient *iclient, const char *path, struct document_faults *faults)
{
    struct search search = {.path = path};
    const struct field_view view = iclient_view(iclient);
    template_check_silently(&view, faults, visit_search, &search);
    return search.found;
}

void iclient_validate(struct iclient *iclient, const struct iclient_options *options, struct document_faults *faults)
{
    struct validation validation = {.iclient = iclient, .view = iclient_view(iclient), .faults = faults};
    const bool code_grant = iclient->grant == GRANT_AUTHORIZATION_CODE || iclient->grant == GRANT_NONE;
    check_required(&validation);
    check_authentication(&validation);
    check_grants(&validation);
    check_provider_groups(&validation);
    check_bodies(&validation);
    check_failure_fields(&validation);
    reserved_param_check(&validation.view, faults);
    const bool uses_token = iclient_template_uses(iclient, "iClient.jwt.token", faults);
    validation.makes_jwt = uses_token || iclient->grant == GRANT_JWT_BEARER || iclient->grant == GRANT_JWT_TOKEN;
    template_check_fields(&validation.view, code_grant, faults, visit_template, &validation);
    iclient_validate_jwt(iclient, uses_token, options, faults);
    iclient->url_policy = uri_policy_create(&validation.view, options && options->allow_loopback_http, faults);
    check_uris(&validation);
}
