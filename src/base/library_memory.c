#include "base/library_memory.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/json/json_read.h"
#include "base/wiping_memory.h"
#include "base/xml/xml_document.h"

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *crypto_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return wiping_realloc(memory, size);
}

static void crypto_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    wiping_free(memory);
}

void library_memory_wipe_freed(void)
{
    json_set_alloc_funcs(json_read_allocate, wiping_free);
    CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    xml_library_wipe_freed();
}
