#ifndef SERVICE_TOKEN_API_TOKEN_H
#define SERVICE_TOKEN_API_TOKEN_H

#include "service/api/api_request.h"

/* The token socket's handlers, beside those of api_health.h; one row each in api_token_routes. */
void api_token_get(struct api_request *request);
void api_token_rejected(struct api_request *request);
void api_token_watch(struct api_request *request);
/* The connections of the tenant that this peer may use. */
void api_token_list(struct api_request *request);

#endif
