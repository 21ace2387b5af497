#include <criterion/criterion.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "io/loop/loop_memory.h"

enum { MANY = 1000 };

static char *fill(char *memory, size_t size, int seed)
{
    cr_assert(memory);
    cr_assert_eq((uintptr_t)memory % 16, 0);
    memset(memory, seed & 0x7f, size);
    return memory;
}

static void check(const char *memory, size_t size, int seed)
{
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(memory[i], seed & 0x7f);
}

/* In an order that empties some blocks, refills others and leaves gaps. */
Test(loop_memory, pieces_of_all_sizes_keep_what_is_written_to_them)
{
    static const size_t sizes[] = {1, 16, 31, 32, 33, 100, 5000};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    char *pieces[MANY] = {0};
    for (int i = 0; i < MANY; i++)
        pieces[i] = fill(loop_memory_allocate(sizes[i % SIZES]), sizes[i % SIZES], i);
    for (int i = 0; i < MANY; i += 3) {
        loop_memory_free(pieces[i]);
        pieces[i] = NULL;
    }
    for (int i = 0; i < MANY; i += 6)
        pieces[i] = fill(loop_memory_allocate(sizes[i % SIZES]), sizes[i % SIZES], i);
    for (int i = 0; i < MANY; i++) {
        if (pieces[i])
            check(pieces[i], sizes[i % SIZES], i);
        loop_memory_free(pieces[i]);
    }
}

Test(loop_memory, reallocation_keeps_the_content)
{
    static const size_t steps[] = {8, 32, 33, 4000, 40, 16, 1};
    char *memory = fill(loop_memory_reallocate(NULL, steps[0]), steps[0], 'x');
    for (size_t i = 1; i < sizeof steps / sizeof steps[0]; i++) {
        memory = loop_memory_reallocate(memory, steps[i]);
        cr_assert(memory);
        check(memory, steps[i] < steps[i - 1] ? steps[i] : steps[i - 1], 'x');
        fill(memory, steps[i], 'x');
    }
    loop_memory_free(memory);
}

Test(loop_memory, small_pieces_lie_together)
{
    uintptr_t lowest = UINTPTR_MAX;
    uintptr_t highest = 0;
    void *pieces[100];
    void *between[100];
    for (size_t i = 0; i < 100; i++) {
        pieces[i] = loop_memory_allocate(16);
        between[i] = malloc(4000);
        lowest = (uintptr_t)pieces[i] < lowest ? (uintptr_t)pieces[i] : lowest;
        highest = (uintptr_t)pieces[i] > highest ? (uintptr_t)pieces[i] : highest;
    }
    cr_expect_leq(highest - lowest, 8192);
    for (size_t i = 0; i < 100; i++) {
        loop_memory_free(pieces[i]);
        free(between[i]);
    }
}

Test(loop_memory, too_much_is_refused)
{
    volatile size_t size = SIZE_MAX;
    cr_assert_null(loop_memory_allocate(size));
    cr_assert_null(loop_memory_reallocate(NULL, size - 8));
    loop_memory_free(NULL);
}
