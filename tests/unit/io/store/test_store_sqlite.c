#include "io/store/store_sqlite.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/store_desk.h"

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

/* What is open in this thread's table below the folder. */
static int open_files_of(const char *folder)
{
    int count = 0;
    DIR *descriptors = opendir("/proc/thread-self/fd");
    cr_assert_not_null(descriptors);
    for (struct dirent *entry; (entry = readdir(descriptors));) {
        char target[PATH_MAX] = "";
        if (readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1) > 0)
            count += strncmp(target, folder, strlen(folder)) == 0;
    }
    closedir(descriptors);
    return count;
}

/* Shared ones are counted by the kernel at each use: a token that stands ready would pay for that. */
Test(store_sqlite, its_descriptors_are_its_threads_own)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "1").status, OK);
    cr_expect_eq(open_files_of(folder_path(&folder, "")), 0);
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

/* What SQLite still writes to then is not what the next start will read. */
Test(store_sqlite, file_that_is_not_in_its_place_takes_nothing_until_it_is_back)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    const char *path = folder_path(&folder, "store.db");
    const char *elsewhere = folder_path(&folder, "elsewhere");
    desk_open(&desk, path);
    put(&desk, STORE_TOKENS, "a", "old");
    cr_assert_eq(rename(path, elsewhere), 0);
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "new").status, ERR_IO);
    cr_assert_eq(check(&desk).status, ERR_IO);
    folder_write_bytes(&folder, "store.db", 0600, "another", 7);
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "new").status, ERR_IO);
    cr_assert_str_eq(read_table(&desk, STORE_TOKENS).text, "a=old ");
    cr_assert_eq(rename(elsewhere, path), 0);
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

/*
 * The thread cannot read to the end of the table before the loop takes rows, so that all writes wait behind the reader.
 */
Test(store_sqlite, writes_that_wait_together_share_a_commit)
{
    enum { ROWS = 4000, WRITES = 100 };
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    AUTO(secret) value = secret_from_text("value");
    static struct store_change changes[ROWS];
    static char keys[ROWS][32];
    for (int i = 0; i < ROWS; i++) {
        snprintf(keys[i], sizeof keys[i], "connection-%d", i);
        changes[i] = (struct store_change){STORE_TOKENS, keys[i], value};
    }
    cr_assert_eq(write_changes(&desk, changes, ROWS).status, OK);
    struct metrics metrics = {0};
    store_sqlite_count_in(desk.store, &metrics);
    struct tally tally = {.reply = {.loop = desk.loop, .wanted = 1}};
    struct reply written = {.loop = desk.loop, .wanted = WRITES};
    desk.store->operations->read_all(desk.store, STORE_TOKENS, count_row, on_done, &tally);
    for (int i = 0; i < WRITES; i++)
        desk.store->operations->write(desk.store, &changes[i], 1, on_done, &written);
    wait_for(&desk, &written);
    cr_assert_eq(metrics.values[METRIC_STORE_WRITES], WRITES);
    /* Two when the thread took the reader before the last write had come. */
    cr_assert_leq(metrics.values[METRIC_STORE_COMMITS], 2);
    cr_assert_geq(metrics.values[METRIC_STORE_COMMITS], 1);
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
