#include "protocol/request/pkce.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/text_buffer.h"

enum { VERIFIER_MIN = 43, VERIFIER_MAX = 128, SHA256_SIZE = 32 };

/* RFC 7636 §4.1: 43 to 128 unreserved characters. */
static bool is_verifier(const char *verifier)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t length = strspn(verifier, unreserved);
    return verifier[length] == '\0' && length >= VERIFIER_MIN && length <= VERIFIER_MAX;
}

static enum status append_s256(const char *verifier, struct text_buffer *challenge)
{
    unsigned char digest[SHA256_SIZE];
    if (EVP_Digest(verifier, strlen(verifier), digest, NULL, EVP_sha256(), NULL) != 1)
        return ERR_CRYPTO;
    return base64url_append(challenge, digest, sizeof digest) ? OK : ERR_NO_MEMORY;
}

enum status pkce_challenge(enum pkce_method method, const char *verifier, char ret_challenge[PKCE_CHALLENGE_SIZE],
                           struct error *ret_error)
{
    if (method == PKCE_NONE)
        return error_set(ret_error, ERR_INVALID, "PKCE is turned off: there is no code challenge");
    if (!is_verifier(verifier))
        return error_set(ret_error, ERR_INVALID, "the code verifier is not 43 to 128 unreserved characters (RFC 7636)");

    AUTO_FINISH(text_buffer) challenge;
    text_buffer_init(&challenge, PKCE_CHALLENGE_SIZE - 1);
    enum status status = OK;
    if (method == PKCE_S256)
        status = append_s256(verifier, &challenge);
    else if (!text_buffer_append_text(&challenge, verifier))
        status = ERR_NO_MEMORY;
    if (status != OK)
        return error_set(ret_error, status, "PKCE code challenge");
    memcpy(ret_challenge, text_buffer_text(&challenge), challenge.length + 1);
    return OK;
}

const char *pkce_method_name(enum pkce_method method)
{
    switch (method) {
    case PKCE_S256:
        return "S256";
    case PKCE_PLAIN:
        return "plain";
    case PKCE_NONE:
        break;
    }
    return NULL;
}
