#ifndef SERVICE_ADMIN_API_DOCUMENT_H
#define SERVICE_ADMIN_API_DOCUMENT_H

#include "broker/document/document_queue.h"
#include "service/api/api_request.h"

/* Writes of iClients and connections: what both have in common. */
enum { API_DOCUMENT_BODY_MAX = 256 * 1024 };

/* Answers the call of a write that is done. */
typedef void api_document_reply(struct api *api, struct http_call *call, enum document_action action,
                                const struct document_outcome *outcome);
/*
 * Hands the write to the store and answers when it has ended: what failed here, what is done through reply. The
 * tenant is the request's.
 */
void api_document_submit(struct api_request *request, enum document_kind kind, enum document_action action,
                         const char *key, json_t *take_document, api_document_reply *reply);

/* The same for documents that the API shows in another form: refuse tells their faults, at the places of that form. */
void api_document_submit_as(struct api_request *request, enum document_kind kind, enum document_action action,
                            const char *key, json_t *take_document, api_document_reply *reply,
                            api_document_reply *refuse);

/* A document with a status of its own; location: of a new one, or NULL. */
void api_document_reply_json(struct http_call *call, int status, const char *location, const struct text_buffer *body);
void api_document_reply_nothing(struct http_call *call);

/* Puts on record who writes what. */
void api_document_log(const struct http_call *call, const char *what, const char *name, enum document_action action);

/* One row each in api_admin_routes. */
void api_iclients_list(struct api_request *request);
void api_iclients_create(struct api_request *request);
void api_iclients_get(struct api_request *request);
void api_iclients_replace(struct api_request *request);
void api_iclients_patch(struct api_request *request);
void api_iclients_remove(struct api_request *request);
void api_iclients_dependencies(struct api_request *request);
void api_connections_create(struct api_request *request);
void api_connections_replace(struct api_request *request);
void api_connections_remove(struct api_request *request);

#endif
