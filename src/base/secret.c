#include "base/secret.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One allocation, so that one wipe leaves nothing. Holds are atomic: the store's thread drops some of them. */
struct secret {
    atomic_size_t holds;
    size_t length;
    char bytes[];
};

struct secret *secret_create(const void *bytes, size_t length)
{
    if (length > SECRET_MAX)
        return NULL;
    struct secret *secret = malloc(sizeof *secret + length + 1);
    if (!secret)
        return NULL;
    atomic_init(&secret->holds, 1);
    secret->length = length;
    if (length > 0)
        memcpy(secret->bytes, bytes, length);
    secret->bytes[length] = '\0';
    return secret;
}

struct secret *secret_from_text(const char *text)
{
    return secret_create(text, strlen(text));
}

struct secret *secret_hold(const struct secret *secret)
{
    /* The bytes are immutable; the count is not part of the value that const protects. */
    struct secret *held = (struct secret *)(uintptr_t)secret;
    if (held)
        atomic_fetch_add_explicit(&held->holds, 1, memory_order_relaxed);
    return held;
}

void secret_destroy(struct secret *secret)
{
    if (!secret || atomic_fetch_sub_explicit(&secret->holds, 1, memory_order_acq_rel) > 1)
        return;
    secret_wipe(secret, sizeof *secret + secret->length + 1);
    free(secret);
}

const char *secret_reveal(const struct secret *secret)
{
    return secret ? secret->bytes : NULL;
}

size_t secret_length(const struct secret *secret)
{
    return secret ? secret->length : 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (!a || !b)
        return a == b;
    return a->length == b->length && CRYPTO_memcmp(a->bytes, b->bytes, a->length) == 0;
}

void secret_wipe(void *bytes, size_t size)
{
    /* libc's uses the widest stores there are: OPENSSL_cleanse() took a twelfth of a token request's instructions. */
    if (size > 0)
        explicit_bzero(bytes, size);
}
