#include "io/store/store_writer.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "io/loop/loop_slice.h"
#include "io/store/store_ballast.h"
#include "io/store/store_rekey.h"

/*
 * Rows are handed over in pieces that hold the loop for a few ms at most; the thread waits while ROW_ANSWERS_MAX of
 * them lie unread, so that a read of any size takes bounded memory.
 */
enum { ROWS_PER_ANSWER = 128, BYTES_PER_ANSWER = 256 * 1024, ROW_ANSWERS_MAX = 8 };
enum { GATHER_NS = 2 * 1000 * 1000, WRITER_NICE = 10 };

STAILQ_HEAD(store_job_list, store_job);
STAILQ_HEAD(store_answer_list, store_answer);

enum writer_state { WRITER_OPENING, WRITER_OPEN, WRITER_REFUSED };

struct store_writer {
    char *path;
    struct store_crypto *crypto;     /* borrowed; the database's once that is open */
    struct store_database *database; /* the thread's alone */
    struct store_rekey rekey;        /* likewise */
    struct store_ballast ballast;    /* likewise */
    struct loop_wakeup *wakeup;
    pthread_t thread;
    bool is_running;
    int64_t last_commit;  /* loop_slice_now(); the thread's alone */
    pthread_mutex_t lock; /* for everything below */
    pthread_cond_t changed;
    enum writer_state state;
    struct error refusal; /* why it is REFUSED */
    struct store_job_list jobs;
    struct store_answer_list answers;
    struct store_key_state key_state;
    struct store_ballast_state ballast_state;
    size_t ballast_asked;
    bool is_ballast_asked; /* the thread has not seen ballast_asked yet */
    size_t unread_row_answers;
    bool stopping;
};

void store_answer_destroy(struct store_answer *answer)
{
    for (size_t i = 0; i < answer->row_count; i++) {
        free(answer->rows[i].key);
        secret_destroy(answer->rows[i].value);
    }
    free(answer->rows);
    free(answer);
}

static void add_answer(struct store_writer *writer, struct store_answer *answer)
{
    pthread_mutex_lock(&writer->lock);
    bool is_first = STAILQ_EMPTY(&writer->answers);
    STAILQ_INSERT_TAIL(&writer->answers, answer, link);
    writer->unread_row_answers += !answer->last;
    pthread_mutex_unlock(&writer->lock);
    /* Whoever pops goes on, by a wake-up of his own if need be, until there is none. */
    if (is_first)
        loop_wakeup_signal(writer->wakeup);
}

static void end_job(struct store_writer *writer, struct store_job *job, enum status status)
{
    job->status = status;
    job->end = (struct store_answer){.job = job, .last = true};
    add_answer(writer, &job->end);
}

void store_writer_end_unpushed(struct store_writer *writer, struct store_job *job, enum status status)
{
    end_job(writer, job, status);
}

void store_writer_push(struct store_writer *writer, struct store_job *job)
{
    pthread_mutex_lock(&writer->lock);
    STAILQ_INSERT_TAIL(&writer->jobs, job, link);
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

struct store_answer *store_writer_pop(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct store_answer *answer = STAILQ_FIRST(&writer->answers);
    if (answer) {
        STAILQ_REMOVE_HEAD(&writer->answers, link);
        if (!answer->last) {
            writer->unread_row_answers--;
            pthread_cond_signal(&writer->changed);
        }
    }
    pthread_mutex_unlock(&writer->lock);
    return answer;
}

/* ---- writing ---- */

static enum status change_all(struct store_database *database, const struct store_job_list *group,
                              struct error *ret_error)
{
    enum status status = store_database_begin(database, ret_error);
    const struct store_job *job;
    STAILQ_FOREACH(job, group, link)
    {
        for (size_t i = 0; i < job->change_count && status == OK; i++)
            status = store_database_change(database, &job->changes[i], ret_error);
        /* On a machine with one processor to spare a token that stands ready need not wait for the whole group. */
        sched_yield();
    }
    if (status == OK)
        status = store_database_commit(database, ret_error);
    if (status != OK)
        store_database_rollback(database);
    return status;
}

/* ---- the ballast ---- */

static void publish_ballast(struct store_writer *writer)
{
    const struct store_ballast *ballast = &writer->ballast;
    pthread_mutex_lock(&writer->lock);
    writer->ballast_state = (struct store_ballast_state){ballast->wanted, ballast->is_there, ballast->trouble};
    pthread_mutex_unlock(&writer->lock);
    loop_wakeup_signal(writer->wakeup);
}

void store_writer_ballast_state(struct store_writer *writer, struct store_ballast_state *ret_state)
{
    pthread_mutex_lock(&writer->lock);
    *ret_state = writer->ballast_state;
    pthread_mutex_unlock(&writer->lock);
}

void store_writer_want_ballast(struct store_writer *writer, size_t size)
{
    pthread_mutex_lock(&writer->lock);
    writer->ballast_asked = size;
    writer->is_ballast_asked = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

/* Makes, removes or tries again what is due. Not at the end, when nobody needs it. */
static void tend_ballast(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool is_asked = writer->is_ballast_asked;
    bool is_due = !writer->stopping && (is_asked || store_ballast_delay(&writer->ballast) == 0);
    size_t size = writer->ballast_asked;
    writer->is_ballast_asked = false;
    pthread_mutex_unlock(&writer->lock);
    if (!is_due)
        return;
    if (is_asked)
        store_ballast_want(&writer->ballast, size);
    else
        store_ballast_make(&writer->ballast);
    publish_ballast(writer);
}

static enum status change_all_on_full_disk(struct store_writer *writer, const struct store_job_list *group,
                                           struct error *error)
{
    enum status status = change_all(writer->database, group, error);
    if (status != ERR_NO_SPACE || !store_ballast_give_up(&writer->ballast))
        return status;
    publish_ballast(writer);
    *error = (struct error){0};
    return change_all(writer->database, group, error);
}

/* One transaction, one fsync, one outcome for all of them. */
static void write_group(struct store_writer *writer, struct store_job_list *group)
{
    if (STAILQ_EMPTY(group))
        return;
    struct error error = {0};
    enum status status = change_all_on_full_disk(writer, group, &error);
    writer->last_commit = loop_slice_now();
    while (!STAILQ_EMPTY(group)) {
        struct store_job *job = STAILQ_FIRST(group);
        STAILQ_REMOVE_HEAD(group, link);
        job->error = error;
        job->ends_commit = status == OK && STAILQ_EMPTY(group);
        end_job(writer, job, status);
    }
}

static void check(struct store_writer *writer, struct store_job *job)
{
    enum status status = store_database_begin(writer->database, &job->error);
    if (status == OK)
        status = store_database_touch(writer->database, &job->error);
    if (status == OK)
        status = store_database_commit(writer->database, &job->error);
    if (status != OK)
        store_database_rollback(writer->database);
    end_job(writer, job, status);
}

/* ---- another key ---- */

static void publish_key_state(struct store_writer *writer)
{
    struct store_key_state state;
    store_rekey_state(&writer->rekey, &state);
    pthread_mutex_lock(&writer->lock);
    writer->key_state = state;
    pthread_mutex_unlock(&writer->lock);
    loop_wakeup_signal(writer->wakeup);
}

void store_writer_key_state(struct store_writer *writer, struct store_key_state *ret_state)
{
    pthread_mutex_lock(&writer->lock);
    *ret_state = writer->key_state;
    pthread_mutex_unlock(&writer->lock);
}

static void begin_rekey(struct store_writer *writer, struct store_job *job)
{
    enum status status = store_rekey_begin(&writer->rekey, &job->error);
    publish_key_state(writer);
    end_job(writer, job, status);
}

/* Not at the end, which waits for what was asked for alone: the next start goes on. */
static void step_rekey(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool is_due = !writer->stopping && store_rekey_delay(&writer->rekey) == 0;
    pthread_mutex_unlock(&writer->lock);
    if (!is_due)
        return;
    store_rekey_step(&writer->rekey);
    publish_key_state(writer);
}

/* ---- reading ---- */

/* False when nobody will take more rows. */
static bool wait_for_room(struct store_writer *writer, struct store_job *job)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->unread_row_answers >= ROW_ANSWERS_MAX && !writer->stopping)
        pthread_cond_wait(&writer->changed, &writer->lock);
    bool wanted = !writer->stopping && !atomic_load(&job->stopped);
    pthread_mutex_unlock(&writer->lock);
    return wanted;
}

static enum status add_row(struct store_answer *answer, const char *key, struct secret *take_value,
                           struct error *ret_error)
{
    char *copy = strdup(key);
    if (!copy) {
        secret_destroy(take_value);
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    }
    answer->rows[answer->row_count++] = (struct store_answer_row){copy, take_value};
    return OK;
}

/* ret_end: the table has no more rows. */
static enum status fill_answer(struct store_writer *writer, struct store_job *job, struct store_answer *answer,
                               bool *ret_end)
{
    size_t bytes = 0;
    while (answer->row_count < ROWS_PER_ANSWER && bytes < BYTES_PER_ANSWER) {
        const char *key;
        struct secret *value;
        enum status status = store_database_next(writer->database, job->table, &key, &value, &job->error);
        if (status == OK && !key) {
            *ret_end = true;
            return OK;
        }
        if (status == OK) {
            bytes += secret_length(value);
            status = add_row(answer, key, value, &job->error);
        }
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status read_some(struct store_writer *writer, struct store_job *job, bool *ret_end)
{
    struct store_answer *answer = calloc(1, sizeof *answer);
    if (!answer)
        return error_set(&job->error, ERR_NO_MEMORY, "store");
    answer->job = job;
    answer->rows = calloc(ROWS_PER_ANSWER, sizeof *answer->rows);
    enum status status =
        answer->rows ? fill_answer(writer, job, answer, ret_end) : error_set(&job->error, ERR_NO_MEMORY, "store");
    if (answer->row_count > 0)
        add_answer(writer, answer);
    else
        store_answer_destroy(answer);
    return status;
}

static void read_all(struct store_writer *writer, struct store_job *job)
{
    enum status status = OK;
    bool at_end = false;
    while (status == OK && !at_end) {
        if (wait_for_room(writer, job))
            status = read_some(writer, job, &at_end);
        else
            status = error_set(&job->error, ERR_CANCELLED, "the reader stopped");
    }
    store_database_end(writer->database, job->table);
    end_job(writer, job, status);
}

/* ---- the thread ---- */

static void wait_for_change(struct store_writer *writer, int64_t delay_ms)
{
    if (delay_ms < 0) {
        pthread_cond_wait(&writer->changed, &writer->lock);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + delay_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(delay_ms / 1000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_clockwait(&writer->changed, &writer->lock, CLOCK_MONOTONIC, &until);
}

/* ms until there is something to do beside jobs; -1: there is nothing. */
static int64_t next_step(const struct store_writer *writer)
{
    int64_t rekey = store_rekey_delay(&writer->rekey);
    int64_t ballast = writer->is_ballast_asked ? 0 : store_ballast_delay(&writer->ballast);
    if (rekey < 0 || ballast < 0)
        return rekey < 0 ? ballast : rekey;
    return rekey < ballast ? rekey : ballast;
}

/* Work may be a step of a change of the key or the ballast alone. False when there is none and none will come. */
static bool wait_for_jobs(struct store_writer *writer)
{
    int64_t delay = 0;
    pthread_mutex_lock(&writer->lock);
    while (STAILQ_EMPTY(&writer->jobs) && !writer->stopping && (delay = next_step(writer)) != 0)
        wait_for_change(writer, delay);
    bool goes_on = !writer->stopping || !STAILQ_EMPTY(&writer->jobs);
    pthread_mutex_unlock(&writer->lock);
    return goes_on;
}

static void take_jobs(struct store_writer *writer, struct store_job_list *ret_jobs)
{
    pthread_mutex_lock(&writer->lock);
    STAILQ_CONCAT(ret_jobs, &writer->jobs);
    pthread_mutex_unlock(&writer->lock);
}

/*
 * Where one commit would follow another at once there is much to do: what comes within a moment shares the next one. A
 * refresh that is alone does not wait, because its provider takes longer to answer.
 */
static void let_gather(const struct store_writer *writer)
{
    int64_t left = writer->last_commit + GATHER_NS - loop_slice_now();
    if (writer->last_commit > 0 && left > 0)
        nanosleep(&(struct timespec){.tv_nsec = left}, NULL);
}

static void do_alone(struct store_writer *writer, struct store_job *job)
{
    switch (job->kind) {
    case STORE_JOB_READ:
        read_all(writer, job);
        break;
    case STORE_JOB_REKEY:
        begin_rekey(writer, job);
        break;
    case STORE_JOB_CHECK:
        check(writer, job);
        break;
    case STORE_JOB_WRITE: /* in a group */
        break;
    }
}

static void do_all(struct store_writer *writer, struct store_job_list *jobs)
{
    struct store_job_list group = STAILQ_HEAD_INITIALIZER(group);
    while (!STAILQ_EMPTY(jobs)) {
        struct store_job *job = STAILQ_FIRST(jobs);
        STAILQ_REMOVE_HEAD(jobs, link);
        if (job->kind == STORE_JOB_WRITE) {
            STAILQ_INSERT_TAIL(&group, job, link);
            continue;
        }
        /* A read sees the writes that came before it. */
        write_group(writer, &group);
        do_alone(writer, job);
    }
    write_group(writer, &group);
}

/*
 * While two threads share their descriptors the kernel counts each use of one, in every read and write of the loop. One
 * before 5.9 leaves them shared.
 */
static void take_own_descriptors(const struct store_writer *writer)
{
    unsigned kept = (unsigned)loop_wakeup_descriptor(writer->wakeup);
    if (close_range(kept + 1, ~0U, CLOSE_RANGE_UNSHARE) == 0 && kept > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, kept - 1, 0);
}

/* By the thread, whose descriptors and file locks are its own. */
static bool open_database(struct store_writer *writer)
{
    struct error error = {0};
    bool is_open = store_database_open(writer->path, writer->crypto, &writer->database, &error) == OK;
    store_ballast_init(&writer->ballast, writer->path);
    if (is_open) {
        store_rekey_init(&writer->rekey, writer->database);
        store_rekey_state(&writer->rekey, &writer->key_state);
    }
    pthread_mutex_lock(&writer->lock);
    writer->state = is_open ? WRITER_OPEN : WRITER_REFUSED;
    writer->refusal = error;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    return is_open;
}

static void *run_writer(void *context)
{
    struct store_writer *writer = context;
    struct store_job_list jobs = STAILQ_HEAD_INITIALIZER(jobs);
    /* By the thread itself: naming another one writes below /proc, which the sandbox forbids. */
    prctl(PR_SET_NAME, "store");
    take_own_descriptors(writer);
    /*
     * Who waits for a token that is there goes before who waits for the disk. Where it is not allowed both are equal.
     */
    setpriority(PRIO_PROCESS, 0, WRITER_NICE);
    if (!open_database(writer))
        return NULL;
    while (wait_for_jobs(writer)) {
        let_gather(writer);
        take_jobs(writer, &jobs);
        do_all(writer, &jobs);
        step_rekey(writer);
        tend_ballast(writer);
    }
    store_database_destroy(TAKE(writer->database));
    return NULL;
}

/* Signals are the loop's: the thread starts with all of them blocked. */
static int start_thread(struct store_writer *writer)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, run_writer, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static enum status wait_until_open(struct store_writer *writer, struct error *ret_error)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->state == WRITER_OPENING)
        pthread_cond_wait(&writer->changed, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
    if (writer->state == WRITER_OPEN)
        return OK;
    *ret_error = writer->refusal;
    return writer->refusal.status;
}

enum status store_writer_start(const char *path, struct store_crypto *crypto, struct loop_wakeup *wakeup,
                               struct store_writer **ret_writer, struct error *ret_error)
{
    AUTO(store_writer) writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    writer->crypto = crypto;
    writer->wakeup = wakeup;
    STAILQ_INIT(&writer->jobs);
    STAILQ_INIT(&writer->answers);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    writer->path = strdup(path);
    if (!writer->path)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    int code = start_thread(writer);
    if (code != 0)
        return error_set(ret_error, ERR_IO, "store: its thread cannot be started: %s", strerror(code));
    writer->is_running = true;
    enum status status = wait_until_open(writer, ret_error);
    if (status == OK)
        *ret_writer = TAKE(writer);
    return status;
}

void store_writer_stop(struct store_writer *writer)
{
    if (!writer->is_running)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer->is_running = false;
}

void store_writer_destroy(struct store_writer *writer)
{
    if (!writer)
        return;
    store_writer_stop(writer);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer->path);
    free(writer);
}
