#ifndef SERVICE_API_API_PERMISSION_H
#define SERVICE_API_API_PERMISSION_H

#include "service/api/api_request.h"

/* Who may do what: the peer's kernel credentials against the rule that the route or the connection names. */

/* Whether the peer may use the request's route; finds the entry for NEED_ACCESS. Answers the call itself when not. */
bool api_permission_check(struct api_request *request);
/* Whether the peer of a call may use a connection; looks up its unit where the rule asks for it. */
bool api_permission_may_use(struct http_call *call, const struct connection *connection);
/* Answers 403 and puts it on record. what: what was denied, for the log. */
void api_permission_refuse(struct api *api, struct http_call *call, const char *what);
/* The same with a message of its own for the caller. */
void api_permission_deny(struct api *api, struct http_call *call, const char *what, const char *message);

#endif
