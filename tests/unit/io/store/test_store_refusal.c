#include "io/store/store_sqlite.h"

#include <criterion/criterion.h>
#include <string.h>

#include "io/store_desk.h"

/* ---- what is refused ---- */

static void make_store(const char *path)
{
    DESK(desk);
    desk_open(&desk, path);
    put(&desk, STORE_TOKENS, "a", "1");
    put(&desk, STORE_TOKENS, "b", "2");
}

Test(store_refusal, second_store_on_one_file_is_a_conflict_until_the_first_ends)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    DESK(first);
    desk_open(&first, path);
    struct error error;
    cr_assert_eq(refused(path, 'k', &error), ERR_CONFLICT);
    cr_assert_eq(put(&first, STORE_TOKENS, "a", "1").status, OK);
    cr_assert_eq(refused(path, 'k', &error), ERR_CONFLICT);
    desk_finish(&first);
    DESK(second);
    desk_open(&second, path);
}

Test(store_refusal, wrong_key_is_refused_and_changes_nothing)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    make_store(path);
    struct error error;
    cr_assert_eq(refused(path, 'x', &error), ERR_CRYPTO);
    cr_assert_not_null(strstr(error.message, "key"));
    DESK(desk);
    desk_open(&desk, path);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 2);
}

/* What is missing, what is here, where it belongs. */
Test(store_refusal, wrong_key_is_named_with_its_file_and_the_way_out)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    make_store(path);
    const char *key_file = folder_write(&folder, "key", 0600, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    DESK(desk);
    struct error error;
    cr_assert_eq(store_key_load(key_file, false, &desk.crypto, &error), OK, "%s", error.message);
    cr_assert_eq(event_loop_create(&desk.loop, NULL), OK);
    cr_assert_eq(store_sqlite_create(desk.loop, path, desk.crypto, &desk.store, &error), ERR_CRYPTO);
    AUTO(store_crypto) right = crypto_of('k');
    char missing[STORE_KEY_ID_TEXT_SIZE];
    char here[STORE_KEY_ID_TEXT_SIZE];
    store_crypto_key_id(right, missing);
    store_crypto_key_id(desk.crypto, here);
    const char *const parts[] = {path, missing, here, key_file, "give the key file that it was written with"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        cr_assert_not_null(strstr(error.message, parts[i]), "%s: %s", parts[i], error.message);
}

Test(store_refusal, tampered_row_ends_the_reading_and_is_named)
{
    static const struct {
        const char *sql;
        enum status status;
    } rows[] = {
        {"UPDATE tokens SET value = (SELECT value FROM tokens WHERE key = 'a') WHERE key = 'b'", ERR_CRYPTO},
        {"UPDATE tokens SET value = CAST(x'00' || substr(value, 2) AS BLOB) WHERE key = 'b'", ERR_CORRUPT},
        {"UPDATE tokens SET value = substr(value, 1, length(value) - 1) WHERE key = 'b'", ERR_CRYPTO},
        {"UPDATE tokens SET value = x'' WHERE key = 'b'", ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TEMPORARY_FOLDER(folder);
        const char *path = folder_path(&folder, "store.db");
        make_store(path);
        tamper(path, rows[i].sql);
        DESK(desk);
        desk_open(&desk, path);
        struct reply reply = read_table(&desk, STORE_TOKENS);
        cr_assert_eq(reply.status, rows[i].status, "row %zu: %s", i, reply.message);
        cr_assert_eq(reply.rows, 1);
        cr_assert_not_null(strstr(reply.message, "tokens"));
        cr_assert_not_null(strstr(reply.message, "key b"));
        cr_assert_not_null(strstr(reply.message, path));
        cr_assert_not_null(strstr(reply.message, "restore it from a backup"), "%s", reply.message);
        cr_assert_eq(put(&desk, STORE_TOKENS, "b", "mended").status, OK);
        cr_assert_eq(read_table(&desk, STORE_TOKENS).status, OK);
    }
}

Test(store_refusal, row_moved_to_another_table_does_not_open)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    make_store(path);
    tamper(path, "INSERT INTO states SELECT key, value FROM tokens");
    DESK(desk);
    desk_open(&desk, path);
    cr_assert_eq(read_table(&desk, STORE_STATES).status, ERR_CRYPTO);
}

Test(store_refusal, newer_foreign_and_canaryless_databases_are_refused)
{
    static const char *const changes[] = {
        "PRAGMA user_version = 2",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 1",
        "DELETE FROM meta",
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        TEMPORARY_FOLDER(folder);
        const char *path = folder_path(&folder, "store.db");
        make_store(path);
        tamper(path, changes[i]);
        struct error error;
        cr_assert_eq(refused(path, 'k', &error), ERR_CORRUPT, "%s", changes[i]);
        cr_assert_not_null(strstr(error.message, "backup"));
    }
}

static void assert_refused_unchanged(const struct temporary_folder *folder, const void *bytes, size_t length)
{
    const char *path = folder_write_bytes(folder, "store.db", 0600, bytes, length);
    struct error error;
    enum status status = refused(path, 'k', &error);
    cr_assert_eq(status, ERR_CORRUPT, "%s", error.message);
    static char after[1024 * 1024];
    int fd = open(path, O_RDONLY);
    cr_assert_eq(read(fd, after, sizeof after), (ssize_t)length);
    close(fd);
    cr_assert_eq(memcmp(bytes, after, length), 0);
}

Test(store_refusal, garbage_and_empty_files_are_refused_and_never_overwritten)
{
    TEMPORARY_FOLDER(folder);
    static char garbage[64 * 1024];
    assert_refused_unchanged(&folder, "", 0);
    assert_refused_unchanged(&folder, "hello", 5);
    assert_refused_unchanged(&folder, garbage, sizeof garbage);
    memset(garbage, 0x5a, sizeof garbage);
    assert_refused_unchanged(&folder, garbage, sizeof garbage);
}

Test(store_refusal, truncated_file_is_refused_and_never_overwritten)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "whole.db");
    make_store(path);
    static char bytes[1024 * 1024];
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, bytes, sizeof bytes);
    close(fd);
    cr_assert(length > 8192);
    static const size_t missing[] = {1, 4096, 8192, 20000};
    for (size_t i = 0; i < 4; i++)
        assert_refused_unchanged(&folder, bytes, (size_t)length - missing[i]);
    assert_refused_unchanged(&folder, bytes, 4096);
    assert_refused_unchanged(&folder, bytes, 50);
}

Test(store_refusal, journal_without_its_database_is_refused)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "store.db-wal", 0600, "left over");
    struct error error;
    cr_assert_eq(refused(folder_path(&folder, "store.db"), 'k', &error), ERR_CORRUPT);
    cr_assert_eq(access(folder_path(&folder, "store.db"), F_OK), -1);
}

Test(store_refusal, leftover_of_a_creation_cut_short_is_no_obstacle)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "store.db.new", 0600, "half");
    folder_write(&folder, "store.db.new-journal", 0600, "half");
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    cr_assert_eq(access(folder_path(&folder, "store.db.new"), F_OK), -1);
}

Test(store_refusal, unusable_paths_are_io_errors)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "file", 0600, "");
    cr_assert_eq(mkdir(folder_path(&folder, "directory"), 0700), 0);
    static const char *const names[] = {"missing/store.db", "file/store.db", "directory"};
    for (size_t i = 0; i < 3; i++) {
        struct error error;
        cr_assert_eq(refused(folder_path(&folder, names[i]), 'k', &error), ERR_IO, "%s", names[i]);
    }
}
