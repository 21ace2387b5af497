#ifndef SERVICE_ADMIN_API_REKEY_H
#define SERVICE_ADMIN_API_REKEY_H

#include "service/api/api_request.h"

/* How far a change of the store's key has come; begins one, or joins the one that is under way. For operators. */
void api_rekey_get(struct api_request *request);
void api_rekey_begin(struct api_request *request);

#endif
