#ifndef MODEL_ICLIENT_LEGACY_FINGERPRINT_H
#define MODEL_ICLIENT_LEGACY_FINGERPRINT_H

#include <stdbool.h>

#include "model/connection/connection.h"

/*
 * Only for rows of stores that version 0.1 wrote. In place of a binding these have a fingerprint: SHA-256 in hex
 * over token, refresh and auth URI as written, tenant, client id and secret, grant, account, and the connection's own
 * scope and audience. It cannot be taken apart, so tokens of such a row belong to the present configuration when its
 * fingerprint is the same, and to none that is known when it is not.
 */
enum { LEGACY_FINGERPRINT_SIZE = 65 };

/* False: no memory. */
bool legacy_fingerprint(const struct connection *connection, char ret_fingerprint[LEGACY_FINGERPRINT_SIZE]);

#endif
