#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* From OpenSSL's generator. ERR_CRYPTO when it cannot deliver; then nothing secret may be made. */
enum status random_bytes(void *ret_bytes, size_t size);

enum { RANDOM_TOKEN_SIZE = 44, RANDOM_UUID_SIZE = 37 };
/* 256 random bits as 43 base64url characters and a NUL: state, tickets, cookies, PKCE verifiers (RFC 7636 §4.1). */
enum status random_token(char ret_text[RANDOM_TOKEN_SIZE]);
/* RFC 4122 version 4. */
enum status random_uuid(char ret_text[RANDOM_UUID_SIZE]);

/* Uniform in [0, 1), for jitter; not for secrets. */
double random_fraction(void);

#endif
