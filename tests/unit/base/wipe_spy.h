#ifndef UNIT_BASE_WIPE_SPY_H
#define UNIT_BASE_WIPE_SPY_H

#include <criterion/criterion.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <string.h>

/* Take the place of libc's, the second when it is compiled with _FORTIFY_SOURCE, to see what is wiped. */
static const void *last_wiped;
static size_t last_wiped_size;

#undef explicit_bzero
void explicit_bzero(void *bytes, size_t size)
{
    last_wiped = bytes;
    last_wiped_size = size;
    OPENSSL_cleanse(bytes, size);
}

void __explicit_bzero_chk(void *bytes, size_t size, size_t object_size);
void __explicit_bzero_chk(void *bytes, size_t size, size_t object_size)
{
    cr_assert_leq(size, object_size);
    explicit_bzero(bytes, size);
}

#endif
