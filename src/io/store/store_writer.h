#ifndef IO_STORE_STORE_WRITER_H
#define IO_STORE_STORE_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "io/loop/event_loop.h"
#include "io/store/store.h"
#include "io/store/store_sqlite.h"
#include "io/store/store_database.h"

/*
 * The thread that owns the database. The loop pushes jobs and pops answers; between the two only this file's lock.
 * Jobs are done in the order they came. Writes that gathered become one transaction. A change of the key goes on
 * between them, a step whenever everything that waits is done.
 */
struct store_writer;

/* Part of a job's result: some rows of a read or, with last, its end. */
struct store_answer {
    STAILQ_ENTRY(store_answer) link;
    struct store_job *job;
    bool last;
    size_t row_count;
    struct store_answer_row {
        char *key;
        struct secret *value;
    } * rows;
};

enum store_job_kind { STORE_JOB_READ, STORE_JOB_WRITE, STORE_JOB_CHECK, STORE_JOB_REKEY };

struct store_job {
    STAILQ_ENTRY(store_job) link;
    enum store_job_kind kind;
    /* The loop's own: */
    store_row *row;
    store_done *done;
    void *context;
    size_t bytes;
    /* What to do. */
    enum store_table table;
    struct store_change *changes; /* own keys, held values */
    size_t change_count;
    atomic_bool stopped; /* a reader wants no more rows */
    /* How it ended. */
    enum status status;
    struct error error;
    bool ends_commit; /* the last of the writes that one transaction made durable */
    struct store_answer end;
};

/* Frees an answer of rows; the end stands in its job. */
void store_answer_destroy(struct store_answer *answer);

/*
 * Starts the thread, which opens the database, and returns when it is open. path: copied. crypto: borrowed. wakeup:
 * signalled when there are answers; borrowed. Errors as store_sqlite_create().
 */
enum status store_writer_start(const char *path, struct store_crypto *crypto, struct loop_wakeup *wakeup,
                               struct store_writer **ret_writer, struct error *ret_error);
/* Does every write that was pushed, then ends the thread and closes the database. Answers not popped stay poppable. */
void store_writer_stop(struct store_writer *writer);
/* After the stop, with no answer left. */
void store_writer_destroy(struct store_writer *writer);
AUTO_DEFINE(store_writer);

void store_writer_push(struct store_writer *writer, struct store_job *job);
/* Ends a job that was not pushed, behind the answers that wait. */
void store_writer_end_unpushed(struct store_writer *writer, struct store_job *job, enum status status);
/* The next answer, in order; NULL when none waits. */
struct store_answer *store_writer_pop(struct store_writer *writer);
/* Asks the thread for a ballast of this size; 0: none. */
void store_writer_want_ballast(struct store_writer *writer, size_t size);
/* As it is now. Each change signals the wakeup. */
void store_writer_ballast_state(struct store_writer *writer, struct store_ballast_state *ret_state);
/* Of the latest step. Each one signals the wakeup. */
void store_writer_key_state(struct store_writer *writer, struct store_key_state *ret_state);

#endif
