#ifndef MODEL_CONNECTION_CONNECTION_DIGEST_H
#define MODEL_CONNECTION_CONNECTION_DIGEST_H

#include <stdbool.h>

#include "model/connection/connection.h"

/*
 * SHA-256 in hex over all fields of a connection, its iClient and its preset, secrets included: two are the same when
 * a provider cannot tell them apart. What a refusal was met under, so that an edit or a new secret lets the daemon try
 * again. False: no memory.
 */
enum { CONNECTION_DIGEST_SIZE = 65 };
bool connection_digest(const struct connection *connection, char ret_digest[CONNECTION_DIGEST_SIZE]);

#endif
