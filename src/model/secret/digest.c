#include "model/secret/digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"
#include "base/text/text_buffer.h"

enum { DIGEST_SIZE = 32, DIGEST_INPUT_MAX = 4 * SECRET_MAX };

struct digest_part digest_text(const char *text)
{
    return (struct digest_part){.bytes = text, .length = text ? strlen(text) : 0};
}

bool digest_parts(const struct digest_part *parts, size_t count, char ret_hex[DIGEST_HEX_SIZE])
{
    AUTO_FINISH(text_buffer) input;
    text_buffer_init(&input, DIGEST_INPUT_MAX);
    for (size_t i = 0; i < count; i++) {
        text_buffer_append_format(&input, "%c%zu:", parts[i].bytes ? '+' : '-', parts[i].length);
        if (parts[i].bytes)
            text_buffer_append(&input, parts[i].bytes, parts[i].length);
    }
    unsigned char digest[DIGEST_SIZE];
    if (input.failed || EVP_Digest(text_buffer_text(&input), input.length, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    static const char hex_digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        ret_hex[2 * i] = hex_digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = hex_digits[digest[i] & 15];
    }
    ret_hex[2 * DIGEST_SIZE] = '\0';
    return true;
}
