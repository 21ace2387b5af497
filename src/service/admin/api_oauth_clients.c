#include "service/admin/api_oauth_clients.h"

#include <stdlib.h>
#include <string.h>

#include "model/catalog/tenant.h"
#include "service/admin/api_document.h"
#include "service/api/api_listing.h"
#include "service/admin/oauth_client_json.h"

/* The iClients of this tenant that have a component are the components' definitions, for all tenants. */
#define DEFINING_TENANT TENANT_DEFAULT
#define JSON_API_END ",\"jsonapi\":{\"version\":\"1.1\"}}"

enum { FAULTS_TEXT_MAX = 1024 * 1024, LOCATION_MAX = 4 * API_NAME_MAX };
static const char what[] = "OAuth client";

static const struct iclient *find(struct api *api, const char *tenant, const char *id)
{
    const struct iclient *iclient = catalog_find_iclient_by_id(broker_catalog(api->broker), id);
    return iclient && strcmp(iclient_tenant(iclient), tenant) == 0 ? iclient : NULL;
}

/* The one that the path names; NULL after the call was answered. Another tenant's is none. */
static const struct iclient *find_named(struct api_request *request)
{
    size_t length;
    const struct iclient *iclient = NULL;
    if (route_decode_name(request->match.names[1], request->name, sizeof request->name, &length))
        iclient = find(request->api, request->tenant, request->name);
    if (!iclient)
        api_error_reply_text(request->call, API_ERROR_NOT_FOUND, "the tenant has no OAuth client of this id");
    return iclient;
}

static bool has_component(const struct iclient *iclient, const char *component)
{
    const char *own = iclient_text(iclient, ICLIENT_COMPONENT);
    return own && strcmp(own, component) == 0;
}

/* ---- replies ---- */

static bool append_element(const void *element, struct text_buffer *buffer)
{
    return oauth_client_append(element, buffer);
}

static void release_element(void *element)
{
    iclient_destroy(element);
}

static void reply_client(struct http_call *call, int status, const char *location, const struct iclient *iclient)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_DOCUMENT_MAX);
    text_buffer_append_text(&body, "{\"data\":");
    oauth_client_append(iclient, &body);
    text_buffer_append_text(&body, JSON_API_END);
    api_document_reply_json(call, status, location, &body);
}

static bool append_fault(const struct fault *fault, bool is_of_request, struct text_buffer *body)
{
    AUTO_FINISH(text_buffer) message;
    text_buffer_init(&message, API_ERROR_TEXT_MAX);
    text_buffer_append_text(&message, fault->message);
    if (fault->hint)
        text_buffer_append_format(&message, " (%s)", fault->hint);
    AUTO_TEXT place = is_of_request ? strdup(fault->pointer) : oauth_client_place(fault->pointer);
    const struct api_error error = {
        .code = API_ERROR_INVALID_ICLIENT,
        .message = message.failed ? fault->message : text_buffer_text(&message),
        .field = place,
    };
    return place && api_error_append_json_api(&error, body);
}

/* is_of_request: the pointers are those of the request's document, else those of the iClient that it came to. */
static void reply_faults(struct http_call *call, const struct fault_list *faults, bool is_of_request)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, FAULTS_TEXT_MAX);
    text_buffer_append_text(&body, "{\"errors\":[");
    size_t count = 0;
    bool done = true;
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        if (fault_list_at(faults, i)->warning)
            continue;
        text_buffer_append_text(&body, count++ > 0 ? "," : "");
        done = done && append_fault(fault_list_at(faults, i), is_of_request, &body);
    }
    text_buffer_append_text(&body, "]}");
    if (count > 0 && done)
        api_document_reply_json(call, api_error_status(API_ERROR_INVALID_ICLIENT), NULL, &body);
    else
        api_error_reply_no_memory(call);
}

static void reply_refused(struct api *api, struct http_call *call, enum document_action action,
                          const struct document_outcome *outcome)
{
    (void)api;
    (void)action;
    reply_faults(call, outcome->faults, false);
}

static void reply_written(struct api *api, struct http_call *call, enum document_action action,
                          const struct document_outcome *outcome)
{
    const struct iclient *iclient = find(api, outcome->tenant, outcome->key);
    AUTO_FINISH(text_buffer) location;
    text_buffer_init(&location, LOCATION_MAX);
    oauth_client_append_path(outcome->tenant, outcome->key, &location);
    if (action == DOCUMENT_REMOVE || !iclient)
        api_document_reply_nothing(call);
    else if (action == DOCUMENT_CREATE)
        reply_client(call, 201, text_buffer_text(&location), iclient);
    else
        reply_client(call, 200, NULL, iclient);
}

/* ---- reading ---- */

void api_oauth_clients_list(struct api_request *request)
{
    static const struct api_listing_kind kind = {"{\"data\":[", "]" JSON_API_END, append_element, release_element};
    AUTO_TEXT component = NULL;
    if (!api_request_query_text(request, "filter[component]", &component))
        return;
    const struct catalog *catalog = broker_catalog(request->api->broker);
    AUTO(api_listing) listing = api_listing_create(&kind);
    bool done = listing != NULL;
    for (size_t i = 0; done && i < catalog_iclient_count(catalog); i++) {
        const struct iclient *iclient = catalog_iclient_at(catalog, i);
        bool is_asked = !component || !*component || has_component(iclient, component);
        if (is_asked && strcmp(iclient_tenant(iclient), request->tenant) == 0)
            done = api_listing_add(listing, iclient_hold(iclient));
    }
    if (done)
        api_listing_reply(TAKE(listing), request->call);
    else
        api_error_reply_no_memory(request->call);
}

void api_oauth_clients_get(struct api_request *request)
{
    const struct iclient *iclient = find_named(request);
    if (iclient)
        reply_client(request->call, 200, NULL, iclient);
}

/* ---- writing ---- */

/* False after the call was answered. *ret_document owns what *ret_parsed borrows. */
static bool read_request(struct api_request *request, const struct iclient *iclient, json_t **ret_document,
                         struct oauth_client_request *ret_parsed)
{
    if (!api_request_read_body(request, false, ret_document))
        return false;
    AUTO(fault_list) faults = fault_list_create();
    if (!faults) {
        api_error_reply_no_memory(request->call);
        return false;
    }
    if (oauth_client_request_read(*ret_document, iclient, faults, ret_parsed) == OK)
        return true;
    reply_faults(request->call, faults, true);
    return false;
}

static const struct iclient *find_definition(const struct catalog *catalog, const char *component)
{
    for (size_t i = 0; i < catalog_iclient_count(catalog); i++) {
        const struct iclient *iclient = catalog_iclient_at(catalog, i);
        if (has_component(iclient, component) && strcmp(iclient_tenant(iclient), DEFINING_TENANT) == 0)
            return iclient;
    }
    return NULL;
}

static void submit(struct api_request *request, enum document_action action, const char *id, json_t *take_document)
{
    if (!take_document) {
        api_error_reply_no_memory(request->call);
        return;
    }
    api_document_log(request->call, what, id ? id : "(new)", action);
    api_document_submit_as(request, DOCUMENT_ICLIENT, action, id, take_document, reply_written, reply_refused);
}

static void reply_no_component(struct http_call *call, const char *message)
{
    api_error_reply(call, &(struct api_error){.code = API_ERROR_INVALID_ICLIENT,
                                              .message = message,
                                              .field = "/data/relationships/component/data/id"});
}

void api_oauth_clients_create(struct api_request *request)
{
    AUTO_JSON document = NULL;
    struct oauth_client_request parsed;
    if (!read_request(request, NULL, &document, &parsed))
        return;
    const struct iclient *definition = find_definition(broker_catalog(request->api->broker), parsed.component);
    bool says_provider = json_object_get(parsed.attributes, "oauth2") || json_object_get(parsed.attributes, "provider");
    if (definition || says_provider) {
        submit(request, DOCUMENT_CREATE, NULL, oauth_client_create_document(&parsed, definition));
        return;
    }
    reply_no_component(request->call, "the provider of this component is not known: an iClient of the tenant "
                                      "\"" DEFINING_TENANT "\" with this component defines it, or the attributes "
                                      "oauth2 or provider say it");
}

/* The client's own component is one, even where only this client defines it. */
static bool is_component_known(const struct api_request *request, const struct iclient *iclient, const char *component)
{
    return !component || has_component(iclient, component) ||
           find_definition(broker_catalog(request->api->broker), component);
}

void api_oauth_clients_change(struct api_request *request)
{
    const struct iclient *iclient = find_named(request);
    AUTO_JSON document = NULL;
    struct oauth_client_request parsed;
    if (!iclient || !read_request(request, iclient, &document, &parsed))
        return;
    if (!is_component_known(request, iclient, parsed.component))
        reply_no_component(request->call, "there is no such component: an iClient of the tenant \"" DEFINING_TENANT
                                          "\" with this component defines it");
    else
        submit(request, DOCUMENT_REPLACE, request->name, oauth_client_change_document(&parsed, iclient));
}

void api_oauth_clients_remove(struct api_request *request)
{
    if (!find_named(request))
        return;
    api_document_log(request->call, what, request->name, DOCUMENT_REMOVE);
    api_document_submit_as(request, DOCUMENT_ICLIENT, DOCUMENT_REMOVE, request->name, NULL, reply_written,
                           reply_refused);
}
