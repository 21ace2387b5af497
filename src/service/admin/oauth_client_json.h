#ifndef SERVICE_ADMIN_OAUTH_CLIENT_JSON_H
#define SERVICE_ADMIN_OAUTH_CLIENT_JSON_H

#include <jansson.h>

#include "base/fault_list.h"
#include "base/text/text_buffer.h"
#include "model/iclient/iclient.h"

/*
 * An iClient as a JSON:API resource of a tenant:
 *   {"type":"oauth-client", "id": _id,
 *    "attributes": {"client_id", "client_secret": "******", "name", "provider", "description"},
 *    "relationships": {"component": {"data": {"type":"component", "id": component} or null}},
 *    "links": {"self": "/v2/tenants/TENANT/oauth-clients/ID"}}
 * Written attributes of a new one may also have "oauth2": members of the iClient's own. Where requests go cannot be
 * changed afterwards, or who may edit a client could have its secret sent to a host of his own.
 */

/* Appends; false when out of memory. */
bool oauth_client_append(const struct iclient *iclient, struct text_buffer *buffer);
/* "/v2/tenants/TENANT/oauth-clients/ID". Appends. */
bool oauth_client_append_path(const char *tenant, const char *id, struct text_buffer *buffer);

/* A request's document, checked: everything is borrowed from it. */
struct oauth_client_request {
    const json_t *attributes;
    const char *component; /* NULL: not said */
};

/*
 * iclient: that the path names, NULL to create one, for which a component is required. Everything that is wrong is in
 * faults, by its place in document. ERR_INVALID.
 */
enum status oauth_client_request_read(const json_t *document, const struct iclient *iclient, struct fault_list *faults,
                                      struct oauth_client_request *ret_request);

/*
 * The document of a new iClient: what the component's definition says of the provider (NULL: there is none), then
 * the attributes. New reference; NULL when out of memory.
 */
json_t *oauth_client_create_document(const struct oauth_client_request *request, const struct iclient *definition);
/*
 * The document of an iClient with the attributes laid over it; a secret that is not said stays masked, which keeps it.
 */
json_t *oauth_client_change_document(const struct oauth_client_request *request, const struct iclient *iclient);

/*
 * Where a fault of an iClient's document stands in a request: "/oauth2/clientId" is "/data/attributes/client_id". What
 * is none of the request's is the component's: its definition gave it. Caller frees; NULL when out of memory.
 */
char *oauth_client_place(const char *pointer);

#endif
