#ifndef SERVICE_API_API_ROUTER_H
#define SERVICE_API_API_ROUTER_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/metrics.h"
#include "broker/broker.h"
#include "io/http/http_server.h"
#include "model/catalog/tenant_access.h"

/*
 * The two HTTP faces for programs: the token socket for services, the admin socket for operators. Each is a table of
 * routes; who may use a route stands in its row. Single-threaded, on the loop.
 */
struct api;

struct api_options {
    struct event_loop *loop;       /* borrowed */
    const char *redirect_base_uri; /* "http://127.0.0.1:8085": connect_url starts with it; copied */
    const char *admin_group;       /* adminSocket.group: its members are operators; NULL: group "iclientd", if any */
    struct tenant_access *tenants; /* who else may use a tenant's OAuth clients; held; may be NULL */
    uid_t own_uid;                 /* the daemon's effective user, an operator like root */
};

/* broker, metrics: borrowed for the api's life. ERR_INVALID: no such group; ERR_NO_MEMORY. */
enum status api_create(struct broker *broker, struct metrics *metrics, const struct api_options *options,
                       struct api **ret_api, struct error *ret_error);
/* Another one at a reload; held, may be NULL. */
void api_set_tenants(struct api *api, struct tenant_access *tenants);
/* After the servers that call into it are gone; before the broker. */
void api_destroy(struct api *api);
AUTO_DEFINE(api);

/* For http_server_create(); the context is the struct api. */
void api_handle_token_socket(struct http_call *call, void *api);
void api_handle_admin_socket(struct http_call *call, void *api);
/* Of both sockets: an error as all of this API, JSON:API's below /v2/. */
void api_refuse(struct http_call *call, const struct http_refusal *refusal, void *api);

#endif
