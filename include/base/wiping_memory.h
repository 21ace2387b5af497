#ifndef BASE_WIPING_MEMORY_H
#define BASE_WIPING_MEMORY_H

#include <stddef.h>

/*
 * Plain malloc memory that is wiped when it is freed or moved, for libraries that take their own allocator: what they
 * buffered of a token, a secret or a key does not stay behind. (Plain underneath, without a header of ours, because
 * some of them free each other's memory with libc's free.)
 */
void wiping_free(void *memory);
void *wiping_realloc(void *memory, size_t size);

#endif
