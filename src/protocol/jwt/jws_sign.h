#ifndef PROTOCOL_JWT_JWS_SIGN_H
#define PROTOCOL_JWT_JWS_SIGN_H

#include <openssl/evp.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "protocol/jwt/jws_method.h"

/*
 * The JWS signature (RFC 7515 §5.1) over input by OpenSSL, for any method: libjwt knows neither PS* nor EdDSA and
 * signs no header but its own. Appends the signature's bytes, not yet encoded.
 * secret: for HS*; key: for all others, from jws_key_load(). ERR_CRYPTO, ERR_NO_MEMORY.
 */
enum status jws_sign_input(const struct jws_method *method, const struct secret *secret, EVP_PKEY *key,
                           const char *input, size_t length, struct text_buffer *signature, struct error *ret_error);

#endif
