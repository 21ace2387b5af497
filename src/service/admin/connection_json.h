#ifndef SERVICE_ADMIN_CONNECTION_JSON_H
#define SERVICE_ADMIN_CONNECTION_JSON_H

#include "service/api/api_request.h"

/* Connections as JSON objects. Times are wall clock seconds or null; no secret is in them. Append. */
typedef bool connection_json_append(struct token_entry *entry, struct text_buffer *buffer);

/* What a service may know: name, iClient, state, expiry. */
connection_json_append connection_json_append_brief;
/* What an operator wants to know: everything but the tokens. */
connection_json_append connection_json_append_full;

/* Answers with the tenant's connections as an array; only_allowed: those that the peer may use. */
void connection_json_reply_list(struct api_request *request, connection_json_append *append, bool only_allowed);
/* Answers with one object, and its document as it would be written ("document"); location: of a new one, or NULL. */
void connection_json_reply_document(struct http_call *call, int status, const char *location,
                                    struct token_entry *entry);
/* Answers with one object. */
void connection_json_reply(struct http_call *call, struct token_entry *entry);

#endif
