#include "service/api_router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/peer_identity.h"
#include "model/access_rule.h"
#include "service/api_request.h"
#include "service/store_wait.h"

/* Operators are whom the default rule allows, with the socket's own group in the place of "iclientd". */
static enum status make_operator_rule(const struct api_options *options, struct access_rule **ret_rule,
                                      struct error *ret_error)
{
    struct identity_resolver resolve = peer_identity_resolver();
    resolve.own_uid = options->own_uid;
    AUTO_JSON allow = NULL;
    if (options->admin_group) {
        allow = json_pack("{s:[s]}", "groups", options->admin_group);
        if (!allow)
            return error_set(ret_error, ERR_INVALID, "the admin socket's group is no text in UTF-8");
    }
    return access_rule_from_json(allow, &resolve, ret_rule, ret_error);
}

enum status api_create(struct broker *broker, struct metrics *metrics, const struct api_options *options,
                       struct api **ret_api, struct error *ret_error)
{
    AUTO(api) api = calloc(1, sizeof *api);
    if (!api)
        return error_set(ret_error, ERR_NO_MEMORY, "the API");
    api->broker = broker;
    api->metrics = metrics;
    api->audit = audit_create(options->loop);
    api->redirect_base_uri = strdup(options->redirect_base_uri);
    if (!api->redirect_base_uri || !api->audit)
        return error_set(ret_error, ERR_NO_MEMORY, "the API");
    enum status status = make_operator_rule(options, &api->operators, ret_error);
    if (status != OK)
        return status;
    api->tenants = tenant_access_hold(options->tenants);
    *ret_api = TAKE(api);
    return OK;
}

void api_set_tenants(struct api *api, struct tenant_access *tenants)
{
    struct tenant_access *before = api->tenants;
    api->tenants = tenant_access_hold(tenants);
    tenant_access_destroy(before);
}

void api_destroy(struct api *api)
{
    if (!api)
        return;
    store_wait_finish(api);
    access_rule_destroy(api->operators);
    audit_destroy(api->audit);
    tenant_access_destroy(api->tenants);
    free(api->redirect_base_uri);
    free(api);
}

static void deny(struct api *api, struct http_call *call, const char *what, const char *message)
{
    metrics_add(api->metrics, METRIC_REQUESTS_DENIED, 1);
    const struct peer *peer = http_call_peer(call);
    if (peer)
        audit_denied(api->audit, peer, what);
    api_error_reply_text(call, API_ERROR_NOT_ALLOWED, message);
}

void api_reply_denied(struct api *api, struct http_call *call, const char *what)
{
    deny(api, call, what, "you may not use this; ask an administrator to allow you");
}

/*
 * A page gets here when somebody leads a TCP port to the socket. Browsers alone send these two headers. What Host says
 * means nothing on a socket that has no name: programs put there what they like.
 */
static bool is_from_web_page(const struct http_call *call)
{
    struct http_text value;
    return http_call_header(call, "Origin", &value) || http_call_header(call, "Sec-Fetch-Site", &value);
}

/*
 * A unit's right is judged anew at each request, and holds only while the process that connected is there: once more
 * after the decision, so that no token goes to whom it left its socket to.
 */
static bool peer_fits(struct http_call *call, const struct access_rule *rule)
{
    const struct peer *peer = http_call_peer(call);
    if (!peer)
        return false;
    if (access_rule_allows_user(rule, peer))
        return true;
    if (!access_rule_needs_unit(rule))
        return false;
    http_call_find_peer_unit(call);
    return access_rule_allows(rule, peer) && http_call_peer_is_there(call);
}

bool api_peer_may_use(struct http_call *call, const struct connection *connection)
{
    return peer_fits(call, connection_access(connection));
}

struct token_entry *api_request_find_entry(struct api_request *request)
{
    struct http_text name = request->match.names[0];
    size_t length;
    if (!route_decode_name(name, request->name, sizeof request->name, &length)) {
        api_error_reply_field(request->call, "name", "the name in the path is too long or badly encoded");
        return NULL;
    }
    request->entry = broker_find(request->api->broker, request->tenant, request->name, length);
    if (!request->entry)
        api_error_reply_text(request->call, API_ERROR_NOT_FOUND, "no connection has this name");
    return request->entry;
}

static bool has_access(struct api_request *request)
{
    if (!api_request_find_entry(request))
        return false;
    if (peer_fits(request->call, token_entry_access(request->entry)))
        return true;
    char what[sizeof "connection TENANT/" + 2 * API_NAME_MAX];
    bool is_default = strcmp(request->tenant, "default") == 0;
    snprintf(what, sizeof what, "connection %s%s%s", is_default ? "" : request->tenant, is_default ? "" : "/",
             request->name);
    api_reply_denied(request->api, request->call, what);
    return false;
}

static bool is_operator(struct api_request *request)
{
    if (peer_fits(request->call, request->api->operators))
        return true;
    api_reply_denied(request->api, request->call, "the admin socket");
    return false;
}

/*
 * The tenant that the path names is the request's, whatever its query says. Who may not is told the same whether there
 * is such a tenant or not.
 */
static bool has_tenant_permission(struct api_request *request, enum tenant_permission permission)
{
    size_t length;
    if (!route_decode_name(request->match.names[0], request->tenant, sizeof request->tenant, &length)) {
        api_error_reply_field(request->call, "tenant", "the tenant in the path is too long or badly encoded");
        return false;
    }
    request->says_tenant = true;
    const struct access_rule *rule = tenant_access_rule(request->api->tenants, request->tenant, permission);
    if (peer_fits(request->call, request->api->operators) || (rule && peer_fits(request->call, rule)))
        return true;
    api_reply_denied(request->api, request->call, "this tenant's OAuth clients in this way");
    return false;
}

/* Answers the call itself when it says no. */
static bool is_permitted(struct api_request *request)
{
    switch (request->match.route->need) {
    case NEED_ANYBODY:
        return true;
    case NEED_ACCESS:
        return has_access(request);
    case NEED_OPERATOR:
        return is_operator(request);
    case NEED_TENANT_GET:
        return has_tenant_permission(request, TENANT_OAUTH_CLIENTS_GET);
    case NEED_TENANT_EDIT:
        return has_tenant_permission(request, TENANT_OAUTH_CLIENTS_EDIT);
    case NEED_TENANT_CREATE:
        return has_tenant_permission(request, TENANT_OAUTH_CLIENTS_CREATE);
    case NEED_TENANT_DELETE:
        return has_tenant_permission(request, TENANT_OAUTH_CLIENTS_DELETE);
    case NEED_NOT_SAID:
        break;
    }
    api_reply_denied(request->api, request->call, "a route that says nothing about permission");
    return false;
}

static bool read_tenant(struct api_request *request)
{
    memcpy(request->tenant, "default", sizeof "default");
    request->says_tenant = false;
    if (http_call_query(request->call).length == 0)
        return true;
    AUTO_TEXT tenant = NULL;
    if (!api_request_query_text(request, "tenant", &tenant))
        return false;
    if (!tenant)
        return true;
    size_t size = strlen(tenant) + 1;
    if (size > sizeof request->tenant || size == 1) {
        api_error_reply_field(request->call, "tenant", "tenant is empty or too long");
        return false;
    }
    memcpy(request->tenant, tenant, size);
    request->says_tenant = true;
    return true;
}

static void reply_no_route(struct http_call *call, unsigned allowed_verbs)
{
    if (!allowed_verbs) {
        api_error_reply_text(call, API_ERROR_NOT_FOUND, "there is nothing at this path; docs/API.md lists what is");
        return;
    }
    char allow[ROUTE_ALLOW_SIZE];
    route_format_allow(allowed_verbs, allow);
    struct api_error error = {
        .code = API_ERROR_METHOD_NOT_ALLOWED,
        .message = "this path does not take this method; the Allow header lists those it takes",
        .allow = allow,
    };
    api_error_reply(call, &error);
}

static void handle(struct api *api, const struct route_table *table, struct http_call *call)
{
    /* No initialiser: the buffers are large and this is the hot path. */
    struct api_request request;
    request.api = api;
    request.call = call;
    request.entry = NULL;
    if (is_from_web_page(call)) {
        deny(api, call, "the sockets from a web page", "this socket is for programs; a web page may not use it");
        return;
    }
    if (!route_find(table, http_call_verb(call), http_call_path(call), &request.match)) {
        reply_no_route(call, request.match.allowed_verbs);
        return;
    }
    if (!read_tenant(&request) || !is_permitted(&request))
        return;
    if (http_call_body(call).length > request.match.route->max_body) {
        api_error_reply_text(call, API_ERROR_TOO_LARGE, "the body is larger than this path takes");
        return;
    }
    request.match.route->handle(&request);
}

void api_handle_token_socket(struct http_call *call, void *api)
{
    handle(api, &api_token_routes, call);
}

void api_handle_admin_socket(struct http_call *call, void *api)
{
    handle(api, &api_admin_routes, call);
}
