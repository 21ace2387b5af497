#include "io/store/store_sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/loop/loop_slice.h"
#include "io/store/store_writer.h"

/* Calls whose done has not run, and the bytes of their values: a disk that stands still must not fill the memory. */
enum { STORE_QUEUE_MAX = 16 * 1024, STORE_QUEUE_BYTES_MAX = 128 * 1024 * 1024 };

struct store_sqlite {
    struct store store; /* first: what the caller holds */
    struct loop_wakeup *wakeup;
    struct store_writer *writer;
    size_t open_jobs;
    size_t open_bytes;
    bool delivering;
    store_key_changed *key_changed;
    void *key_context;
    struct store_key_state told; /* key_changed knows of this one */
    store_ballast_changed *ballast_changed;
    void *ballast_context;
    struct store_ballast_state ballast_told;
    struct metrics *metrics; /* NULL: nobody counts */
};

static struct store_sqlite *of_store(struct store *store)
{
    return (struct store_sqlite *)store;
}

/* ---- jobs ---- */

static void job_destroy(struct store_job *job)
{
    for (size_t i = 0; i < job->change_count; i++) {
        free((char *)(uintptr_t)job->changes[i].key);
        secret_destroy((struct secret *)(uintptr_t)job->changes[i].value);
    }
    free(job->changes);
    free(job);
}

static struct store_job *job_create(enum store_job_kind kind, store_done *done, void *context)
{
    struct store_job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->kind = kind;
    job->done = done;
    job->context = context;
    atomic_init(&job->stopped, false);
    return job;
}

static bool job_copy_changes(struct store_job *job, const struct store_change *changes, size_t count)
{
    job->changes = calloc(count, sizeof *job->changes);
    if (!job->changes && count > 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        char *key = strdup(changes[i].key);
        if (!key)
            return false;
        job->changes[i] = (struct store_change){changes[i].table, key, secret_hold(changes[i].value)};
        job->change_count++;
        job->bytes += strlen(key) + secret_length(changes[i].value);
    }
    return true;
}

static enum status check_sizes(const struct store_change *changes, size_t count, struct error *ret_error)
{
    for (size_t i = 0; i < count; i++) {
        assert(changes[i].table < STORE_TABLE_COUNT);
        if (strlen(changes[i].key) > STORE_KEY_MAX)
            return error_set(ret_error, ERR_TOO_LARGE, "store: a key is longer than %d bytes", STORE_KEY_MAX);
        if (secret_length(changes[i].value) > STORE_VALUE_MAX)
            return error_set(ret_error, ERR_TOO_LARGE, "store: a value is longer than %d bytes", STORE_VALUE_MAX);
    }
    return OK;
}

/* With no memory for a job there is nothing to answer from later: the only callback that runs inside the call. */
static void refuse_without_job(store_done *done, void *context)
{
    struct error error;
    error_set(&error, ERR_NO_MEMORY, "store");
    if (done)
        done(context, ERR_NO_MEMORY, &error);
}

static enum status check_room(const struct store_sqlite *sqlite, const struct store_job *job, struct error *ret_error)
{
    if (sqlite->open_jobs < STORE_QUEUE_MAX && job->bytes <= STORE_QUEUE_BYTES_MAX - sqlite->open_bytes)
        return OK;
    return error_set(ret_error, ERR_BUSY, "store: too many calls wait for the disk");
}

static void submit(struct store_sqlite *sqlite, struct store_job *job, enum status status)
{
    if (status == OK)
        status = check_room(sqlite, job, &job->error);
    sqlite->open_jobs++;
    if (status != OK) {
        job->bytes = 0;
        store_writer_end_unpushed(sqlite->writer, job, status);
        return;
    }
    sqlite->open_bytes += job->bytes;
    store_writer_push(sqlite->writer, job);
}

/* ---- answers ---- */

static void deliver_rows(struct store_answer *answer)
{
    struct store_job *job = answer->job;
    for (size_t i = 0; i < answer->row_count && !atomic_load(&job->stopped); i++) {
        if (!job->row(job->context, answer->rows[i].key, answer->rows[i].value))
            atomic_store(&job->stopped, true);
    }
}

static void deliver_end(struct store_job *job)
{
    if (!job->done)
        return;
    /* It may have been stopped in its last rows, when the thread had read to the end already. */
    if (job->status == OK && atomic_load(&job->stopped))
        job->status = error_set(&job->error, ERR_CANCELLED, "the reader stopped");
    job->done(job->context, job->status, job->status == OK ? NULL : &job->error);
}

static void count(const struct store_sqlite *sqlite, const struct store_job *job)
{
    if (!sqlite->metrics || job->kind != STORE_JOB_WRITE || job->status != OK)
        return;
    metrics_add(sqlite->metrics, METRIC_STORE_WRITES, 1);
    metrics_add(sqlite->metrics, METRIC_STORE_COMMITS, job->ends_commit);
}

static void forget_job(struct store_sqlite *sqlite, struct store_job *job)
{
    sqlite->open_jobs--;
    sqlite->open_bytes -= job->bytes;
    job_destroy(job);
}

static bool is_same_key_state(const struct store_key_state *a, const struct store_key_state *b)
{
    return a->phase == b->phase && strcmp(a->key_id, b->key_id) == 0 && a->trouble.status == b->trouble.status &&
           strcmp(a->trouble.message, b->trouble.message) == 0;
}

static void tell_key_change(struct store_sqlite *sqlite)
{
    struct store_key_state state;
    if (!sqlite->key_changed)
        return;
    store_writer_key_state(sqlite->writer, &state);
    if (is_same_key_state(&state, &sqlite->told))
        return;
    sqlite->told = state;
    sqlite->key_changed(sqlite->key_context, &state);
}

static void tell_ballast_change(struct store_sqlite *sqlite)
{
    struct store_ballast_state state;
    struct store_ballast_state *told = &sqlite->ballast_told;
    if (!sqlite->ballast_changed)
        return;
    store_writer_ballast_state(sqlite->writer, &state);
    if (state.wanted == told->wanted && state.is_there == told->is_there &&
        strcmp(state.trouble.message, told->trouble.message) == 0)
        return;
    *told = state;
    sqlite->ballast_changed(sqlite->ballast_context, &state);
}

static void on_answers(void *context)
{
    struct store_sqlite *sqlite = context;
    struct loop_slice slice = loop_slice_begin();
    struct store_answer *answer;
    sqlite->delivering = true;
    tell_key_change(sqlite);
    tell_ballast_change(sqlite);
    while ((answer = store_writer_pop(sqlite->writer))) {
        if (answer->last) {
            count(sqlite, answer->job);
            deliver_end(answer->job);
            forget_job(sqlite, answer->job);
        } else {
            deliver_rows(answer);
            store_answer_destroy(answer);
        }
        if (loop_slice_is_over(&slice)) {
            loop_wakeup_signal(sqlite->wakeup);
            break;
        }
    }
    sqlite->delivering = false;
}

/* ---- operations ---- */

static void sqlite_read_all(struct store *store, enum store_table table, store_row *row, store_done *done,
                            void *context)
{
    assert(table < STORE_TABLE_COUNT);
    struct store_job *job = job_create(STORE_JOB_READ, done, context);
    if (!job) {
        refuse_without_job(done, context);
        return;
    }
    job->table = table;
    job->row = row;
    submit(of_store(store), job, OK);
}

static void sqlite_write(struct store *store, const struct store_change *changes, size_t count, store_done *done,
                         void *context)
{
    struct store_job *job = job_create(STORE_JOB_WRITE, done, context);
    if (!job) {
        refuse_without_job(done, context);
        return;
    }
    enum status status = check_sizes(changes, count, &job->error);
    if (status == OK && !job_copy_changes(job, changes, count))
        status = error_set(&job->error, ERR_NO_MEMORY, "store");
    submit(of_store(store), job, status);
}

static void sqlite_check(struct store *store, store_done *done, void *context)
{
    struct store_job *job = job_create(STORE_JOB_CHECK, done, context);
    if (!job) {
        refuse_without_job(done, context);
        return;
    }
    submit(of_store(store), job, OK);
}

static void sqlite_rekey(struct store *store, store_done *done, void *context)
{
    struct store_job *job = job_create(STORE_JOB_REKEY, done, context);
    if (!job) {
        refuse_without_job(done, context);
        return;
    }
    submit(of_store(store), job, OK);
}

static void sqlite_key_state(struct store *store, struct store_key_state *ret_state)
{
    store_writer_key_state(of_store(store)->writer, ret_state);
}

static void drop_answers(struct store_sqlite *sqlite)
{
    struct store_answer *answer;
    while ((answer = store_writer_pop(sqlite->writer))) {
        if (answer->last)
            forget_job(sqlite, answer->job);
        else
            store_answer_destroy(answer);
    }
}

static void sqlite_destroy(struct store *store)
{
    struct store_sqlite *sqlite = of_store(store);
    assert(!sqlite->delivering);
    if (sqlite->writer) {
        store_writer_stop(sqlite->writer);
        drop_answers(sqlite);
        store_writer_destroy(sqlite->writer);
    }
    loop_wakeup_destroy(sqlite->wakeup);
    free(sqlite);
}

static const struct store_operations OPERATIONS = {
    .read_all = sqlite_read_all,
    .write = sqlite_write,
    .check = sqlite_check,
    .rekey = sqlite_rekey,
    .key_state = sqlite_key_state,
    .destroy = sqlite_destroy,
};

void store_sqlite_count_in(struct store *store, struct metrics *metrics)
{
    of_store(store)->metrics = metrics;
}

void store_sqlite_on_key_change(struct store *store, store_key_changed *changed, void *context)
{
    struct store_sqlite *sqlite = of_store(store);
    store_writer_key_state(sqlite->writer, &sqlite->told);
    sqlite->key_changed = changed;
    sqlite->key_context = context;
}

void store_sqlite_keep_ballast(struct store *store, size_t size, store_ballast_changed *changed, void *context)
{
    struct store_sqlite *sqlite = of_store(store);
    sqlite->ballast_changed = changed;
    sqlite->ballast_context = context;
    store_writer_want_ballast(sqlite->writer, size);
}

enum status store_sqlite_create(struct event_loop *loop, const char *path, struct store_crypto *crypto,
                                struct store **ret_store, struct error *ret_error)
{
    struct store_sqlite *sqlite = calloc(1, sizeof *sqlite);
    if (!sqlite)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    sqlite->store.operations = &OPERATIONS;
    AUTO(store) store = &sqlite->store;
    enum status status = loop_wakeup_create(loop, on_answers, sqlite, &sqlite->wakeup, ret_error);
    if (status == OK)
        status = store_writer_start(path, crypto, sqlite->wakeup, &sqlite->writer, ret_error);
    if (status != OK)
        return status;
    *ret_store = TAKE(store);
    return OK;
}
