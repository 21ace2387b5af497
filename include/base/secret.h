#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * Bytes that must not be seen: client secrets, tokens, keys, request bodies that carry them. Immutable, always
 * followed by a NUL that is not counted, wiped when the last hold is dropped.
 */
enum { SECRET_MAX = 1024 * 1024 };

struct secret;

/* Copies length bytes. NULL when out of memory or above SECRET_MAX. */
struct secret *secret_create(const void *bytes, size_t length);
struct secret *secret_from_text(const char *text);
/* One more hold on the same bytes (no copy); returns its argument. NULL gives NULL. */
struct secret *secret_hold(const struct secret *secret);
/* Drops one hold; the last one wipes and frees. Takes NULL. */
void secret_destroy(struct secret *secret);
AUTO_DEFINE(secret);

/* The only way to the bytes. Borrowed from the secret. NULL gives NULL. */
const char *secret_reveal(const struct secret *secret);
/* 0 for NULL. */
size_t secret_length(const struct secret *secret);
/* In time that depends on the lengths alone. Two NULLs are equal. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* memset that the compiler cannot drop. Takes NULL with size 0. */
void secret_wipe(void *bytes, size_t size);

#endif
