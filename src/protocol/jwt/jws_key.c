#include "protocol/jwt/jws_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048 }; /* RFC 7518 §3.3 and §3.5 */

enum status jws_key_check_secret(const struct jws_method *method, const struct secret *key, struct error *ret_error)
{
    if (secret_length(key) > 0)
        return OK;
    return error_set(ret_error, ERR_INVALID, "%s needs a secret, this one is empty", method->name);
}

struct passphrase_request {
    const struct secret *passphrase;
    bool asked;
};

/* Without a callback OpenSSL would ask on the terminal. */
static int answer_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)writing;
    struct passphrase_request *request = context;
    request->asked = true;
    size_t length = secret_length(request->passphrase);
    if (!request->passphrase || length > (size_t)size)
        return -1;
    memcpy(buffer, secret_reveal(request->passphrase), length);
    return (int)length;
}

/* Why no private key could be read: what the PEM's own label says it is. */
static enum status explain_unreadable(const struct jws_method *method, const struct secret *key,
                                      const struct passphrase_request *request, struct error *ret_error)
{
    static const struct {
        const char *label, *what;
    } kinds[] = {
        {"PUBLIC KEY-----", "a public key"},
        {"-----BEGIN CERTIFICATE-----", "a certificate"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----", "a key in OpenSSH's own format"},
    };
    if (request->asked && !request->passphrase)
        return error_set(ret_error, ERR_CRYPTO, "the private key is encrypted and there is no passphrase");
    if (request->asked)
        return error_set(ret_error, ERR_CRYPTO, "the passphrase does not open the private key");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strstr(secret_reveal(key), kinds[i].label))
            return error_set(ret_error, ERR_INVALID, "this is %s, %s needs a PEM private key", kinds[i].what,
                             method->name);
    }
    return error_set(ret_error, ERR_INVALID, "not a readable PEM private key, which %s needs", method->name);
}

static enum status read_pem(const struct jws_method *method, const struct secret *key, const struct secret *passphrase,
                            EVP_PKEY **ret_key, struct error *ret_error)
{
    if (!key)
        return error_set(ret_error, ERR_INVALID, "%s needs a private key and there is none", method->name);
    BIO *bio = BIO_new_mem_buf(secret_reveal(key), (int)secret_length(key));
    if (!bio)
        return error_set(ret_error, ERR_NO_MEMORY, "private key");
    struct passphrase_request request = {.passphrase = passphrase};
    EVP_PKEY *loaded = PEM_read_bio_PrivateKey(bio, NULL, answer_passphrase, &request);
    BIO_free(bio);
    ERR_clear_error();
    if (!loaded)
        return explain_unreadable(method, key, &request, ret_error);
    *ret_key = loaded;
    return OK;
}

static enum status check_rsa(const struct jws_method *method, EVP_PKEY *key, struct error *ret_error)
{
    /* A key that is bound to PSS may not make PKCS#1 v1.5 signatures. */
    bool fits = EVP_PKEY_is_a(key, "RSA") || (method->family == JWS_RSA_PSS && EVP_PKEY_is_a(key, "RSA-PSS"));
    if (!fits)
        return error_set(ret_error, ERR_INVALID, "%s needs an RSA key, this one is %s", method->name,
                         EVP_PKEY_get0_type_name(key));
    if (EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
        return error_set(ret_error, ERR_INVALID, "%s needs an RSA key of %d bits or more, this one has %d",
                         method->name, RSA_BITS_MIN, EVP_PKEY_get_bits(key));
    return OK;
}

static enum status check_ecdsa(const struct jws_method *method, EVP_PKEY *key, struct error *ret_error)
{
    if (!EVP_PKEY_is_a(key, "EC"))
        return error_set(ret_error, ERR_INVALID, "%s needs an EC key on %s, this one is %s", method->name,
                         method->curve_name, EVP_PKEY_get0_type_name(key));
    char curve[64] = "an unnamed curve";
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, NULL);
    if (strcmp(curve, method->curve) != 0)
        return error_set(ret_error, ERR_INVALID, "%s needs an EC key on %s (%s), this one is on %s", method->name,
                         method->curve_name, method->curve, curve);
    return OK;
}

static enum status check_eddsa(const struct jws_method *method, EVP_PKEY *key, struct error *ret_error)
{
    if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
        return OK;
    return error_set(ret_error, ERR_INVALID, "%s needs an Ed25519 or Ed448 key, this one is %s", method->name,
                     EVP_PKEY_get0_type_name(key));
}

static enum status check_fit(const struct jws_method *method, EVP_PKEY *key, struct error *ret_error)
{
    switch (method->family) {
    case JWS_RSA:
    case JWS_RSA_PSS:
        return check_rsa(method, key, ret_error);
    case JWS_ECDSA:
        return check_ecdsa(method, key, ret_error);
    case JWS_EDDSA:
        return check_eddsa(method, key, ret_error);
    case JWS_HMAC:
        break;
    }
    return error_set(ret_error, ERR_UNSUPPORTED, "%s takes a secret, not a private key", method->name);
}

enum status jws_key_load(const struct jws_method *method, const struct secret *key, const struct secret *passphrase,
                         EVP_PKEY **ret_key, struct error *ret_error)
{
    AUTO_JWS_KEY loaded = NULL;
    enum status status = read_pem(method, key, passphrase, &loaded, ret_error);
    if (status == OK)
        status = check_fit(method, loaded, ret_error);
    ERR_clear_error();
    if (status == OK)
        *ret_key = TAKE(loaded);
    return status;
}

struct secret *jws_key_to_pem(EVP_PKEY *key)
{
    /* A memory BIO wipes what it frees and what it outgrows. */
    BIO *bio = BIO_new(BIO_s_mem());
    struct secret *pem = NULL;
    char *text = NULL;
    if (bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long length = BIO_get_mem_data(bio, &text);
        pem = secret_create(text, (size_t)length);
    }
    BIO_free(bio);
    ERR_clear_error();
    return pem;
}
