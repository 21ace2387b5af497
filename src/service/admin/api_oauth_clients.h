#ifndef SERVICE_ADMIN_API_OAUTH_CLIENTS_H
#define SERVICE_ADMIN_API_OAUTH_CLIENTS_H

#include "service/api/api_request.h"

/* A tenant's iClients as JSON:API: /v2/tenants/TENANT/oauth-clients. One row each in api_admin_routes. */
void api_oauth_clients_list(struct api_request *request);
void api_oauth_clients_create(struct api_request *request);
void api_oauth_clients_get(struct api_request *request);
void api_oauth_clients_change(struct api_request *request);
void api_oauth_clients_remove(struct api_request *request);

#endif
