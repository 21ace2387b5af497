#ifndef SERVICE_ADMIN_API_REVOKE_H
#define SERVICE_ADMIN_API_REVOKE_H

#include "service/api/api_request.h"

/* POST /v1/connections/NAME/revoke, and how the outcome of a revocation is told. */
void api_admin_revoke(struct api_request *request);

/* What a revocation came to: "revoked", "provider" and "message", without braces. message may be NULL. Appends. */
void api_revoke_append_outcome(struct text_buffer *buffer, enum revoke_result result, const char *message);

#endif
