#ifndef PROTOCOL_JWT_JWS_METHOD_H
#define PROTOCOL_JWT_JWS_METHOD_H

#include <jwt.h>
#include <stddef.h>

/* The signature methods of RFC 7518 §3.1 and RFC 8037 §3.1, one row each. */
enum jws_family { JWS_HMAC, JWS_RSA, JWS_RSA_PSS, JWS_ECDSA, JWS_EDDSA };

struct jws_method {
    const char *name;
    enum jws_family family;
    const char *digest;     /* OpenSSL's name; NULL for EdDSA, which hashes by itself */
    const char *curve;      /* ECDSA: OpenSSL's group name */
    const char *curve_name; /* ECDSA: as a person knows it */
    size_t coordinate_size; /* ECDSA: bytes of each half of the signature (RFC 7518 §3.4) */
    jwt_alg_t libjwt;       /* JWT_ALG_NONE where libjwt has no such method */
};

/* NULL when there is none. Names are case-sensitive (RFC 7515 §4.1.1). */
const struct jws_method *jws_method_find(const char *name);

#endif
