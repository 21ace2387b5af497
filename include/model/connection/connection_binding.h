#ifndef MODEL_CONNECTION_CONNECTION_BINDING_H
#define MODEL_CONNECTION_CONNECTION_BINDING_H

#include <jansson.h>

#include "model/connection/connection.h"
#include "model/reply/token_binding.h"

/*
 * What tokens belong to that are granted under the connection now. Templates are rendered with the values of the
 * iClient and the connection; the host of a URI also with metadata (what a reply left, NULL: none) and callback (the
 * parameters of a login's answer, NULL: none). A template that names anything else, or nothing that is there, leaves
 * its part absent. NULL when out of memory. The caller has a hold.
 *
 * Connections without values of their own share one binding per iClient.
 */
struct token_binding *connection_binding(const struct connection *connection, const json_t *metadata,
                                         const json_t *callback);

/*
 * What a refresh of tokens of this binding has to ask for: the connection's scope as it is sent, when that is a real
 * part of the scope that was granted (RFC 6749 §6). NULL: the refresh names no scope, which means all of it. Borrowed.
 */
const char *connection_refresh_scope(const struct connection *connection, const struct token_binding *binding);

#endif
