#include "io/client/http_client_memory.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/wiping_memory.h"

enum { RESERVE_SIZE = 64 * 1024 };

/* Atomic: libcurl's resolver threads allocate, too. Untouched, so that it costs address space alone. */
static _Atomic(void *) reserve;

/* True once for each reserve: its room can be had now. */
static bool give_reserve(void)
{
    void *memory = atomic_exchange(&reserve, NULL);
    bool was_there = memory;
    free(memory);
    return was_there;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    return memory || !give_reserve() ? memory : malloc(size);
}

static void *allocate_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    return memory || !give_reserve() ? memory : calloc(count, size);
}

static void *reallocate(void *old, size_t size)
{
    void *memory = wiping_realloc(old, size);
    return memory || !give_reserve() ? memory : wiping_realloc(old, size);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = allocate(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

bool http_client_memory_init(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, wiping_free, reallocate, copy_text, allocate_zeroed) ==
           CURLE_OK;
}

bool http_client_memory_prepare(void)
{
    if (atomic_load(&reserve))
        return true;
    void *memory = malloc(RESERVE_SIZE);
    free(atomic_exchange(&reserve, memory));
    return memory;
}

void http_client_memory_finish(void)
{
    give_reserve();
}
