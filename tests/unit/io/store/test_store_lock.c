#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/store/store_lock.h"
#include "io/temporary_folder.h"

static enum status try_lock(const char *path, struct error *ret_error)
{
    struct store_lock lock;
    store_lock_init(&lock);
    enum status status = store_lock_take(&lock, path, ret_error);
    store_lock_release(&lock);
    return status;
}

Test(store_lock, keeps_out_whoever_comes_later_also_without_its_file)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    struct store_lock lock;
    struct error error = {0};
    store_lock_init(&lock);
    cr_assert_eq(store_lock_take(&lock, path, &error), OK, "%s", error.message);
    cr_expect_eq(try_lock(path, &error), ERR_CONFLICT);
    cr_assert_eq(unlink(folder_path(&folder, "store.db.lock")), 0);
    cr_expect_eq(try_lock(path, &error), ERR_CONFLICT);
    cr_expect(strstr(error.message, path) && strstr(error.message, "another iclientd uses it"), "%s", error.message);
    store_lock_release(&lock);
    cr_expect_eq(try_lock(path, &error), OK, "%s", error.message);
}

Test(store_lock, holds_the_database_under_each_of_its_names)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_write(&folder, "store.db", 0600, "database");
    const char *other = folder_path(&folder, "other.db");
    cr_assert_eq(link(path, other), 0);
    struct store_lock first;
    struct store_lock second;
    struct error error = {0};
    store_lock_init(&first);
    store_lock_init(&second);
    cr_assert_eq(store_lock_take_database(&first, path, &error), OK, "%s", error.message);
    cr_expect_eq(store_lock_take_database(&second, other, &error), ERR_CONFLICT);
    store_lock_release(&first);
    cr_expect_eq(store_lock_take_database(&second, other, &error), OK, "%s", error.message);
    store_lock_release(&second);
}

Test(store_lock, notices_that_the_directory_went_and_came_back)
{
    TEMPORARY_FOLDER(folder);
    const char *state = folder_path(&folder, "state");
    const char *elsewhere = folder_path(&folder, "elsewhere");
    cr_assert_eq(mkdir(state, 0700), 0);
    struct store_lock lock;
    struct error error = {0};
    store_lock_init(&lock);
    cr_assert_eq(store_lock_take(&lock, folder_path(&folder, "state/store.db"), &error), OK, "%s", error.message);
    cr_expect_eq(store_lock_check(&lock, &error), OK);
    rename(state, elsewhere);
    cr_expect_eq(store_lock_check(&lock, &error), ERR_IO);
    mkdir(state, 0700);
    cr_expect_eq(store_lock_check(&lock, &error), ERR_IO);
    cr_expect_not_null(strstr(error.message, "deleted, moved or replaced"));
    rmdir(state);
    rename(elsewhere, state);
    cr_expect_eq(store_lock_check(&lock, &error), OK);
    store_lock_release(&lock);
}

Test(store_lock, says_what_cannot_be_locked)
{
    TEMPORARY_FOLDER(folder);
    struct error error = {0};
    const char *path = folder_path(&folder, "missing/store.db");
    cr_expect_eq(try_lock(path, &error), ERR_IO);
    cr_expect_not_null(strstr(error.message, "missing"), "%s", error.message);
}
