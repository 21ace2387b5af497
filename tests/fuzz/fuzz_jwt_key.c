/* METHOD KEY: a key that is said to fit signs, one that does not fit does not, and no message has it in it. */
#include "fuzz.h"
#include "protocol/jwt/jwt_signature.h"

enum { QUOTED_MIN = 16 };

/* Neither the key's first bytes nor any of its lines. */
static void require_not_quoted(const char *message, const char *key, size_t length)
{
    for (size_t at = 0; at + QUOTED_MIN <= length; at++) {
        if (at == 0 || key[at - 1] == '\n')
            REQUIRE(!memmem(message, strlen(message), key + at, QUOTED_MIN), "the key is quoted: %s", message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"HS256", "HS512", "RS256", "RS512", "ES256", "ES384",
                                          "ES512", "PS256", "PS384", "EdDSA", "none",  "RS1"};
    const char *method = methods[fuzz_pick(data, size, 0, sizeof methods / sizeof methods[0])];
    size_t length;
    AUTO_TEXT bytes = fuzz_bytes(data, size, 1, &length);
    AUTO(secret) key = secret_create(bytes, length);
    AUTO(secret) passphrase = secret_from_text("open sesame");
    AUTO_JSON payload = json_pack("{s:s}", "iss", "me");
    if (!key)
        return 0;
    for (int with_passphrase = 0; with_passphrase < 2; with_passphrase++) {
        const struct secret *used = with_passphrase ? passphrase : NULL;
        AUTO(secret) token = NULL;
        struct error checked = {0}, signing = {0};
        enum status fits = jwt_key_check(method, key, used, &checked);
        enum status signs = jwt_sign(method, key, used, NULL, payload, &token, &signing);
        REQUIRE((fits == OK) == (signs == OK), "checked: %s; signing: %s", checked.message, signing.message);
        REQUIRE((signs == OK) == (token != NULL), "half a result");
        REQUIRE(fits == OK || checked.message[0], "a refusal without words");
        require_not_quoted(checked.message, bytes, length);
        require_not_quoted(signing.message, bytes, length);
        if (!token)
            continue;
        const char *first = strchr(secret_reveal(token), '.');
        REQUIRE(first && strchr(first + 1, '.') && strchr(first + 1, '.')[1], "no compact JWT");
    }
    return 0;
}
