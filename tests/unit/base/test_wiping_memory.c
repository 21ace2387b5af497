#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/wiping_memory.h"

Test(wiping_memory, growing_keeps_the_bytes)
{
    char *memory = malloc(8);
    memcpy(memory, "secret!", 8);
    memory = wiping_realloc(memory, 100000);
    cr_expect_str_eq(memory, "secret!");
    memory = wiping_realloc(memory, 8);
    cr_expect_str_eq(memory, "secret!");
    wiping_free(memory);
}

Test(wiping_memory, takes_nothing_as_libc_does)
{
    wiping_free(NULL);
    void *memory = wiping_realloc(NULL, 16);
    cr_expect_not_null(memory);
    wiping_free(memory);
}

#ifndef __SANITIZE_ADDRESS__
/* The freed block itself is looked at, which only a build without ASan allows. */
Test(wiping_memory, freed_bytes_are_gone)
{
    enum { SIZE = 200 };
    char *volatile memory = malloc(SIZE);
    memset(memory, 'S', SIZE);
    wiping_free(memory);
    size_t left = 0;
    /* The first bytes belong to the allocator's lists once the block is free. */
    for (size_t i = 32; i < SIZE; i++)
        left += ((volatile char *)memory)[i] == 'S';
    cr_expect_eq(left, 0);
}
#endif
