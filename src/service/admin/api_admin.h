#ifndef SERVICE_ADMIN_API_ADMIN_H
#define SERVICE_ADMIN_API_ADMIN_H

#include "service/api/api_request.h"

/* The admin socket's handlers; one row each in api_admin_routes. All for operators. */
void api_admin_list(struct api_request *request);
void api_admin_get(struct api_request *request);
void api_admin_authorize(struct api_request *request);
void api_admin_complete(struct api_request *request);
void api_admin_refresh(struct api_request *request);
void api_metrics_get(struct api_request *request);

#endif
