#include "io/store/store_rekey.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "io/store/store_crypto_keys.h"
#include "io/store_desk.h"

enum { ROWS = 200, STEPS_MAX = 1000 }; /* several pieces of a table */

/* ---- a database whose steps the test makes ---- */

struct bench {
    char store[128];
    char key[128];
    struct store_crypto *crypto;
    struct store_database *database;
    struct store_rekey rekey;
};

static void bench_close(struct bench *bench)
{
    store_database_destroy(TAKE(bench->database));
    store_crypto_destroy(TAKE(bench->crypto));
}

static enum status bench_try_open(struct bench *bench, struct error *ret_error)
{
    enum status status = store_key_load(bench->key, true, &bench->crypto, ret_error);
    if (status == OK)
        status = store_database_open(bench->store, bench->crypto, &bench->database, ret_error);
    if (status == OK)
        store_rekey_init(&bench->rekey, bench->database);
    return status;
}

static void bench_open(struct bench *bench)
{
    struct error error;
    cr_assert_eq(bench_try_open(bench, &error), OK, "%s", error.message);
}

static void put_row(struct bench *bench, enum store_table table, const char *key, const char *text)
{
    AUTO(secret) value = secret_from_text(text);
    struct error error;
    cr_assert_eq(store_database_begin(bench->database, &error), OK, "%s", error.message);
    cr_assert_eq(store_database_change(bench->database, &(struct store_change){table, key, value}, &error), OK);
    cr_assert_eq(store_database_commit(bench->database, &error), OK, "%s", error.message);
}

static void bench_fill(struct bench *bench, const struct temporary_folder *folder)
{
    *bench = (struct bench){0};
    snprintf(bench->store, sizeof bench->store, "%s/store.db", folder->path);
    snprintf(bench->key, sizeof bench->key, "%s/key", folder->path);
    bench_open(bench);
    cr_assert_eq(store_database_begin(bench->database, NULL), OK);
    for (int i = 0; i < ROWS; i++) {
        char key[32];
        snprintf(key, sizeof key, "default/c%d", i);
        AUTO(secret) value = secret_from_text(key + strlen("default/"));
        cr_assert_eq(store_database_change(bench->database, &(struct store_change){STORE_TOKENS, key, value}, NULL),
                     OK);
    }
    cr_assert_eq(store_database_commit(bench->database, NULL), OK);
    put_row(bench, STORE_JOURNAL, "j", "journal");
    put_row(bench, STORE_CONNECTIONS, "c", "connection");
}

#define BENCH(name, folder)                                                                                            \
    __attribute__((cleanup(bench_close))) struct bench name;                                                           \
    bench_fill(&name, &folder)

static struct store_key_state state_of(const struct bench *bench)
{
    struct store_key_state state;
    store_rekey_state(&bench->rekey, &state);
    return state;
}

static void begin(struct bench *bench)
{
    struct error error = {0};
    cr_assert_eq(store_rekey_begin(&bench->rekey, &error), OK, "%s", error.message);
}

/* How many steps it took to come to rest; a step that fails ends the test. */
static int step_to_the_end(struct bench *bench)
{
    int steps = 0;
    while (store_rekey_delay(&bench->rekey) == 0 && steps < STEPS_MAX) {
        store_rekey_step(&bench->rekey);
        cr_assert_eq(state_of(bench).trouble.status, OK, "%s", state_of(bench).trouble.message);
        steps++;
    }
    cr_assert_lt(steps, STEPS_MAX);
    return steps;
}

/* Every value is there, and reads. */
static void assert_whole(struct bench *bench)
{
    size_t rows = 0;
    for (size_t table = 0; table < STORE_TABLE_COUNT; table++) {
        for (;;) {
            const char *key = NULL;
            AUTO(secret) value = NULL;
            struct error error;
            enum status status = store_database_next(bench->database, (enum store_table)table, &key, &value, &error);
            cr_assert_eq(status, OK, "%s", error.message);
            if (!key)
                break;
            if (table == STORE_TOKENS)
                cr_assert_str_eq(secret_reveal(value), key + strlen("default/"));
            rows++;
        }
        store_database_end(bench->database, (enum store_table)table);
    }
    cr_assert_eq(rows, ROWS + 2);
}

static size_t lines_in(const char *path)
{
    AUTO(store_crypto) keys = NULL;
    struct error error;
    cr_assert_eq(store_key_load(path, false, &keys, &error), OK, "%s", error.message);
    return store_crypto_key_count(keys);
}

/* The eight bytes with which a key's values begin, behind their version: in a file of the store? */
static bool has_values_of(const struct bench *bench, const char *suffix, const char *key_id)
{
    char path[160];
    unsigned char id[8];
    static char content[4 * 1024 * 1024];
    for (size_t i = 0; i < sizeof id; i++)
        cr_assert_eq(sscanf(key_id + 2 * i, "%2hhx", &id[i]), 1);
    snprintf(path, sizeof path, "%s%s", bench->store, suffix);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, content, sizeof content);
    close(fd);
    return length > 0 && memmem(content, (size_t)length, id, sizeof id) != NULL;
}

static void copy_file(const char *from, const char *to)
{
    static char content[4 * 1024 * 1024];
    int in = open(from, O_RDONLY);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(in >= 0 && out >= 0);
    ssize_t length = read(in, content, sizeof content);
    cr_assert_eq(write(out, content, (size_t)length), length);
    close(in);
    close(out);
}

/* ---- the whole ---- */

Test(store_rekey, store_at_rest_has_nothing_to_do)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    struct store_key_state state = state_of(&bench);
    cr_assert_eq(state.phase, STORE_KEY_SETTLED);
    cr_assert_eq(state.old_key_count, 0);
    cr_assert_str_eq(state.key_file, bench.key);
    cr_assert_eq(store_rekey_delay(&bench.rekey), -1);
}

Test(store_rekey, new_key_seals_everything_and_the_old_one_is_gone_at_the_end)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    char old_id[STORE_KEY_ID_TEXT_SIZE];
    strcpy(old_id, state_of(&bench).key_id);
    copy_file(bench.key, folder_path(&folder, "old.key"));

    begin(&bench);
    struct store_key_state state = state_of(&bench);
    cr_assert_eq(state.phase, STORE_KEY_RESEALING);
    cr_assert_str_neq(state.key_id, old_id);
    cr_assert_str_eq(state.old_key_ids[0], old_id);
    cr_assert_eq(lines_in(bench.key), 2, "the new key is not on disk before it is used");
    cr_assert_gt(step_to_the_end(&bench), ROWS / 64);

    state = state_of(&bench);
    cr_assert_eq(state.phase, STORE_KEY_SETTLED);
    cr_assert_eq(state.old_key_count, 0);
    cr_assert_eq(state.values_left, 0);
    cr_assert_eq(lines_in(bench.key), 1);
    cr_assert_not(has_values_of(&bench, "", old_id), "the database still has values of the old key");
    cr_assert_not(has_values_of(&bench, "-wal", old_id), "the log still has values of the old key");
    assert_whole(&bench);

    bench_close(&bench);
    bench_open(&bench);
    assert_whole(&bench);
    bench_close(&bench);
    strcpy(bench.key, folder_path(&folder, "old.key"));
    struct error error;
    cr_assert_eq(bench_try_open(&bench, &error), ERR_CRYPTO);
    cr_assert_not_null(strstr(error.message, state.key_id), "%s", error.message);
}

Test(store_rekey, every_step_is_bounded_and_other_work_goes_on_between_them)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    begin(&bench);
    size_t left = SIZE_MAX;
    for (int i = 0; store_rekey_delay(&bench.rekey) == 0; i++) {
        store_rekey_step(&bench.rekey);
        struct store_key_state state = state_of(&bench);
        if (state.is_counted) {
            cr_assert(left == SIZE_MAX || left - state.values_left <= 64, "one step took %zu",
                      left - state.values_left);
            left = state.values_left;
        }
        /* A new token, which takes the place of a row before or behind the walk. */
        char key[32];
        snprintf(key, sizeof key, "default/c%d", i * 37 % ROWS);
        put_row(&bench, STORE_TOKENS, key, key + strlen("default/"));
    }
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_SETTLED);
    assert_whole(&bench);
}

Test(store_rekey, rows_that_come_and_go_meanwhile_do_not_count)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    begin(&bench);
    for (int i = 0; i < 7; i++)
        store_rekey_step(&bench.rekey);
    for (int i = 0; i < ROWS; i += 2) {
        char key[32];
        snprintf(key, sizeof key, "default/c%d", i);
        cr_assert_eq(store_database_change(bench.database, &(struct store_change){STORE_TOKENS, key, NULL}, NULL), OK);
    }
    step_to_the_end(&bench);
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_SETTLED);
    cr_assert_eq(state_of(&bench).values_left, 0);
}

Test(store_rekey, second_change_follows_the_first)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    char ids[3][STORE_KEY_ID_TEXT_SIZE];
    for (int i = 0; i < 3; i++) {
        strcpy(ids[i], state_of(&bench).key_id);
        cr_assert(i == 0 || strcmp(ids[i], ids[i - 1]) != 0);
        begin(&bench);
        step_to_the_end(&bench);
        cr_assert_eq(lines_in(bench.key), 1);
        assert_whole(&bench);
    }
}

Test(store_rekey, beginning_again_joins_and_makes_no_third_key)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    begin(&bench);
    struct store_key_state first = state_of(&bench);
    store_rekey_step(&bench.rekey);
    begin(&bench);
    cr_assert_str_eq(state_of(&bench).key_id, first.key_id);
    cr_assert_eq(lines_in(bench.key), 2);
    step_to_the_end(&bench);
    cr_assert_str_eq(state_of(&bench).key_id, first.key_id);
}

/* ---- kills ---- */

Test(store_rekey, end_after_any_step_loses_nothing_and_the_next_start_goes_on)
{
    bool has_ended = false;
    for (int kept = 0; !has_ended; kept++) {
        TEMPORARY_FOLDER(folder);
        BENCH(bench, folder);
        begin(&bench);
        char new_id[STORE_KEY_ID_TEXT_SIZE];
        strcpy(new_id, state_of(&bench).key_id);
        for (int i = 0; i < kept && store_rekey_delay(&bench.rekey) == 0; i++)
            store_rekey_step(&bench.rekey);
        has_ended = store_rekey_delay(&bench.rekey) < 0;
        bench_close(&bench);

        bench_open(&bench);
        assert_whole(&bench);
        cr_assert_eq(state_of(&bench).phase, has_ended ? STORE_KEY_SETTLED : STORE_KEY_RESEALING);
        begin(&bench);
        if (!has_ended)
            cr_assert_str_eq(state_of(&bench).key_id, new_id);
        step_to_the_end(&bench);
        cr_assert_eq(lines_in(bench.key), 1);
        assert_whole(&bench);
    }
}

Test(store_rekey, what_a_cut_off_write_of_the_key_left_is_removed_at_the_start)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    bench_close(&bench);
    folder_write(&folder, "key.new", 0600, "half a key");
    bench_open(&bench);
    cr_assert_eq(access(folder_path(&folder, "key.new"), F_OK), -1);
    assert_whole(&bench);
}

Test(store_rekey, start_with_the_old_key_alone_is_refused_in_the_middle)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    copy_file(bench.key, folder_path(&folder, "old.key"));
    begin(&bench);
    while (bench.rekey.stage != REKEY_WALK || bench.rekey.place.row == INT64_MIN)
        store_rekey_step(&bench.rekey);
    char new_id[STORE_KEY_ID_TEXT_SIZE];
    strcpy(new_id, state_of(&bench).key_id);
    bench_close(&bench);
    copy_file(folder_path(&folder, "old.key"), bench.key);
    struct error error;
    cr_assert_eq(bench_try_open(&bench, &error), ERR_CRYPTO);
    cr_assert_not_null(strstr(error.message, new_id), "%s", error.message);
    cr_assert_not_null(strstr(error.message, bench.key), "%s", error.message);
}

/* ---- what fails ---- */

Test(store_rekey, key_that_cannot_be_written_changes_nothing)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    struct store_key_state before = state_of(&bench);
    cr_assert_eq(mkdir(folder_path(&folder, "key.new"), 0700), 0);
    struct error error;
    cr_assert_eq(store_rekey_begin(&bench.rekey, &error), ERR_IO);
    cr_assert_not_null(strstr(error.message, bench.key));
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_SETTLED);
    cr_assert_str_eq(state_of(&bench).key_id, before.key_id);
    cr_assert_eq(state_of(&bench).old_key_count, 0);
    cr_assert_eq(store_rekey_delay(&bench.rekey), -1);
    put_row(&bench, STORE_TOKENS, "default/c0", "c0");
    bench_close(&bench);
    bench_open(&bench);
    assert_whole(&bench);
}

Test(store_rekey, old_key_stays_while_the_key_file_cannot_be_written_at_the_end)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    begin(&bench);
    cr_assert_eq(mkdir(folder_path(&folder, "key.new"), 0700), 0);
    while (state_of(&bench).trouble.status == OK)
        store_rekey_step(&bench.rekey);
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_RESEALING);
    cr_assert_eq(lines_in(bench.key), 2);
    cr_assert_gt(store_rekey_delay(&bench.rekey), 0, "it spins");
    cr_assert_leq(store_rekey_delay(&bench.rekey), 1000);
    cr_assert_eq(rmdir(folder_path(&folder, "key.new")), 0);
    begin(&bench); /* an operator need not wait */
    step_to_the_end(&bench);
    cr_assert_eq(lines_in(bench.key), 1);
}

Test(store_rekey, pauses_after_failures_grow_to_half_a_minute)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    begin(&bench);
    cr_assert_eq(mkdir(folder_path(&folder, "key.new"), 0700), 0);
    while (state_of(&bench).trouble.status == OK)
        store_rekey_step(&bench.rekey);
    for (int i = 0; i < 100; i++)
        store_rekey_step(&bench.rekey);
    int64_t delay = store_rekey_delay(&bench.rekey);
    cr_assert(delay > 15 * 1000 && delay <= 30 * 1000, "%lld", (long long)delay);
}

Test(store_rekey, full_disk_in_the_middle_is_a_pause)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    begin(&bench);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1024, before.rlim_max}), 0);
    for (int i = 0; state_of(&bench).trouble.status == OK && i < STEPS_MAX; i++)
        store_rekey_step(&bench.rekey);
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_RESEALING);
    cr_assert_neq(state_of(&bench).trouble.status, OK);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    begin(&bench);
    step_to_the_end(&bench);
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_SETTLED);
    assert_whole(&bench);
}

Test(store_rekey, value_that_does_not_open_keeps_both_keys_and_is_named)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    bench_close(&bench);
    tamper(bench.store, "UPDATE tokens SET value = (SELECT value FROM tokens WHERE key = 'default/c1') "
                        "WHERE key = 'default/c150'");
    bench_open(&bench);
    begin(&bench);
    while (state_of(&bench).trouble.status == OK)
        store_rekey_step(&bench.rekey);
    struct store_key_state state = state_of(&bench);
    cr_assert_eq(state.trouble.status, ERR_CRYPTO);
    cr_assert_not_null(strstr(state.trouble.message, "key default/c150"), "%s", state.trouble.message);
    cr_assert_eq(lines_in(bench.key), 2);
    /* It is overwritten, as the next token would. */
    put_row(&bench, STORE_TOKENS, "default/c150", "c150");
    begin(&bench);
    step_to_the_end(&bench);
    cr_assert_eq(lines_in(bench.key), 1);
    assert_whole(&bench);
}

Test(store_rekey, credential_is_refused_with_one_key)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    bench_close(&bench);
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    bench_open(&bench);
    struct error error;
    cr_assert_eq(store_rekey_begin(&bench.rekey, &error), ERR_DENIED);
    cr_assert_not_null(strstr(error.message, "credential"));
    cr_assert(state_of(&bench).is_credential);
    cr_assert_eq(state_of(&bench).old_key_count, 0);
}

Test(store_rekey, credential_with_two_keys_is_sealed_anew_and_left_to_the_operator)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    char old_id[STORE_KEY_ID_TEXT_SIZE];
    strcpy(old_id, state_of(&bench).key_id);
    struct error error;
    cr_assert_eq(store_rekey_begin(&bench.rekey, &error), OK);
    bench_close(&bench);
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    for (int start = 0; start < 2; start++) {
        bench_open(&bench);
        cr_assert_eq(state_of(&bench).phase, STORE_KEY_RESEALING);
        step_to_the_end(&bench);
        struct store_key_state state = state_of(&bench);
        cr_assert_eq(state.phase, STORE_KEY_OLD_UNUSED);
        cr_assert_str_eq(state.old_key_ids[0], old_id);
        cr_assert_not(has_values_of(&bench, "", old_id));
        begin(&bench); /* nothing to do: the operator's turn */
        cr_assert_eq(state_of(&bench).phase, STORE_KEY_OLD_UNUSED);
        cr_assert_str_eq(state_of(&bench).key_id, state.key_id);
        cr_assert_eq(lines_in(bench.key), 2);
        assert_whole(&bench);
        bench_close(&bench);
    }
    cr_assert_eq(truncate(bench.key, 65), 0);
    bench_open(&bench);
    cr_assert_eq(state_of(&bench).phase, STORE_KEY_SETTLED);
    assert_whole(&bench);
}

/* ---- with its thread ---- */

struct witness {
    struct event_loop *loop;
    struct store_key_state state;
    int calls;
};

static void on_key_changed(void *context, const struct store_key_state *state)
{
    struct witness *witness = context;
    witness->state = *state;
    witness->calls++;
    if (state->phase == STORE_KEY_SETTLED)
        event_loop_stop(witness->loop);
}

Test(store_rekey, writer_goes_on_by_itself_beside_reads_and_writes)
{
    TEMPORARY_FOLDER(folder);
    BENCH(bench, folder);
    bench_close(&bench);
    DESK(desk);
    cr_assert_eq(store_key_load(bench.key, false, &desk.crypto, NULL), OK);
    cr_assert_eq(event_loop_create(&desk.loop, NULL), OK);
    cr_assert_eq(store_sqlite_create(desk.loop, bench.store, desk.crypto, &desk.store, NULL), OK);
    struct witness witness = {.loop = desk.loop};
    store_sqlite_on_key_change(desk.store, on_key_changed, &witness);

    struct reply begun = {.loop = desk.loop, .wanted = 1};
    desk.store->operations->rekey(desk.store, on_done, &begun);
    AUTO(secret) value = secret_from_text("new");
    struct reply written = {.loop = desk.loop, .wanted = 1};
    desk.store->operations->write(desk.store, &(struct store_change){STORE_STATES, "s", value}, 1, on_done, &written);
    wait_for(&desk, &begun);
    cr_assert_eq(begun.status, OK);
    wait_for(&desk, &written);
    cr_assert_eq(written.status, OK);
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, ROWS);
    AUTO(loop_timer) timer = loop_timer_create(desk.loop, give_up, NULL);
    loop_timer_start(timer, PATIENCE_MS);
    /* It may have come to its end before anybody looked. */
    while (witness.calls == 0 || witness.state.phase != STORE_KEY_SETTLED)
        cr_assert_eq(event_loop_run(desk.loop, NULL), OK);
    cr_assert_leq(witness.calls, 2, "begun and done");
    cr_assert_eq(lines_in(bench.key), 1);
    cr_assert_str_eq(read_table(&desk, STORE_STATES).text, "s=new ");
    cr_assert_eq(read_table(&desk, STORE_TOKENS).rows, ROWS);
}

Test(store_rekey, key_that_is_in_no_file_is_not_changed)
{
    TEMPORARY_FOLDER(folder);
    DESK(desk);
    desk_open(&desk, folder_path(&folder, "store.db"));
    struct reply begun = {.loop = desk.loop, .wanted = 1};
    desk.store->operations->rekey(desk.store, on_done, &begun);
    wait_for(&desk, &begun);
    cr_assert_eq(begun.status, ERR_DENIED);
    cr_assert_eq(put(&desk, STORE_TOKENS, "a", "1").status, OK);
}
