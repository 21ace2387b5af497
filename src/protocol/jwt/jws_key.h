#ifndef PROTOCOL_JWT_JWS_KEY_H
#define PROTOCOL_JWT_JWS_KEY_H

#include <openssl/evp.h>

#include "base/error.h"
#include "base/secret.h"
#include "protocol/jwt/jws_method.h"

/*
 * An HS secret: not empty. ERR_INVALID. A short one is the provider's choice; documents are warned of it when they are
 * read.
 */
enum status jws_key_check_secret(const struct jws_method *method, const struct secret *key, struct error *ret_error);

/*
 * Reads a PEM private key, PKCS#8 or traditional, and checks that it fits method: kind, curve, RSA size. Never
 * prompts. ERR_INVALID says what was found and what is needed; ERR_CRYPTO: encrypted, and the passphrase (may be NULL)
 * does not open it. ret_key: EVP_PKEY_free().
 */
enum status jws_key_load(const struct jws_method *method, const struct secret *key, const struct secret *passphrase,
                         EVP_PKEY **ret_key, struct error *ret_error);

/* The key as an unencrypted PKCS#8 PEM. NULL when out of memory. */
struct secret *jws_key_to_pem(EVP_PKEY *key);

/* Frees at the end of the scope, as AUTO() does for our own types. */
#define AUTO_JWS_KEY __attribute__((cleanup(jws_key_free_at))) EVP_PKEY *
static inline void jws_key_free_at(EVP_PKEY **at)
{
    EVP_PKEY_free(*at);
}

#endif
