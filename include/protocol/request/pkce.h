#ifndef PROTOCOL_REQUEST_PKCE_H
#define PROTOCOL_REQUEST_PKCE_H

#include "base/error.h"
#include "base/random.h"
#include "model/iclient/iclient.h"

/* RFC 7636. The verifier is random_token(): 43 unreserved characters, 256 bits. */
enum { PKCE_CHALLENGE_SIZE = 129 }; /* 43 for S256; up to 128 for plain, with the NUL */

/*
 * The challenge of a verifier: BASE64URL(SHA256(ASCII(verifier))), or the verifier itself for PKCE_PLAIN (§4.2).
 * ERR_INVALID when the verifier breaks §4.1 (43 to 128 unreserved characters) or method is PKCE_NONE; ERR_CRYPTO.
 */
enum status pkce_challenge(enum pkce_method method, const char *verifier, char ret_challenge[PKCE_CHALLENGE_SIZE],
                           struct error *ret_error);
/* "S256" or "plain", as the authorization request says it (§4.3); NULL for PKCE_NONE. */
const char *pkce_method_name(enum pkce_method method);

#endif
