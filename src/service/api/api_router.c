#include "service/api/api_router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uninitialized.h"
#include "io/host/identity_lookup.h"
#include "model/rule/access_rule.h"
#include "model/catalog/tenant.h"
#include "service/api/api_permission.h"
#include "service/api/api_request.h"
#include "service/api/store_wait.h"

/* Operators are whom the default rule allows, with the socket's own group in the place of "iclientd". */
static enum status make_operator_rule(const struct api_options *options, struct access_rule **ret_rule,
                                      struct error *ret_error)
{
    struct identity_resolver resolve = identity_lookup_resolver();
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

/*
 * A page gets here when somebody leads a TCP port to the socket. Browsers alone send these two headers. What Host says
 * means nothing on a socket that has no name: programs put there what they like.
 */
static bool is_from_web_page(const struct http_call *call)
{
    struct http_text value;
    return http_call_header(call, "Origin", &value) || http_call_header(call, "Sec-Fetch-Site", &value);
}

static bool read_tenant(struct api_request *request)
{
    memcpy(request->tenant, TENANT_DEFAULT, sizeof TENANT_DEFAULT);
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
    UNINITIALIZED struct api_request request; /* its buffers are large */
    request.api = api;
    request.call = call;
    request.entry = NULL;
    if (is_from_web_page(call)) {
        api_permission_deny(api, call, "the sockets from a web page",
                            "this socket is for programs; a web page may not use it");
        return;
    }
    if (!route_find(table, http_call_verb(call), http_call_path(call), &request.match)) {
        reply_no_route(call, request.match.allowed_verbs);
        return;
    }
    if (!read_tenant(&request) || !api_permission_check(&request))
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

void api_refuse(struct http_call *call, const struct http_refusal *refusal, void *api)
{
    (void)api;
    api_error_reply_refusal(call, refusal);
}
