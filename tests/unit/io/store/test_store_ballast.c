#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/store/store_ballast.h"
#include "io/temporary_folder.h"

enum { SIZE = 64 * 1024, BLOCK_BYTES = 512 };
#define TOO_MUCH ((size_t)1 << 55)

static off_t size_of(const char *file)
{
    struct stat found;
    return stat(file, &found) == 0 ? found.st_size : -1;
}

Test(store_ballast, has_all_of_its_blocks)
{
    TEMPORARY_FOLDER(folder);
    const char *file = folder_path(&folder, "store.db.ballast");
    struct store_ballast ballast;
    store_ballast_init(&ballast, folder_path(&folder, "store.db"));
    cr_expect_eq(store_ballast_delay(&ballast), -1, "none is wanted");
    store_ballast_want(&ballast, SIZE);
    cr_assert(ballast.is_there, "%s", ballast.trouble.message);
    struct stat found;
    cr_assert_eq(stat(file, &found), 0);
    cr_expect_eq(found.st_size, SIZE);
    cr_expect_geq(found.st_blocks * BLOCK_BYTES, SIZE);
    cr_expect_eq(found.st_mode & 0777, 0600);
    cr_expect_eq(store_ballast_delay(&ballast), -1, "there is nothing to do");
}

Test(store_ballast, is_given_up_once_and_made_again_later)
{
    TEMPORARY_FOLDER(folder);
    const char *file = folder_path(&folder, "store.db.ballast");
    struct store_ballast ballast;
    store_ballast_init(&ballast, folder_path(&folder, "store.db"));
    cr_expect_not(store_ballast_give_up(&ballast), "there was none");
    store_ballast_want(&ballast, SIZE);
    cr_expect(store_ballast_give_up(&ballast));
    cr_expect_eq(size_of(file), -1);
    cr_expect_eq(ballast.trouble.status, ERR_NO_SPACE);
    cr_expect(store_ballast_delay(&ballast) > 0, "not at once");
    cr_expect_not(store_ballast_give_up(&ballast));
    store_ballast_make(&ballast);
    cr_expect_eq(size_of(file), SIZE);
    cr_expect_eq(ballast.trouble.status, OK);
}

Test(store_ballast, another_file_of_its_name_makes_way)
{
    static const struct {
        off_t size; /* of a sparse file that is there */
        size_t wanted;
        off_t left;
    } cases[] = {{SIZE, SIZE, SIZE}, {2 * SIZE, SIZE, SIZE}, {1, SIZE, SIZE}, {SIZE, 0, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEMPORARY_FOLDER(folder);
        const char *file = folder_write(&folder, "store.db.ballast", 0600, "");
        cr_assert_eq(truncate(file, cases[i].size), 0);
        struct store_ballast ballast;
        store_ballast_init(&ballast, folder_path(&folder, "store.db"));
        store_ballast_want(&ballast, cases[i].wanted);
        cr_expect_eq(size_of(file), cases[i].left, "%zu", i);
        struct stat found;
        if (cases[i].left > 0 && stat(file, &found) == 0)
            cr_expect_geq(found.st_blocks * BLOCK_BYTES, cases[i].left, "%zu: sparse", i);
    }
}

Test(store_ballast, waits_longer_and_longer_for_room_and_leaves_no_file)
{
    TEMPORARY_FOLDER(folder);
    struct store_ballast ballast;
    store_ballast_init(&ballast, folder_path(&folder, "store.db"));
    store_ballast_want(&ballast, TOO_MUCH);
    cr_expect_not(ballast.is_there);
    cr_expect_eq(ballast.trouble.status, ERR_NO_SPACE, "%s", ballast.trouble.message);
    int64_t first = store_ballast_delay(&ballast);
    cr_expect(first > 0 && first <= 1000);
    for (int i = 0; i < 10; i++)
        store_ballast_make(&ballast);
    cr_expect(store_ballast_delay(&ballast) > 20000 && store_ballast_delay(&ballast) <= 30000);
    cr_expect_eq(size_of(folder_path(&folder, "store.db.ballast")), -1);
}
