/* Connections made, changed and deleted through the API; api_admin.c has the rest of /v1/connections. */
#include <string.h>

#include "service/admin/api_document.h"
#include "service/admin/api_revoke.h"
#include "service/admin/connection_json.h"

enum { LOCATION_MAX = 4 * API_NAME_MAX };
static const char what[] = "connection";

/* The name in the path; NULL after the call was answered. */
static const char *read_name(struct api_request *request)
{
    size_t length;
    if (route_decode_name(request->match.names[0], request->name, sizeof request->name, &length))
        return request->name;
    api_error_reply_field(request->call, "name", "the name in the path is too long or badly encoded");
    return NULL;
}

static void reply_put(struct api *api, struct http_call *call, enum document_action action,
                      const struct document_outcome *outcome)
{
    struct token_entry *entry = broker_find(api->broker, outcome->tenant, outcome->key, strlen(outcome->key));
    AUTO_FINISH(text_buffer) location;
    text_buffer_init(&location, LOCATION_MAX);
    text_buffer_append_text(&location, "/v1/connections/");
    text_buffer_append_percent(&location, outcome->key, strlen(outcome->key));
    bool is_new = action == DOCUMENT_CREATE;
    if (entry)
        connection_json_reply_document(call, is_new ? 201 : 200, is_new ? text_buffer_text(&location) : NULL, entry);
    else
        api_error_reply_text(call, API_ERROR_NOT_FOUND, "the connection left the configuration");
}

void api_connections_create(struct api_request *request)
{
    json_t *document;
    if (!api_request_read_body(request, false, &document))
        return;
    api_document_log(request->call, what, "(new)", DOCUMENT_CREATE);
    api_document_submit(request, DOCUMENT_CONNECTION, DOCUMENT_CREATE, NULL, document, reply_put);
}

void api_connections_replace(struct api_request *request)
{
    const char *name = read_name(request);
    json_t *document;
    if (!name || !api_request_read_body(request, false, &document))
        return;
    api_document_log(request->call, what, name, DOCUMENT_REPLACE);
    api_document_submit(request, DOCUMENT_CONNECTION, DOCUMENT_REPLACE, name, document, reply_put);
}

/* Deleted in any case. That tokens may live on at the provider is what the caller could not know. */
static void reply_removed(struct api *api, struct http_call *call, enum document_action action,
                          const struct document_outcome *outcome)
{
    (void)api;
    (void)action;
    const char *message = outcome->revoke_message;
    if (outcome->revoke_result == REVOKE_CONFIRMED || outcome->revoke_result == REVOKE_NOTHING) {
        api_document_reply_nothing(call);
        return;
    }
    if (outcome->revoke_result == REVOKE_UNREACHED)
        message = "the provider was not reached: the tokens are forgotten here, but there they end only by themselves";
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_ERROR_TEXT_MAX);
    text_buffer_append_text(&body, "{\"deleted\":true,");
    api_revoke_append_outcome(&body, outcome->revoke_result, message);
    text_buffer_append_text(&body, "}");
    api_reply_json(call, &body);
}

void api_connections_remove(struct api_request *request)
{
    const char *name = read_name(request);
    if (!name)
        return;
    api_document_log(request->call, what, name, DOCUMENT_REMOVE);
    api_document_submit(request, DOCUMENT_CONNECTION, DOCUMENT_REMOVE, name, NULL, reply_removed);
}
