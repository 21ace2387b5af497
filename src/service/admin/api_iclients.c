/* iClients as integrator.io's API has them: /v1/iClients. */
#include <string.h>

#include "service/admin/api_document.h"
#include "service/api/api_listing.h"

enum { ID_LENGTH = 24, LOCATION_MAX = 64 };
static const char what[] = "iClient";

/* The _id in the path; NULL after the call was answered. */
static const char *read_id(struct api_request *request)
{
    size_t length;
    bool is_id = route_decode_name(request->match.names[0], request->name, sizeof request->name, &length) &&
                 length == ID_LENGTH && strspn(request->name, "0123456789abcdefABCDEF") == ID_LENGTH;
    if (is_id)
        return request->name;
    api_error_reply_field(request->call, "_id", "an _id has 24 hexadecimal digits");
    return NULL;
}

static const struct iclient *find(struct api *api, const char *tenant, const char *id)
{
    const struct iclient *iclient = catalog_find_iclient_by_id(broker_catalog(api->broker), id);
    return iclient && strcmp(iclient_tenant(iclient), tenant) == 0 ? iclient : NULL;
}

static bool append_iclient(const void *element, struct text_buffer *buffer)
{
    AUTO_JSON document = iclient_to_json(element);
    return document && text_buffer_append_json(buffer, document);
}

static void reply_iclient(struct http_call *call, int status, const char *location, const struct iclient *iclient)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_DOCUMENT_MAX);
    /* Without memory nothing is appended, and an empty body is no document. */
    if (!append_iclient(iclient, &body))
        api_error_reply_no_memory(call);
    else
        api_document_reply_json(call, status, location, &body);
}

/* ---- reading ---- */

static void release_iclient(void *element)
{
    iclient_destroy(element);
}

void api_iclients_list(struct api_request *request)
{
    static const struct api_listing_kind kind = {"[", "]", append_iclient, release_iclient};
    const struct catalog *catalog = broker_catalog(request->api->broker);
    AUTO(api_listing) listing = api_listing_create(&kind);
    bool done = listing != NULL;
    for (size_t i = 0; done && i < catalog_iclient_count(catalog); i++) {
        const struct iclient *iclient = catalog_iclient_at(catalog, i);
        if (strcmp(iclient_tenant(iclient), request->tenant) == 0)
            done = api_listing_add(listing, iclient_hold(iclient));
    }
    if (done)
        api_listing_reply(TAKE(listing), request->call);
    else
        api_error_reply_no_memory(request->call);
}

void api_iclients_get(struct api_request *request)
{
    const char *id = read_id(request);
    if (!id)
        return;
    const struct iclient *iclient = find(request->api, request->tenant, id);
    if (iclient)
        reply_iclient(request->call, 200, NULL, iclient);
    else
        api_error_reply_text(request->call, API_ERROR_NOT_FOUND, "there is no iClient of this _id");
}

/* ---- dependencies ---- */

static void append_member(struct text_buffer *buffer, const char *before, const char *text)
{
    text_buffer_append_text(buffer, before);
    text_buffer_append_json_string(buffer, text, strlen(text));
}

/* A connection's name is its id. Who may ask is an operator, whose access is the owner's. */
static bool append_dependency(const void *element, struct text_buffer *buffer)
{
    const struct connection *connection = element;
    append_member(buffer, "{\"id\":", connection_name(connection));
    append_member(buffer, ",\"name\":", connection_name(connection));
    append_member(buffer, ",\"paths\":[\"/iClient\"],\"accessLevel\":\"owner\",\"dependencyIds\":{\"iClients\":[",
                  iclient_id(connection_iclient(connection)));
    return text_buffer_append_text(buffer, "]}}");
}

static void release_connection(void *element)
{
    connection_destroy(element);
}

struct dependencies {
    struct api_listing *listing;
    bool is_empty;
    bool done;
};

static bool add_dependency(void *context, const struct connection *connection)
{
    struct dependencies *dependencies = context;
    dependencies->is_empty = false;
    dependencies->done = api_listing_add(dependencies->listing, connection_hold(connection));
    return dependencies->done;
}

void api_iclients_dependencies(struct api_request *request)
{
    static const struct api_listing_kind kind = {"{\"connections\":[", "]}", append_dependency, release_connection};
    const char *id = read_id(request);
    if (!id)
        return;
    AUTO(api_listing) listing = api_listing_create(&kind);
    struct dependencies dependencies = {.listing = listing, .is_empty = true, .done = listing != NULL};
    const struct iclient *iclient = find(request->api, request->tenant, id);
    if (listing && iclient)
        catalog_for_each_connection_of(broker_catalog(request->api->broker), iclient, add_dependency, &dependencies);
    if (!dependencies.done) {
        api_error_reply_no_memory(request->call);
        return;
    }
    if (!dependencies.is_empty) {
        api_listing_reply(TAKE(listing), request->call);
        return;
    }
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_DOCUMENT_MAX);
    text_buffer_append_text(&body, "{}");
    api_reply_json(request->call, &body);
}

/* ---- writing ---- */

static void reply_written(struct api *api, struct http_call *call, enum document_action action,
                          const struct document_outcome *outcome)
{
    const struct iclient *iclient = find(api, outcome->tenant, outcome->key);
    AUTO_FINISH(text_buffer) location;
    text_buffer_init(&location, LOCATION_MAX);
    text_buffer_append_format(&location, "/v1/iClients/%s", outcome->key);
    if (!iclient || action == DOCUMENT_PATCH)
        api_document_reply_nothing(call);
    else if (action == DOCUMENT_CREATE)
        reply_iclient(call, 201, text_buffer_text(&location), iclient);
    else
        reply_iclient(call, 200, NULL, iclient);
}

void api_iclients_create(struct api_request *request)
{
    json_t *document;
    if (!api_request_read_body(request, false, &document))
        return;
    api_document_log(request->call, what, "(new)", DOCUMENT_CREATE);
    api_document_submit(request, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, document, reply_written);
}

void api_iclients_replace(struct api_request *request)
{
    const char *id = read_id(request);
    json_t *document;
    if (!id || !api_request_read_body(request, false, &document))
        return;
    api_document_log(request->call, what, id, DOCUMENT_REPLACE);
    api_document_submit(request, DOCUMENT_ICLIENT, DOCUMENT_REPLACE, id, document, reply_written);
}

void api_iclients_patch(struct api_request *request)
{
    const char *id = read_id(request);
    json_t *patch;
    if (!id || !api_request_read_json(request, &patch))
        return;
    /* Nothing to write: lastModified stays, and a document of a file may be left as it is. */
    if (json_is_array(patch) && json_array_size(patch) == 0 && find(request->api, request->tenant, id)) {
        json_decref(patch);
        api_document_reply_nothing(request->call);
        return;
    }
    api_document_log(request->call, what, id, DOCUMENT_PATCH);
    api_document_submit(request, DOCUMENT_ICLIENT, DOCUMENT_PATCH, id, patch, reply_written);
}

void api_iclients_remove(struct api_request *request)
{
    const char *id = read_id(request);
    if (!id)
        return;
    api_document_log(request->call, what, id, DOCUMENT_REMOVE);
    api_document_submit(request, DOCUMENT_ICLIENT, DOCUMENT_REMOVE, id, NULL, reply_written);
}
