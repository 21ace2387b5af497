#include "protocol/jwt/jwt_signature.h"

#include <errno.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/text_buffer.h"
#include "protocol/jwt/jws_key.h"
#include "protocol/jwt/jws_method.h"
#include "protocol/jwt/jws_sign.h"

enum { JWT_MAX = 64 * 1024, SIGNATURE_MAX = 2048 };

static enum status find_method(const char *name, const struct jws_method **ret_method, struct error *ret_error)
{
    *ret_method = jws_method_find(name);
    return *ret_method ? OK : error_set(ret_error, ERR_UNSUPPORTED, "unknown signature method \"%.20s\"", name);
}

/* Checks the key; ret_key stays NULL for the HS methods, whose key is the secret itself. */
static enum status load_key(const struct jws_method *method, const struct secret *key, const struct secret *passphrase,
                            EVP_PKEY **ret_key, struct error *ret_error)
{
    if (method->family == JWS_HMAC)
        return jws_key_check_secret(method, key, ret_error);
    return jws_key_load(method, key, passphrase, ret_key, ret_error);
}

enum status jwt_key_check(const char *name, const struct secret *key, const struct secret *passphrase,
                          struct error *ret_error)
{
    const struct jws_method *method;
    enum status status = find_method(name, &method, ret_error);
    AUTO_JWS_KEY loaded = NULL;
    return status == OK ? load_key(method, key, passphrase, &loaded, ret_error) : status;
}

/* header with alg, and with typ unless it has one of its own or says null to have none. */
static json_t *complete_header(const struct jws_method *method, const json_t *header)
{
    AUTO_JSON complete = json_pack("{s:s, s:s}", "alg", method->name, "typ", "JWT");
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)header, name, value) {
        if (strcmp(name, "alg") == 0)
            continue;
        if (json_is_null(value))
            json_object_del(complete, name);
        else if (json_object_set(complete, name, value) != 0)
            return NULL;
    }
    return TAKE(complete);
}

/* libjwt 1.10 writes "typ":"JWT" over any other, and has neither PS* nor EdDSA. */
static bool libjwt_can_sign(const struct jws_method *method, const json_t *header)
{
    const char *type = json_string_value(json_object_get(header, "typ"));
    return method->libjwt != JWT_ALG_NONE && type && strcmp(type, "JWT") == 0;
}

/* Adds a JSON object to a jwt_t by one of libjwt's two calls that take text; errno's values. */
static int add_json(jwt_t *jwt, int (*add)(jwt_t *jwt, const char *text), const json_t *object)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, JWT_MAX);
    if (!text_buffer_append_json(&text, object))
        return ENOMEM;
    return add(jwt, text_buffer_text(&text));
}

static enum status encode_with_libjwt(jwt_t *jwt, struct secret **ret_token)
{
    char *text = jwt_encode_str(jwt);
    if (!text)
        return errno == ENOMEM ? ERR_NO_MEMORY : ERR_CRYPTO;
    *ret_token = secret_from_text(text);
    secret_wipe(text, strlen(text));
    free(text); /* libjwt 1.10 has no call for it; its allocator is malloc */
    return *ret_token ? OK : ERR_NO_MEMORY;
}

static enum status sign_with_libjwt(const struct jws_method *method, const struct secret *key, const json_t *header,
                                    const json_t *payload, struct secret **ret_token)
{
    jwt_t *jwt = NULL;
    int failure = jwt_new(&jwt);
    if (failure == 0)
        failure = add_json(jwt, jwt_add_headers_json, header);
    if (failure == 0)
        failure = add_json(jwt, jwt_add_grants_json, payload);
    if (failure == 0)
        failure = jwt_set_alg(jwt, method->libjwt, (const unsigned char *)secret_reveal(key), (int)secret_length(key));
    enum status status = failure == ENOMEM ? ERR_NO_MEMORY : ERR_CRYPTO;
    if (failure == 0)
        status = encode_with_libjwt(jwt, ret_token);
    jwt_free(jwt);
    return status;
}

static bool append_encoded_json(struct text_buffer *token, const json_t *object)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, JWT_MAX);
    return text_buffer_append_json(&text, object) && base64url_append(token, text_buffer_text(&text), text.length);
}

static enum status sign_with_openssl(const struct jws_method *method, const struct secret *secret, EVP_PKEY *key,
                                     const json_t *header, const json_t *payload, struct secret **ret_token,
                                     struct error *ret_error)
{
    AUTO_FINISH(text_buffer) token;
    text_buffer_init(&token, JWT_MAX);
    AUTO_FINISH(text_buffer) signature;
    text_buffer_init(&signature, SIGNATURE_MAX);
    if (!append_encoded_json(&token, header) || !text_buffer_append_text(&token, ".") ||
        !append_encoded_json(&token, payload))
        return error_set(ret_error, ERR_TOO_LARGE, "a JWT is larger than %d bytes", JWT_MAX);
    enum status status =
        jws_sign_input(method, secret, key, text_buffer_text(&token), token.length, &signature, ret_error);
    if (status != OK)
        return status;
    text_buffer_append_text(&token, ".");
    base64url_append(&token, text_buffer_text(&signature), signature.length);
    *ret_token = text_buffer_take_secret(&token);
    return *ret_token ? OK : error_set(ret_error, ERR_NO_MEMORY, "JWT");
}

enum status jwt_sign(const char *name, const struct secret *key, const struct secret *passphrase, const json_t *header,
                     const json_t *payload, struct secret **ret_token, struct error *ret_error)
{
    const struct jws_method *method;
    AUTO_JWS_KEY loaded = NULL;
    enum status status = find_method(name, &method, ret_error);
    if (status == OK)
        status = load_key(method, key, passphrase, &loaded, ret_error);
    if (status != OK)
        return status;
    AUTO_JSON complete = complete_header(method, header);
    if (!complete)
        return error_set(ret_error, ERR_NO_MEMORY, "JWT header");

    AUTO(secret) token = NULL;
    if (!libjwt_can_sign(method, complete)) {
        status = sign_with_openssl(method, key, loaded, complete, payload, &token, ret_error);
    } else {
        /* Re-encoded, so that what was checked is what signs, and libjwt never meets an encrypted PEM: it would prompt.
         */
        AUTO(secret) plain = loaded ? jws_key_to_pem(loaded) : secret_hold(key);
        status = plain ? sign_with_libjwt(method, plain, complete, payload, &token) : ERR_NO_MEMORY;
        if (status != OK)
            error_set(ret_error, status, "%s signature", method->name);
    }
    if (status == OK)
        *ret_token = TAKE(token);
    return status;
}
