#include "base/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"

enum status random_bytes(void *ret_bytes, size_t size)
{
    return size <= INT_MAX && RAND_bytes(ret_bytes, (int)size) == 1 ? OK : ERR_CRYPTO;
}

enum status random_token(char ret_text[RANDOM_TOKEN_SIZE])
{
    unsigned char bytes[32];
    enum status status = random_bytes(bytes, sizeof bytes);
    if (status != OK)
        return status;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, RANDOM_TOKEN_SIZE - 1);
    base64url_append(&text, bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    if (text.failed)
        return ERR_NO_MEMORY;
    memcpy(ret_text, text.data, RANDOM_TOKEN_SIZE);
    return OK;
}

enum status random_uuid(char ret_text[RANDOM_UUID_SIZE])
{
    unsigned char b[16];
    enum status status = random_bytes(b, sizeof b);
    if (status != OK)
        return status;
    /* RFC 4122 §4.4: the version in the high half of byte 6, the variant in the top bits of byte 8. */
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(ret_text, RANDOM_UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return OK;
}

double random_fraction(void)
{
    uint64_t bits;
    if (random_bytes(&bits, sizeof bits) != OK)
        return 0.5;
    /* 53 bits are what a double holds exactly. */
    return (double)(bits >> 11) / 9007199254740992.0;
}
