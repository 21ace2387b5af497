#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json/json_read.h"
#include "base/library_memory.h"
#include "base/wipe_spy.h"

Test(library_memory, json_memory_is_wiped_with_plain_malloc_underneath)
{
    library_memory_wipe_freed();
    json_malloc_t allocate;
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    cr_assert_eq(allocate, json_read_allocate, "malloc underneath: libjwt frees jansson's dumps with libc free");
    cr_assert_neq(release, free);
    release(NULL);

    void *memory = allocate(100);
    const uintptr_t address = (uintptr_t)memory;
    release(memory);
    cr_assert_eq((uintptr_t)last_wiped, address);
    cr_assert_geq(last_wiped_size, 100);

    AUTO_JSON document = json_pack("{s:s}", "client_secret", "hunter2");
    char *dump = json_dumps(document, 0);
    cr_assert_str_eq(dump, "{\"client_secret\": \"hunter2\"}");
    free(dump);
}
