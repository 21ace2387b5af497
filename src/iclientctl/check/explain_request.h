#ifndef ICLIENTCTL_CHECK_EXPLAIN_REQUEST_H
#define ICLIENTCTL_CHECK_EXPLAIN_REQUEST_H

#include <jansson.h>

#include "iclientctl/terminal/placeholder.h"
#include "model/connection/connection.h"

/*
 * Every request that a connection leads to, in the order in which they come, made by the same functions that make
 * the daemon's: {"request", "title", "method", "url", "headers": [{"name", "value"}], "body", "jwts": [{"header",
 * "payload"}]}, or {"request", "title", "error"} for one that cannot be made. What the daemon knows only at run
 * time has a placeholder. New reference; NULL when out of memory.
 *   connection: of documents without secrets (explain_document.h)
 */
json_t *explain_requests(const struct connection *connection, struct placeholders *placeholders);

#endif
