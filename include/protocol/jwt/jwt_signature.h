#ifndef PROTOCOL_JWT_JWT_SIGNATURE_H
#define PROTOCOL_JWT_JWT_SIGNATURE_H

#include <jansson.h>

#include "base/error.h"
#include "base/secret.h"

/*
 * JWS compact serialisation (RFC 7515 §3.1) with HS256/384/512, RS256/384/512, ES256/384/512 (libjwt), PS256/384/512
 * and EdDSA (OpenSSL; RFC 8037). Methods are named as in RFC 7518 §3.1, case as written there.
 */

/*
 * Whether key fits method, asked when an iClient is loaded: HS* any bytes at least as long as the digest (RFC 7518
 * §3.2); RS and PS an RSA private key of 2048 bits or more; ES the right curve; EdDSA Ed25519 or Ed448. PEM, PKCS#8 or
 * traditional. ERR_INVALID says what was found and what is needed; an encrypted PEM without or with a wrong
 * passphrase is ERR_CRYPTO, never a prompt. passphrase may be NULL.
 */
enum status jwt_key_check(const char *method, const struct secret *key, const struct secret *passphrase,
                          struct error *ret_error);

/*
 * Signs payload. header: extra members, NULL for none; "alg" is always method's, "typ" is "JWT" unless header says
 * otherwise. ret_token: header.payload.signature. Errors as jwt_key_check(), ERR_UNSUPPORTED for an unknown method.
 */
enum status jwt_sign(const char *method, const struct secret *key, const struct secret *passphrase,
                     const json_t *header, const json_t *payload, struct secret **ret_token, struct error *ret_error);

#endif
