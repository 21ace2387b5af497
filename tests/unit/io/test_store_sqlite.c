#include "io/store_sqlite.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "io/temporary_folder.h"

enum { PATIENCE_MS = 60000 };

/* ---- a store and one who waits for it ---- */

struct desk {
    struct event_loop *loop;
    struct store_crypto *crypto;
    struct store *store;
};

struct reply {
    struct event_loop *loop;
    int wanted; /* calls of done before the loop stops */
    int done;
    int rows;
    int rows_wanted; /* 0: all */
    enum status status;
    char message[ERROR_MESSAGE_MAX];
    char text[1024]; /* "key=value " of each row, as far as it fits */
};

static void give_up(void *context)
{
    (void)context;
    cr_assert_fail("no answer");
}

static void wait_for(struct desk *desk, struct reply *reply)
{
    AUTO(loop_timer) timer = loop_timer_create(desk->loop, give_up, NULL);
    loop_timer_start(timer, PATIENCE_MS);
    while (reply->done < reply->wanted)
        cr_assert_eq(event_loop_run(desk->loop, NULL), OK);
}

static void on_done(void *context, enum status status, const struct error *error)
{
    struct reply *reply = context;
    reply->done++;
    if (status != OK) {
        reply->status = status;
        strcpy(reply->message, error->message);
    }
    if (reply->done == reply->wanted)
        event_loop_stop(reply->loop);
}

static bool on_row(void *context, const char *key, const struct secret *value)
{
    struct reply *reply = context;
    size_t length = strlen(reply->text);
    snprintf(reply->text + length, sizeof reply->text - length, "%s=%s ", key, secret_reveal(value));
    reply->rows++;
    return reply->rows != reply->rows_wanted;
}

static struct secret *key_of(char fill)
{
    char bytes[STORE_KEY_BYTES];
    memset(bytes, fill, sizeof bytes);
    return secret_create(bytes, sizeof bytes);
}

static struct store_crypto *crypto_of(char fill)
{
    AUTO(secret) key = key_of(fill);
    struct store_crypto *crypto = NULL;
    cr_assert_eq(store_crypto_create(key, &crypto, NULL), OK);
    return crypto;
}

static enum status desk_try_open(struct desk *desk, const char *path, char key, struct error *ret_error)
{
    *desk = (struct desk){.crypto = crypto_of(key)};
    cr_assert_eq(event_loop_create(&desk->loop, NULL), OK);
    return store_sqlite_create(desk->loop, path, desk->crypto, &desk->store, ret_error);
}

static void desk_finish(struct desk *desk)
{
    store_destroy(desk->store);
    event_loop_destroy(desk->loop);
    store_crypto_destroy(desk->crypto);
    *desk = (struct desk){0};
}

#define DESK(name) __attribute__((cleanup(desk_finish))) struct desk name = {0}

static void desk_open(struct desk *desk, const char *path)
{
    struct error error = {0};
    cr_assert_eq(desk_try_open(desk, path, 'k', &error), OK, "%s", error.message);
}

static enum status refused(const char *path, char key, struct error *ret_error)
{
    DESK(desk);
    enum status status = desk_try_open(&desk, path, key, ret_error);
    cr_assert_neq(status, OK);
    cr_assert_null(desk.store);
    cr_assert_not_null(strstr(ret_error->message, path), "%s", ret_error->message);
    return status;
}

static struct reply write_changes(struct desk *desk, const struct store_change *changes, size_t count)
{
    struct reply reply = {.loop = desk->loop, .wanted = 1};
    desk->store->operations->write(desk->store, changes, count, on_done, &reply);
    wait_for(desk, &reply);
    return reply;
}

static struct reply put(struct desk *desk, enum store_table table, const char *key, const char *text)
{
    AUTO(secret) value = text ? secret_from_text(text) : NULL;
    struct store_change change = {table, key, value};
    return write_changes(desk, &change, 1);
}

static struct reply read_table(struct desk *desk, enum store_table table)
{
    struct reply reply = {.loop = desk->loop, .wanted = 1};
    desk->store->operations->read_all(desk->store, table, on_row, on_done, &reply);
    wait_for(desk, &reply);
    return reply;
}

static struct reply check(struct desk *desk)
{
    struct reply reply = {.loop = desk->loop, .wanted = 1};
    desk->store->operations->check(desk->store, on_done, &reply);
    wait_for(desk, &reply);
    return reply;
}

/* What an attacker or a fault does to the file behind our back. */
static void tamper(const char *path, const char *sql)
{
    sqlite3 *handle = NULL;
    cr_assert_eq(sqlite3_open(path, &handle), SQLITE_OK);
    char *message = NULL;
    cr_assert_eq(sqlite3_exec(handle, sql, NULL, NULL, &message), SQLITE_OK, "%s", message);
    sqlite3_close(handle);
}

/* ---- reading and writing ---- */

Test(store_sqlite, what_was_written_is_read)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    cr_assert_eq(put(&desk, STORE_TOKENS, "default/crm", "one").status, OK);
    cr_assert_eq(put(&desk, STORE_STATES, "default/crm", "two").status, OK);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "default/crm=one ");
    cr_assert_str_eq(read_table(&desk, STORE_STATES).text, "default/crm=two ");
    cr_assert_str_eq(read_table(&desk, STORE_JOURNAL).text, "");
}

Test(store_sqlite, last_write_wins_and_null_deletes)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    put(&desk, STORE_TOKENS, "a", "1");
    put(&desk, STORE_TOKENS, "b", "2");
    put(&desk, STORE_TOKENS, "a", "3");
    cr_assert_eq(put(&desk, STORE_TOKENS, "b", NULL).status, OK);
    cr_assert_eq(put(&desk, STORE_TOKENS, "missing", NULL).status, OK);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=3 ");
}

Test(store_sqlite, empty_and_largest_values_and_keys_are_kept)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    static char large[STORE_VALUE_MAX];
    memset(large, 'x', sizeof large);
    char key[STORE_KEY_MAX + 2];
    memset(key, 'k', sizeof key);
    key[STORE_KEY_MAX] = '\0';
    AUTO(secret) value = secret_create(large, sizeof large);
    struct store_change change = {STORE_TOKENS, key, value};
    cr_assert_eq(write_changes(&desk, &change, 1).status, OK);
    cr_assert_eq(put(&desk, STORE_TOKENS, "empty", "").status, OK);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 2);

    key[STORE_KEY_MAX] = 'k';
    key[STORE_KEY_MAX + 1] = '\0';
    cr_assert_eq(put(&desk, STORE_TOKENS, key, "x").status, ERR_TOO_LARGE);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 2);
}

Test(store_sqlite, call_without_done_and_without_changes_works)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    AUTO(secret) value = secret_from_text("1");
    struct store_change change = {STORE_TOKENS, "a", value};
    desk.store->operations->write(desk.store, &change, 1, NULL, NULL);
    cr_assert_eq(write_changes(&desk, NULL, 0).status, OK);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=1 ");
}

Test(store_sqlite, done_never_runs_inside_the_call)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    struct reply reply = {.loop = desk.loop, .wanted = 3};
    char key[STORE_KEY_MAX + 2];
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    struct store_change change = {STORE_TOKENS, key, NULL};
    desk.store->operations->write(desk.store, &change, 1, on_done, &reply);
    desk.store->operations->check(desk.store, on_done, &reply);
    desk.store->operations->read_all(desk.store, STORE_TOKENS, on_row, on_done, &reply);
    cr_assert_eq(reply.done, 0);
    wait_for(&desk, &reply);
}

Test(store_sqlite, read_sees_the_writes_before_it_and_none_after)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    const struct store_operations *operations = desk.store->operations;
    struct reply reply = {.loop = desk.loop, .wanted = 3};
    AUTO(secret) first = secret_from_text("1");
    AUTO(secret) second = secret_from_text("2");
    operations->write(desk.store, &(struct store_change){STORE_TOKENS, "a", first}, 1, on_done, &reply);
    operations->read_all(desk.store, STORE_TOKENS, on_row, on_done, &reply);
    operations->write(desk.store, &(struct store_change){STORE_TOKENS, "a", second}, 1, on_done, &reply);
    wait_for(&desk, &reply);
    cr_assert_str_eq(reply.text, "a=1 ");
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=2 ");
}

Test(store_sqlite, reader_that_has_enough_stops_and_the_store_goes_on)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    for (char key[] = "a"; key[0] <= 'e'; key[0]++)
        put(&desk, STORE_TOKENS, key, "1");
    struct reply reply = {.loop = desk.loop, .wanted = 1, .rows_wanted = 2};
    desk.store->operations->read_all(desk.store, STORE_TOKENS, on_row, on_done, &reply);
    wait_for(&desk, &reply);
    cr_assert_eq(reply.rows, 2);
    cr_assert_eq(reply.status, ERR_CANCELLED);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 5);
}

struct repetition {
    struct reply reply;
    struct desk *desk;
};

static void write_again(void *context, enum status status, const struct error *error)
{
    struct repetition *repetition = context;
    on_done(&repetition->reply, status, error);
    if (repetition->reply.done < repetition->reply.wanted)
        repetition->desk->store->operations->write(repetition->desk->store, NULL, 0, write_again, repetition);
}

Test(store_sqlite, done_may_call_the_store_again)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    struct repetition repetition = {{.loop = desk.loop, .wanted = 5}, &desk};
    desk.store->operations->write(desk.store, NULL, 0, write_again, &repetition);
    wait_for(&desk, &repetition.reply);
    cr_assert_eq(repetition.reply.done, 5);
}

Test(store_sqlite, calls_beyond_the_queue_are_busy_and_the_rest_is_done)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    enum { CALLS = 17 * 1024 };
    struct reply reply = {.loop = desk.loop, .wanted = CALLS};
    AUTO(secret) value = secret_from_text("1");
    for (int i = 0; i < CALLS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        desk.store->operations->write(desk.store, &(struct store_change){STORE_TOKENS, key, value}, 1, on_done, &reply);
    }
    wait_for(&desk, &reply);
    cr_assert_eq(reply.status, ERR_BUSY);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 16 * 1024);
    cr_assert_eq(put(&desk, STORE_TOKENS, "later", "1").status, OK);
}

Test(store_sqlite, bytes_beyond_the_queue_are_busy)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    static char large[STORE_VALUE_MAX];
    AUTO(secret) value = secret_create(large, sizeof large);
    enum { CHANGES = 129 };
    struct store_change changes[CHANGES];
    for (int i = 0; i < CHANGES; i++)
        changes[i] = (struct store_change){STORE_TOKENS, "same", value};
    cr_assert_eq(write_changes(&desk, changes, CHANGES).status, ERR_BUSY);
    cr_assert_eq(write_changes(&desk, changes, CHANGES).status, ERR_BUSY);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 0);
    cr_assert_eq(write_changes(&desk, changes, 1).status, OK);
}

/* ---- lasting ---- */

Test(store_sqlite, rows_last_over_a_reopening)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    for (int round = 0; round < 3; round++) {
        DESK(desk);
        desk_open(&desk, path);
        if (round == 0)
            put(&desk, STORE_TOKENS, "a", "1");
        cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=1 ");
    }
}

Test(store_sqlite, destroy_writes_what_was_queued)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    struct reply dropped = {0};
    {
        DESK(desk);
        desk_open(&desk, path);
        AUTO(secret) value = secret_from_text("1");
        for (int i = 0; i < 500; i++) {
            char key[16];
            snprintf(key, sizeof key, "%d", i);
            desk.store->operations->write(desk.store, &(struct store_change){STORE_TOKENS, key, value}, 1, on_done,
                                          &dropped);
        }
        desk.store->operations->read_all(desk.store, STORE_TOKENS, on_row, on_done, &dropped);
    }
    cr_assert_eq(dropped.done, 0);
    cr_assert_eq(dropped.rows, 0);
    DESK(desk);
    desk_open(&desk, path);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 500);
}

Test(store_sqlite, destroy_does_not_wait_for_a_reader)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    DESK(desk);
    desk_open(&desk, path);
    static struct store_change changes[4096];
    static char keys[4096][16];
    AUTO(secret) value = secret_from_text("1");
    for (int i = 0; i < 4096; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        changes[i] = (struct store_change){STORE_TOKENS, keys[i], value};
    }
    cr_assert_eq(write_changes(&desk, changes, 4096).status, OK);
    struct reply dropped = {.loop = desk.loop};
    /* More than lies unread at once: the thread waits for the loop, which never comes. */
    desk.store->operations->read_all(desk.store, STORE_TOKENS, on_row, on_done, &dropped);
    desk_finish(&desk);
    cr_assert_eq(dropped.rows, 0);
}

Test(store_sqlite, what_was_done_survives_a_kill)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    for (int round = 1; round <= 3; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct desk desk;
            desk_open(&desk, path);
            char key[] = {(char)('a' + round), '\0'};
            struct reply reply = put(&desk, STORE_TOKENS, key, "1");
            if (reply.status == OK)
                kill(getpid(), SIGKILL);
            _exit(1);
        }
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        DESK(desk);
        desk_open(&desk, path);
        cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, round);
    }
}

Test(store_sqlite, nothing_in_the_folder_is_readable_by_others_or_in_clear)
{
    TEMPORARY_FOLDER(folder);
    umask(0);
    const char *path = folder_path(&folder, "store.db");
    DESK(desk);
    desk_open(&desk, path);
    put(&desk, STORE_TOKENS, "a", "plain-refresh-token");
    static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm", "store.db.lock"};
    for (size_t i = 0; i < 4; i++) {
        struct stat metadata;
        const char *file = folder_path(&folder, files[i]);
        cr_assert_eq(stat(file, &metadata), 0, "%s", file);
        cr_assert_eq(metadata.st_mode & 07777, 0600, "%s", file);
        static char bytes[8 * 1024 * 1024];
        int fd = open(file, O_RDONLY);
        ssize_t length = read(fd, bytes, sizeof bytes);
        close(fd);
        cr_assert_null(memmem(bytes, (size_t)length, "plain-refresh", 13), "%s", file);
    }
    cr_assert_eq(access(folder_path(&folder, "store.db.new"), F_OK), -1);
}

Test(store_sqlite, wide_modes_are_narrowed)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    DESK(desk);
    desk_open(&desk, path);
    desk_finish(&desk);
    cr_assert_eq(chmod(path, 0666), 0);
    desk_open(&desk, path);
    struct stat metadata;
    cr_assert_eq(stat(path, &metadata), 0);
    cr_assert_eq(metadata.st_mode & 07777, 0600);
}

/* ---- what is refused ---- */

static void make_store(const char *path)
{
    DESK(desk);
    desk_open(&desk, path);
    put(&desk, STORE_TOKENS, "a", "1");
    put(&desk, STORE_TOKENS, "b", "2");
}

Test(store_sqlite, second_store_on_one_file_is_a_conflict_until_the_first_ends)
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

Test(store_sqlite, wrong_key_is_refused_and_changes_nothing)
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

static void desk_open_with_old_key(struct desk *desk, const char *path, char key, char old)
{
    *desk = (struct desk){.crypto = crypto_of(key)};
    AUTO(secret) old_key = key_of(old);
    struct error error = {0};
    cr_assert_eq(store_crypto_add_old_key(desk->crypto, old_key, NULL), OK);
    cr_assert_eq(event_loop_create(&desk->loop, NULL), OK);
    cr_assert_eq(store_sqlite_create(desk->loop, path, desk->crypto, &desk->store, &error), OK, "%s", error.message);
}

Test(store_sqlite, new_key_seals_everything_anew_and_the_old_one_is_needed_no_more)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    make_store(path);
    DESK(desk);
    desk_open_with_old_key(&desk, path, 'n', 'k');
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=1 b=2 ");
    desk_finish(&desk);

    struct error error;
    cr_assert_eq(refused(path, 'k', &error), ERR_CRYPTO);
    cr_assert_eq(desk_try_open(&desk, path, 'n', &error), OK, "%s", error.message);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=1 b=2 ");
}

Test(store_sqlite, new_key_changes_nothing_when_a_row_cannot_be_opened)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    make_store(path);
    tamper(path, "INSERT INTO tokens SELECT 'c', value FROM tokens WHERE key = 'a'");
    DESK(desk);
    desk.crypto = crypto_of('n');
    AUTO(secret) old_key = key_of('k');
    cr_assert_eq(store_crypto_add_old_key(desk.crypto, old_key, NULL), OK);
    cr_assert_eq(event_loop_create(&desk.loop, NULL), OK);
    struct error error;
    cr_assert_eq(store_sqlite_create(desk.loop, path, desk.crypto, &desk.store, &error), ERR_CRYPTO);
    cr_assert_not_null(strstr(error.message, "key c"));
    desk_finish(&desk);

    desk_open(&desk, path);
    cr_assert_eq(put(&desk, STORE_TOKENS, "c", NULL).status, OK);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=1 b=2 ");
}

Test(store_sqlite, tampered_row_ends_the_reading_and_is_named)
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
        cr_assert_eq(put(&desk, STORE_TOKENS, "b", "mended").status, OK);
        cr_assert_eq(read_table(&desk, STORE_TOKENS).status, OK);
    }
}

Test(store_sqlite, row_moved_to_another_table_does_not_open)
{
    TEMPORARY_FOLDER(folder);
    const char *path = folder_path(&folder, "store.db");
    make_store(path);
    tamper(path, "INSERT INTO states SELECT key, value FROM tokens");
    DESK(desk);
    desk_open(&desk, path);
    cr_assert_eq(read_table(&desk, STORE_STATES).status, ERR_CRYPTO);
}

Test(store_sqlite, newer_foreign_and_canaryless_databases_are_refused)
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

Test(store_sqlite, garbage_and_empty_files_are_refused_and_never_overwritten)
{
    TEMPORARY_FOLDER(folder);
    static char garbage[64 * 1024];
    assert_refused_unchanged(&folder, "", 0);
    assert_refused_unchanged(&folder, "hello", 5);
    assert_refused_unchanged(&folder, garbage, sizeof garbage);
    memset(garbage, 0x5a, sizeof garbage);
    assert_refused_unchanged(&folder, garbage, sizeof garbage);
}

Test(store_sqlite, truncated_file_is_refused_and_never_overwritten)
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

Test(store_sqlite, journal_without_its_database_is_refused)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "store.db-wal", 0600, "left over");
    struct error error;
    cr_assert_eq(refused(folder_path(&folder, "store.db"), 'k', &error), ERR_CORRUPT);
    cr_assert_eq(access(folder_path(&folder, "store.db"), F_OK), -1);
}

Test(store_sqlite, leftover_of_a_creation_cut_short_is_no_obstacle)
{
    TEMPORARY_FOLDER(folder);
    folder_write(&folder, "store.db.new", 0600, "half");
    folder_write(&folder, "store.db.new-journal", 0600, "half");
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    cr_assert_eq(access(folder_path(&folder, "store.db.new"), F_OK), -1);
}

Test(store_sqlite, unusable_paths_are_io_errors)
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

/* ---- a disk that refuses ---- */

static void limit_file_size(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(store_sqlite, full_disk_fails_every_caller_and_writes_go_on_when_it_has_room)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    put(&desk, STORE_TOKENS, "a", "old");
    cr_assert_eq(check(&desk).status, OK);
    limit_file_size(4096);
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "new").status, ERR_IO);
    cr_assert_eq(check(&desk).status, ERR_IO);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=old ");
    limit_file_size(RLIM_INFINITY);
    cr_assert_eq(check(&desk).status, OK);
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "new").status, OK);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=new ");
}

Test(store_sqlite, failed_call_changes_none_of_its_rows)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    const char *path = folder_path(&folder, "store.db");
    desk_open(&desk, path);
    tamper(path, "CREATE TRIGGER no BEFORE INSERT ON states BEGIN SELECT RAISE(ABORT, 'refused'); END");
    AUTO(secret) value = secret_from_text("1");
    struct store_change changes[] = {{STORE_TOKENS, "a", value}, {STORE_STATES, "a", value}};
    cr_assert_eq(write_changes(&desk, changes, 2).status, ERR_IO);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 0);
    cr_assert_eq(write_changes(&desk, changes, 1).status, OK);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, 1);
}

Test(store_sqlite, check_reads_and_writes)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    const char *path = folder_path(&folder, "store.db");
    desk_open(&desk, path);
    cr_assert_eq(check(&desk).status, OK);
    cr_assert_eq(check(&desk).status, OK);
    tamper(path, "UPDATE meta SET value = x'01'");
    cr_assert_eq(check(&desk).status, ERR_CORRUPT);
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "1").status, OK);
}

/* ---- many ---- */

struct tally {
    struct reply reply;
    size_t bytes;
};

static bool count_row(void *context, const char *key, const struct secret *value)
{
    struct tally *tally = context;
    tally->reply.rows++;
    tally->bytes += secret_length(value) + (key[0] == 'c');
    return true;
}

Test(store_sqlite, hundred_thousand_rows_come_back)
{
    enum { ROWS = 100000, GROUP = 10000, VALUE = 1024 };
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    const char *path = folder_path(&folder, "store.db");
    desk_open(&desk, path);
    static char bytes[VALUE];
    memset(bytes, 'x', sizeof bytes);
    AUTO(secret) value = secret_create(bytes, sizeof bytes);
    static struct store_change changes[GROUP];
    static char keys[GROUP][32];
    for (int first = 0; first < ROWS; first += GROUP) {
        for (int i = 0; i < GROUP; i++) {
            snprintf(keys[i], sizeof keys[i], "connection-%d", first + i);
            changes[i] = (struct store_change){STORE_TOKENS, keys[i], value};
        }
        cr_assert_eq(write_changes(&desk, changes, GROUP).status, OK);
    }
    desk_finish(&desk);
    int64_t start = clock_boot_ms();
    desk_open(&desk, path);
    int64_t opened = clock_boot_ms();
    struct tally tally = {.reply = {.loop = desk.loop, .wanted = 1}};
    desk.store->operations->read_all(desk.store, STORE_TOKENS, count_row, on_done, &tally);
    wait_for(&desk, &tally.reply);
    cr_log_info("opened in %ld ms, read in %ld ms", (long)(opened - start), (long)(clock_boot_ms() - opened));
    cr_assert_eq(tally.reply.status, OK);
    cr_assert_eq(tally.reply.rows, ROWS);
    cr_assert_eq(tally.bytes, (size_t)ROWS * (VALUE + 1));
}
