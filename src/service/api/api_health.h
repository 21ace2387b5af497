#ifndef SERVICE_API_API_HEALTH_H
#define SERVICE_API_API_HEALTH_H

#include "service/api/api_request.h"

/* GET /healthz: the loop turns. GET /readyz: the store answers too. A provider being down changes neither. */
void api_health_get(struct api_request *request);
void api_ready_get(struct api_request *request);

#endif
