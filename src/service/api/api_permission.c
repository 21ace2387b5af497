#include "service/api/api_permission.h"

#include <stdio.h>
#include <string.h>

#include "model/rule/access_rule.h"
#include "model/catalog/tenant.h"
#include "model/catalog/tenant_access.h"

void api_permission_deny(struct api *api, struct http_call *call, const char *what, const char *message)
{
    metrics_add(api->metrics, METRIC_REQUESTS_DENIED, 1);
    const struct peer *peer = http_call_peer(call);
    if (peer)
        audit_denied(api->audit, peer, what);
    api_error_reply_text(call, API_ERROR_NOT_ALLOWED, message);
}

void api_permission_refuse(struct api *api, struct http_call *call, const char *what)
{
    api_permission_deny(api, call, what, "you may not use this; ask an administrator to allow you");
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

bool api_permission_may_use(struct http_call *call, const struct connection *connection)
{
    return peer_fits(call, connection_access(connection));
}

static bool has_access(struct api_request *request)
{
    if (!api_request_find_entry(request))
        return false;
    if (peer_fits(request->call, token_entry_access(request->entry)))
        return true;
    char what[sizeof "connection TENANT/" + 2 * API_NAME_MAX];
    bool is_default = tenant_is_default(request->tenant);
    snprintf(what, sizeof what, "connection %s%s%s", is_default ? "" : request->tenant, is_default ? "" : "/",
             request->name);
    api_permission_refuse(request->api, request->call, what);
    return false;
}

static bool is_operator(struct api_request *request)
{
    if (peer_fits(request->call, request->api->operators))
        return true;
    api_permission_refuse(request->api, request->call, "the admin socket");
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
    api_permission_refuse(request->api, request->call, "this tenant's OAuth clients in this way");
    return false;
}

bool api_permission_check(struct api_request *request)
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
    api_permission_refuse(request->api, request->call, "a route that says nothing about permission");
    return false;
}
