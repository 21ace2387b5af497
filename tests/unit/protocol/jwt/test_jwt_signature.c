#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/json/json_read.h"
#include "protocol/jwt/jws_key.h"
#include "protocol/jwt/jws_sign.h"
#include "protocol/jwt/jwt_signature.h"
#include "protocol/jws_keys.h"

#define A1_INPUT                                                                                                       \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."                                                                        \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A1_KEY "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
#define A2_INPUT                                                                                                       \
    "eyJhbGciOiJSUzI1NiJ9."                                                                                            \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A2_SIGNATURE                                                                                                   \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t" \
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j" \
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ" \
    "Ge77Rw"

static struct secret *hmac_key_of_a1(void)
{
    AUTO_FINISH(text_buffer) bytes;
    text_buffer_init(&bytes, 64);
    cr_assert_eq(base64url_decode(A1_KEY, strlen(A1_KEY), &bytes), OK);
    return text_buffer_take_secret(&bytes);
}

/* Signs input with a PEM or an HS secret and gives the signature as base64url. */
static char *sign_input(const char *name, const struct secret *key, const char *input)
{
    const struct jws_method *method = jws_method_find(name);
    AUTO_JWS_KEY loaded = NULL;
    if (method->family != JWS_HMAC)
        cr_assert_eq(jws_key_load(method, key, NULL, &loaded, NULL), OK);
    AUTO_FINISH(text_buffer) signature;
    text_buffer_init(&signature, 2048);
    cr_assert_eq(jws_sign_input(method, key, loaded, input, strlen(input), &signature, NULL), OK);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 4096);
    cr_assert(base64url_append(&text, text_buffer_text(&signature), signature.length));
    return text_buffer_take(&text);
}

/* ---- vectors ---- */

Test(jwt_signature, hs256_gives_the_mac_of_rfc_7515_a_1)
{
    AUTO(secret) key = hmac_key_of_a1();
    AUTO_TEXT signature = sign_input("HS256", key, A1_INPUT);
    cr_assert_str_eq(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

Test(jwt_signature, rs256_gives_the_signature_of_rfc_7515_a_2)
{
    AUTO(secret) key = secret_from_text(RSA_A2);
    AUTO_TEXT signature = sign_input("RS256", key, A2_INPUT);
    cr_assert_str_eq(signature, A2_SIGNATURE);
}

Test(jwt_signature, eddsa_gives_the_signature_of_rfc_8037_a_4)
{
    AUTO(secret) key = secret_from_text(ED25519_A1);
    AUTO_TEXT signature = sign_input("EdDSA", key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    cr_assert_str_eq(signature,
                     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

/* ---- whole tokens, verified by OpenSSL ---- */

struct parts {
    json_t *header, *payload;
    char *input; /* header.payload */
    struct text_buffer signature;
};

static json_t *decode_json(const char *text, size_t length)
{
    AUTO_FINISH(text_buffer) bytes;
    text_buffer_init(&bytes, 64 * 1024);
    cr_assert_eq(base64url_decode(text, length, &bytes), OK);
    json_t *value = NULL;
    cr_assert_eq(json_read_text(text_buffer_text(&bytes), bytes.length, &value, NULL), OK);
    return value;
}

static struct parts take_apart(const struct secret *token)
{
    struct parts parts = {0};
    const char *text = secret_reveal(token);
    const char *first = strchr(text, '.');
    const char *last = strrchr(text, '.');
    cr_assert(first && last > first);
    parts.header = decode_json(text, (size_t)(first - text));
    parts.payload = decode_json(first + 1, (size_t)(last - first - 1));
    parts.input = strndup(text, (size_t)(last - text));
    text_buffer_init(&parts.signature, 4096);
    cr_assert_eq(base64url_decode(last + 1, strlen(last + 1), &parts.signature), OK);
    return parts;
}

static void parts_finish(struct parts *parts)
{
    json_decref(parts->header);
    json_decref(parts->payload);
    free(parts->input);
    text_buffer_finish(&parts->signature);
}

/* r and s side by side back to the DER that OpenSSL verifies. */
static size_t to_der(const struct text_buffer *signature, unsigned char *der)
{
    int half = (int)signature->length / 2;
    const unsigned char *bytes = (const unsigned char *)signature->data;
    ECDSA_SIG *parts = ECDSA_SIG_new();
    ECDSA_SIG_set0(parts, BN_bin2bn(bytes, half, NULL), BN_bin2bn(bytes + half, half, NULL));
    int size = i2d_ECDSA_SIG(parts, &der);
    ECDSA_SIG_free(parts);
    return (size_t)size;
}

static bool verifies(const char *name, const char *pem, const struct parts *parts)
{
    const struct jws_method *method = jws_method_find(name);
    AUTO(secret) secret = secret_from_text(pem);
    if (method->family == JWS_HMAC) {
        AUTO_FINISH(text_buffer) mac;
        text_buffer_init(&mac, 64);
        cr_assert_eq(jws_sign_input(method, secret, NULL, parts->input, strlen(parts->input), &mac, NULL), OK);
        return mac.length == parts->signature.length && memcmp(mac.data, parts->signature.data, mac.length) == 0;
    }
    AUTO_JWS_KEY key = NULL;
    cr_assert_eq(jws_key_load(method, secret, NULL, &key, NULL), OK);
    unsigned char der[256];
    const unsigned char *bytes = (const unsigned char *)parts->signature.data;
    size_t size = parts->signature.length;
    if (method->family == JWS_ECDSA) {
        cr_assert_eq(size, 2 * method->coordinate_size);
        size = to_der(&parts->signature, der);
        bytes = der;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL;
    cr_assert_eq(EVP_DigestVerifyInit_ex(context, &key_context, method->digest, NULL, NULL, key, NULL), 1);
    if (method->family == JWS_RSA_PSS) {
        cr_assert_eq(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING), 1);
        cr_assert_eq(
            EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, EVP_MD_get_size(EVP_get_digestbyname(method->digest))), 1);
    }
    int verified = EVP_DigestVerify(context, bytes, size, (const unsigned char *)parts->input, strlen(parts->input));
    EVP_MD_CTX_free(context);
    return verified == 1;
}

static const char long_secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static const struct {
    const char *method, *key;
} fitting[] = {
    {"HS256", long_secret},
    {"HS384", long_secret},
    {"HS512", long_secret},
    {"RS256", RSA_A2},
    {"RS384", RSA_A2},
    {"RS512", RSA_A2},
    {"RS256", RSA_A2_TRADITIONAL},
    {"PS256", RSA_A2},
    {"PS384", RSA_A2},
    {"PS512", RSA_A2},
    {"ES256", EC_A3},
    {"ES256", EC_A3_TRADITIONAL},
    {"ES384", EC_P384},
    {"ES512", EC_A4},
    {"EdDSA", ED25519_A1},
    {"EdDSA", ED448},
};

static void check_signed(const char *method, const char *pem, const char *type)
{
    AUTO(secret) key = secret_from_text(pem);
    AUTO_JSON header = type ? json_pack("{s:s, s:s, s:s}", "kid", "k1", "alg", "none", "typ", type)
                            : json_pack("{s:s, s:s, s:n}", "kid", "k1", "alg", "none", "typ");
    AUTO_JSON payload =
        json_pack("{s:s, s:I, s:{s:[i, b]}}", "iss", "joe", "exp", (json_int_t)1300819380, "deep", "list", 1, 1);
    AUTO(secret) token = NULL;
    struct error error = {0};
    cr_assert_eq(jwt_sign(method, key, NULL, header, payload, &token, &error), OK, "%s: %s", method, error.message);
    struct parts parts = take_apart(token);
    cr_expect(verifies(method, pem, &parts), "%s does not verify", method);
    cr_expect(json_equal(parts.payload, payload), "%s changes the payload", method);
    cr_expect_str_eq(json_read_string(parts.header, "alg"), method);
    cr_expect_str_eq(json_read_string(parts.header, "kid"), "k1");
    if (type)
        cr_expect_str_eq(json_read_string(parts.header, "typ"), type, "%s", method);
    else
        cr_expect_null(json_object_get(parts.header, "typ"), "%s", method);
    parts_finish(&parts);
}

Test(jwt_signature, every_method_signs_what_openssl_verifies_with_alg_its_own)
{
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++)
        check_signed(fitting[i].method, fitting[i].key, "JWT");
}

Test(jwt_signature, another_typ_is_kept_and_null_removes_it)
{
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++) {
        check_signed(fitting[i].method, fitting[i].key, "at+jwt");
        check_signed(fitting[i].method, fitting[i].key, NULL);
    }
}

Test(jwt_signature, typ_is_jwt_without_a_header)
{
    AUTO(secret) key = secret_from_text(RSA_A2);
    AUTO_JSON payload = json_object();
    const char *methods[] = {"RS256", "PS256"};
    for (size_t i = 0; i < 2; i++) {
        AUTO(secret) token = NULL;
        cr_assert_eq(jwt_sign(methods[i], key, NULL, NULL, payload, &token, NULL), OK);
        struct parts parts = take_apart(token);
        cr_expect_str_eq(json_read_string(parts.header, "typ"), "JWT");
        cr_expect_eq(json_object_size(parts.header), 2);
        parts_finish(&parts);
    }
}

Test(jwt_signature, rs256_by_libjwt_is_the_same_bytes_as_by_openssl)
{
    AUTO(secret) key = secret_from_text(RSA_A2);
    AUTO_JSON payload = json_pack("{s:s}", "iss", "joe");
    AUTO(secret) token = NULL;
    cr_assert_eq(jwt_sign("RS256", key, NULL, NULL, payload, &token, NULL), OK);
    const char *last = strrchr(secret_reveal(token), '.');
    AUTO_TEXT input = strndup(secret_reveal(token), (size_t)(last - secret_reveal(token)));
    AUTO_TEXT expected = sign_input("RS256", key, input);
    cr_assert_str_eq(last + 1, expected);
}

Test(jwt_signature, encrypted_keys_sign_with_their_passphrase)
{
    const char *pems[] = {RSA_A2_ENCRYPTED, RSA_A2_TRADITIONAL_ENCRYPTED};
    AUTO(secret) passphrase = secret_from_text("open sesame");
    AUTO_JSON payload = json_pack("{s:s}", "iss", "joe");
    for (size_t i = 0; i < 2; i++) {
        AUTO(secret) key = secret_from_text(pems[i]);
        AUTO(secret) token = NULL;
        cr_assert_eq(jwt_sign("RS256", key, passphrase, NULL, payload, &token, NULL), OK);
        struct parts parts = take_apart(token);
        cr_expect(verifies("RS256", RSA_A2, &parts));
        parts_finish(&parts);
    }
}

/* ---- keys that do not fit ---- */

static const struct {
    const char *method, *key, *passphrase;
    enum status status;
    const char *says;
} misfits[] = {
    {"HS256", "", NULL, ERR_INVALID, "this one is empty"},
    {"RS256", RSA_1024, NULL, ERR_INVALID, "2048 bits or more, this one has 1024"},
    {"PS256", RSA_1024, NULL, ERR_INVALID, "2048 bits or more"},
    {"RS256", EC_A3, NULL, ERR_INVALID, "needs an RSA key, this one is EC"},
    {"ES256", EC_P384, NULL, ERR_INVALID, "P-256 (prime256v1), this one is on secp384r1"},
    {"ES384", EC_A4, NULL, ERR_INVALID, "P-384"},
    {"ES256", RSA_A2, NULL, ERR_INVALID, "needs an EC key on P-256, this one is RSA"},
    {"EdDSA", EC_A3, NULL, ERR_INVALID, "Ed25519 or Ed448 key, this one is EC"},
    {"RS256", ED25519_A1, NULL, ERR_INVALID, "this one is ED25519"},
    {"RS256", RSA_A2_PUBLIC, NULL, ERR_INVALID, "this is a public key"},
    {"RS256", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NULL, ERR_INVALID, "a certificate"},
    {"RS256", "garbage", NULL, ERR_INVALID, "not a readable PEM"},
    {"RS256", "", NULL, ERR_INVALID, "not a readable PEM"},
    {"RS256", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", NULL, ERR_INVALID,
     "not a readable PEM"},
    {"RS256", RSA_A2_ENCRYPTED, NULL, ERR_CRYPTO, "there is no passphrase"},
    {"RS256", RSA_A2_ENCRYPTED, "wrong", ERR_CRYPTO, "the passphrase does not open"},
    {"RS256", RSA_A2_ENCRYPTED, "", ERR_CRYPTO, "the passphrase does not open"},
    {"RS256", RSA_A2_TRADITIONAL_ENCRYPTED, NULL, ERR_CRYPTO, "there is no passphrase"},
    {"RS256", RSA_A2_TRADITIONAL_ENCRYPTED, "wrong", ERR_CRYPTO, "the passphrase does not open"},
    {"none", long_secret, NULL, ERR_UNSUPPORTED, "unknown signature method"},
    {"hs256", long_secret, NULL, ERR_UNSUPPORTED, "unknown signature method"},
    {"", long_secret, NULL, ERR_UNSUPPORTED, "unknown signature method"},
};

Test(jwt_signature, keys_that_do_not_fit_are_refused_by_check_and_sign_alike)
{
    AUTO_JSON payload = json_object();
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        AUTO(secret) key = secret_from_text(misfits[i].key);
        AUTO(secret) passphrase = misfits[i].passphrase ? secret_from_text(misfits[i].passphrase) : NULL;
        struct error error = {0};
        cr_expect_eq(jwt_key_check(misfits[i].method, key, passphrase, &error), misfits[i].status, "case %zu: %s", i,
                     error.message);
        cr_expect(strstr(error.message, misfits[i].says), "case %zu says: %s", i, error.message);
        AUTO(secret) token = NULL;
        cr_expect_eq(jwt_sign(misfits[i].method, key, passphrase, NULL, payload, &token, NULL), misfits[i].status);
        cr_expect_null(token);
    }
}

Test(jwt_signature, a_missing_key_is_refused)
{
    cr_expect_eq(jwt_key_check("RS256", NULL, NULL, NULL), ERR_INVALID);
    cr_expect_eq(jwt_key_check("HS256", NULL, NULL, NULL), ERR_INVALID);
}

Test(jwt_signature, keys_that_fit_pass_the_check)
{
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++) {
        AUTO(secret) key = secret_from_text(fitting[i].key);
        cr_expect_eq(jwt_key_check(fitting[i].method, key, NULL, NULL), OK, "%s", fitting[i].method);
    }
}
