#include "service/api_admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/access_rule.h"
#include "service/api_document.h"
#include "service/api_health.h"
#include "service/api_oauth_clients.h"
#include "service/api_rekey.h"
#include "service/connection_json.h"

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
    {HTTP_VERB_GET, "/v2/tenants/*/oauth-clients/", NEED_TENANT_GET, 0, api_oauth_clients_list},
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

void api_admin_log(const struct api_request *request, const char *action)
{
    const struct peer *peer = http_call_peer(request->call);
    log_notice("connection %s: %s asked for by uid %lu, pid %ld", request->name, action, (unsigned long)peer->uid,
               (long)peer->pid);
}

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
    api_admin_log(request, "refresh");
    struct api_wait *wait = api_wait_create(request, reply_refreshed, 0);
    if (!wait)
        return;
    struct token_waiter *waiter = NULL;
    enum token_answer answer = broker_refresh(request->entry, api_request_caller(request), wait_seconds * 1000,
                                              api_wait_done, wait, &waiter);
    api_wait_begin(wait, answer, waiter);
}

/* ---- revoke ---- */

/* A call that waits for a revocation. The answer may come within broker_revoke(): then the call is answered by done. */
struct revoke_wait {
    struct http_call *call;
    struct token_entry *entry;
};

static const char *revoke_word(enum revoke_result result)
{
    static const char *const words[] = {
        [REVOKE_CONFIRMED] = "confirmed", [REVOKE_UNSUPPORTED] = "unsupported",
        [REVOKE_REFUSED] = "failed",      [REVOKE_UNREACHED] = "unreached",
        [REVOKE_NOTHING] = NULL,
    };
    return words[result];
}

static const char *revoke_sentence(enum revoke_result result)
{
    static const char *const sentences[] = {
        [REVOKE_CONFIRMED] = "the provider revoked the tokens, and they are forgotten here",
        [REVOKE_UNSUPPORTED] = "the tokens are forgotten here; the provider has no way to revoke them",
        [REVOKE_REFUSED] = "the tokens are forgotten here, but the provider did not confirm",
        [REVOKE_UNREACHED] = "the provider was not reached; nothing is forgotten, try again",
        [REVOKE_NOTHING] = "there were no tokens",
    };
    return sentences[result];
}

/* "revoked": the tokens are gone from here; "provider": what became of them there. */
void api_admin_append_outcome(struct text_buffer *buffer, enum revoke_result result, const char *message)
{
    if (!message || message[0] == '\0')
        message = revoke_sentence(result);
    bool is_gone = result != REVOKE_UNREACHED && result != REVOKE_NOTHING;
    const char *word = revoke_word(result);
    text_buffer_append_format(buffer, "\"revoked\":%s,\"provider\":", is_gone ? "true" : "false");
    if (word)
        text_buffer_append_json_string(buffer, word, strlen(word));
    else
        text_buffer_append_text(buffer, "null");
    text_buffer_append_text(buffer, ",\"message\":");
    text_buffer_append_json_string(buffer, message, strlen(message));
}

static void reply_revoked(struct http_call *call, enum revoke_result result, const char *message)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_ERROR_TEXT_MAX / 2);
    if (!message || message[0] == '\0')
        message = revoke_sentence(result);
    if (result == REVOKE_UNREACHED) {
        api_admin_append_outcome(&body, result, message);
        struct api_error error = {
            .code = API_ERROR_PROVIDER_UNAVAILABLE,
            .message = message,
            .members = body.failed ? NULL : text_buffer_text(&body),
        };
        api_error_reply(call, &error);
        return;
    }
    text_buffer_append_text(&body, "{");
    api_admin_append_outcome(&body, result, message);
    text_buffer_append_text(&body, "}");
    api_reply_json(call, &body);
}

static void revoke_ended(void *context, enum revoke_result result, const char *message)
{
    struct revoke_wait *wait = context;
    reply_revoked(wait->call, result, message);
    free(wait);
}

static void caller_gone(void *context)
{
    struct revoke_wait *wait = context;
    broker_revoke_forget_waiter(wait->entry, wait);
    free(wait);
}

static void reply_not_begun(struct http_call *call, enum status status, const struct error *error)
{
    if (status == ERR_NO_MEMORY)
        api_error_reply_no_memory(call);
    else
        api_error_reply_text(call, API_ERROR_BUSY, error->message);
}

void api_admin_revoke(struct api_request *request)
{
    if (!api_request_find_entry(request))
        return;
    struct revoke_wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        api_error_reply_no_memory(request->call);
        return;
    }
    *wait = (struct revoke_wait){request->call, request->entry};
    api_admin_log(request, "revoke");
    /* First: the answer may come within the call, and then the wait is gone after it. */
    http_call_on_gone(request->call, caller_gone, wait);
    struct error error = {0};
    enum status status = broker_revoke(request->entry, revoke_ended, wait, &error);
    if (status == OK)
        return;
    free(wait);
    reply_not_begun(request->call, status, &error);
}
