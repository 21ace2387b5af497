#include "protocol/jwt/jws_sign.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

enum { SIGNATURE_MAX = 2048, COORDINATE_MAX = 66 }; /* RSA of OpenSSL's largest 16384 bits; P-521 */

static enum status sign_hmac(const struct jws_method *method, const struct secret *secret, const char *input,
                             size_t length, struct text_buffer *signature)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!HMAC(EVP_get_digestbyname(method->digest), secret_reveal(secret), (int)secret_length(secret),
              (const unsigned char *)input, length, bytes, &size))
        return ERR_CRYPTO;
    return text_buffer_append(signature, bytes, size) ? OK : ERR_NO_MEMORY;
}

/* RFC 7518 §3.5: MGF1 with the same digest (OpenSSL's default) and a salt of the digest's size. */
static bool choose_pss(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool sign_with_key(const struct jws_method *method, EVP_PKEY *key, const char *input, size_t length,
                          unsigned char *ret_bytes, size_t *size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL; /* owned by context */
    bool done = context && EVP_DigestSignInit_ex(context, &key_context, method->digest, NULL, NULL, key, NULL) == 1 &&
                (method->family != JWS_RSA_PSS || choose_pss(key_context)) &&
                EVP_DigestSign(context, ret_bytes, size, (const unsigned char *)input, length) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

/* OpenSSL writes ECDSA signatures as DER; RFC 7518 §3.4 wants r and s side by side at full length. */
static enum status append_ecdsa(const struct jws_method *method, const unsigned char *der, size_t size,
                                struct text_buffer *signature)
{
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &der, (long)size);
    if (!parts)
        return ERR_CRYPTO;
    unsigned char bytes[2 * COORDINATE_MAX];
    int half = (int)method->coordinate_size;
    bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(parts), bytes, half) == half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(parts), bytes + half, half) == half;
    ECDSA_SIG_free(parts);
    if (!fits)
        return ERR_CRYPTO;
    return text_buffer_append(signature, bytes, 2 * method->coordinate_size) ? OK : ERR_NO_MEMORY;
}

static enum status sign_asymmetric(const struct jws_method *method, EVP_PKEY *key, const char *input, size_t length,
                                   struct text_buffer *signature)
{
    unsigned char bytes[SIGNATURE_MAX];
    size_t size = sizeof bytes;
    if (!sign_with_key(method, key, input, length, bytes, &size))
        return ERR_CRYPTO;
    if (method->family == JWS_ECDSA)
        return append_ecdsa(method, bytes, size, signature);
    return text_buffer_append(signature, bytes, size) ? OK : ERR_NO_MEMORY;
}

enum status jws_sign_input(const struct jws_method *method, const struct secret *secret, EVP_PKEY *key,
                           const char *input, size_t length, struct text_buffer *signature, struct error *ret_error)
{
    enum status status = method->family == JWS_HMAC ? sign_hmac(method, secret, input, length, signature)
                                                    : sign_asymmetric(method, key, input, length, signature);
    ERR_clear_error();
    return status == OK ? OK : error_set(ret_error, status, "%s signature", method->name);
}
