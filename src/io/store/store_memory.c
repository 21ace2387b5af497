#include "io/store/store_memory.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/wiping_memory.h"

static void *memory_allocate(int size)
{
    return malloc((size_t)size);
}

static void *memory_resize(void *memory, int size)
{
    return wiping_realloc(memory, (size_t)size);
}

static int memory_size(void *memory)
{
    return (int)malloc_usable_size(memory);
}

static int memory_round_up(int size)
{
    return (size + 7) & ~7;
}

static int memory_start(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void memory_stop(void *context)
{
    (void)context;
}

void store_memory_wipe(void)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = memory_allocate,
        .xFree = wiping_free,
        .xRealloc = memory_resize,
        .xSize = memory_size,
        .xRoundup = memory_round_up,
        .xInit = memory_start,
        .xShutdown = memory_stop,
    };
    /* SQLITE_MISUSE: it runs already, with these methods since the first call. */
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}
