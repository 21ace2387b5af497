#include "protocol/jwt/jws_method.h"

#include <string.h>

static const struct jws_method methods[] = {
    {"HS256", JWS_HMAC, "SHA256", NULL, NULL, 0, JWT_ALG_HS256},
    {"HS384", JWS_HMAC, "SHA384", NULL, NULL, 0, JWT_ALG_HS384},
    {"HS512", JWS_HMAC, "SHA512", NULL, NULL, 0, JWT_ALG_HS512},
    {"RS256", JWS_RSA, "SHA256", NULL, NULL, 0, JWT_ALG_RS256},
    {"RS384", JWS_RSA, "SHA384", NULL, NULL, 0, JWT_ALG_RS384},
    {"RS512", JWS_RSA, "SHA512", NULL, NULL, 0, JWT_ALG_RS512},
    {"ES256", JWS_ECDSA, "SHA256", "prime256v1", "P-256", 32, JWT_ALG_ES256},
    {"ES384", JWS_ECDSA, "SHA384", "secp384r1", "P-384", 48, JWT_ALG_ES384},
    {"ES512", JWS_ECDSA, "SHA512", "secp521r1", "P-521", 66, JWT_ALG_ES512},
    {"PS256", JWS_RSA_PSS, "SHA256", NULL, NULL, 0, JWT_ALG_NONE},
    {"PS384", JWS_RSA_PSS, "SHA384", NULL, NULL, 0, JWT_ALG_NONE},
    {"PS512", JWS_RSA_PSS, "SHA512", NULL, NULL, 0, JWT_ALG_NONE},
    {"EdDSA", JWS_EDDSA, NULL, NULL, NULL, 0, JWT_ALG_NONE},
};

const struct jws_method *jws_method_find(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}
