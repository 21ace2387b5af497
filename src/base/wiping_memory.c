#include "base/wiping_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void wiping_free(void *memory)
{
    if (!memory)
        return;
    secret_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

/* Always moves: libc's realloc may leave a copy behind. */
void *wiping_realloc(void *memory, size_t size)
{
    if (!memory)
        return malloc(size);
    size_t old_size = malloc_usable_size(memory);
    if (size <= old_size && size > old_size / 2)
        return memory;
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, memory, old_size < size ? old_size : size);
    wiping_free(memory);
    return moved;
}
