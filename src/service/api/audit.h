#ifndef SERVICE_API_AUDIT_H
#define SERVICE_API_AUDIT_H

#include "base/cleanup.h"
#include "broker/entry/token_entry.h"
#include "io/http/http_server.h"

/*
 * What is on record (notice), within what line_limit.h allows to a user:
 * who was handed which token, one line for each process and generation of a connection, however often that process
 * asks, and never the token; and who was denied.
 */
enum { AUDIT_SLOTS = 1024, AUDIT_SERVED_LINES = 1000, AUDIT_DENIED_LINES = 10 /* of a user within a minute */ };

struct audit;
/* loop: borrowed. NULL when out of memory. */
struct audit *audit_create(struct event_loop *loop);
void audit_destroy(struct audit *audit);
AUTO_DEFINE(audit);

/* The entry's present token goes to the call's peer. A look-up when that is on record already. */
void audit_token_served(struct audit *audit, struct http_call *call, const struct token_entry *entry);
void audit_denied(struct audit *audit, const struct peer *peer, const char *what);

#endif
