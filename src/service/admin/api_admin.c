#include "service/admin/api_admin.h"

#include "service/admin/api_document.h"
#include "service/api/api_health.h"
#include "service/admin/api_oauth_clients.h"
#include "service/admin/api_rekey.h"
#include "service/admin/api_revoke.h"
#include "service/admin/connection_json.h"

/* refresh, revoke and rekey need no body; clients that always send one may. */
enum { LOGIN_BODY_MAX = 32 * 1024, ACTION_BODY_MAX = 1024 };

static const struct route routes[] = {
    {HTTP_VERB_GET, "/v1/connections", NEED_OPERATOR, 0, api_admin_list},
    {HTTP_VERB_POST, "/v1/connections", NEED_OPERATOR, API_DOCUMENT_BODY_MAX, api_connections_create},
    {HTTP_VERB_GET, "/v1/connections/*", NEED_OPERATOR, 0, api_admin_get},
    {HTTP_VERB_PUT, "/v1/connections/*", NEED_OPERATOR, API_DOCUMENT_BODY_MAX, api_connections_replace},
    {HTTP_VERB_DELETE, "/v1/connections/*", NEED_OPERATOR, ACTION_BODY_MAX, api_connections_remove},
    {HTTP_VERB_POST, "/v1/connections/*/authorize", NEED_OPERATOR, LOGIN_BODY_MAX, api_admin_authorize},
    {HTTP_VERB_POST, "/v1/connections/*/complete", NEED_OPERATOR, LOGIN_BODY_MAX, api_admin_complete},
    {HTTP_VERB_POST, "/v1/connections/*/refresh", NEED_OPERATOR, ACTION_BODY_MAX, api_admin_refresh},
    {HTTP_VERB_POST, "/v1/connections/*/revoke", NEED_OPERATOR, ACTION_BODY_MAX, api_admin_revoke},
    {HTTP_VERB_GET, "/v1/iClients", NEED_OPERATOR, 0, api_iclients_list},
    {HTTP_VERB_POST, "/v1/iClients", NEED_OPERATOR, API_DOCUMENT_BODY_MAX, api_iclients_create},
    {HTTP_VERB_GET, "/v1/iClients/*", NEED_OPERATOR, 0, api_iclients_get},
    {HTTP_VERB_PUT, "/v1/iClients/*", NEED_OPERATOR, API_DOCUMENT_BODY_MAX, api_iclients_replace},
    {HTTP_VERB_PATCH, "/v1/iClients/*", NEED_OPERATOR, API_DOCUMENT_BODY_MAX, api_iclients_patch},
    {HTTP_VERB_DELETE, "/v1/iClients/*", NEED_OPERATOR, ACTION_BODY_MAX, api_iclients_remove},
    {HTTP_VERB_GET, "/v1/iClients/*/dependencies", NEED_OPERATOR, 0, api_iclients_dependencies},
    {HTTP_VERB_GET, "/v2/tenants/*/oauth-clients", NEED_TENANT_GET, 0, api_oauth_clients_list},
    {HTTP_VERB_POST, "/v2/tenants/*/oauth-clients", NEED_TENANT_CREATE, API_DOCUMENT_BODY_MAX,
     api_oauth_clients_create},
    {HTTP_VERB_GET, "/v2/tenants/*/oauth-clients/*", NEED_TENANT_GET, 0, api_oauth_clients_get},
    {HTTP_VERB_PATCH, "/v2/tenants/*/oauth-clients/*", NEED_TENANT_EDIT, API_DOCUMENT_BODY_MAX,
     api_oauth_clients_change},
    {HTTP_VERB_DELETE, "/v2/tenants/*/oauth-clients/*", NEED_TENANT_DELETE, ACTION_BODY_MAX, api_oauth_clients_remove},
    {HTTP_VERB_GET, "/v1/rekey", NEED_OPERATOR, 0, api_rekey_get},
    {HTTP_VERB_POST, "/v1/rekey", NEED_OPERATOR, ACTION_BODY_MAX, api_rekey_begin},
    {HTTP_VERB_GET, "/metrics", NEED_OPERATOR, 0, api_metrics_get},
    {HTTP_VERB_GET, "/healthz", NEED_OPERATOR, 0, api_health_get},
    {HTTP_VERB_GET, "/readyz", NEED_OPERATOR, 0, api_ready_get},
};
const struct route_table api_admin_routes = {routes, sizeof routes / sizeof routes[0], true};

void api_admin_list(struct api_request *request)
{
    connection_json_reply_list(request, connection_json_append_full, false);
}

void api_admin_get(struct api_request *request)
{
    if (api_request_find_entry(request))
        connection_json_reply_document(request->call, 200, NULL, request->entry);
}

static void reply_refreshed(struct api *api, struct http_call *call, struct token_entry *entry,
                            enum token_answer answer, int detail)
{
    (void)api;
    (void)detail;
    if (!token_entry_connection(entry))
        api_error_reply_text(call, API_ERROR_NOT_FOUND, "the connection left the configuration");
    else if (answer == TOKEN_SERVED || answer == TOKEN_SERVED_SHORT)
        connection_json_reply(call, entry);
    else
        api_reply_token_error(call, entry, answer, NULL);
}

void api_admin_refresh(struct api_request *request)
{
    int64_t wait_seconds = API_WAIT_DEFAULT;
    if (!api_request_find_entry(request) || !api_request_query_seconds(request, "wait", API_WAIT_MAX, &wait_seconds))
        return;
    api_request_log_action(request, "refresh");
    struct api_wait *wait = api_wait_create(request, reply_refreshed, 0);
    if (!wait)
        return;
    struct token_waiter *waiter = NULL;
    enum token_answer answer =
        broker_refresh(request->entry, api_request_caller(request), wait_seconds * 1000, api_wait_done, wait, &waiter);
    api_wait_begin(wait, answer, waiter);
}
