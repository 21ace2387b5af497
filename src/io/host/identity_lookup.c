#include "io/host/identity_lookup.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ENTRY_USUAL = 1024,
    ENTRY_MAX = 1024 * 1024, /* a group may have very many members */
    NS_PER_MS = 1000 * 1000,
    MS_PER_S = 1000,
};

struct question {
    char *name;
    bool is_group;
    enum status status;
    unsigned id;
};

struct identity_lookup {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* over the flags below; the questions are the thread's until it is done */
    pthread_cond_t done;
    bool is_done;
    bool is_abandoned; /* the thread frees it */
    size_t count;
    struct question questions[];
};

/* ---- the database ---- */

/* Its reply for one size of buffer; ERANGE: too small. */
typedef int read_entry(struct question *question, char *buffer, size_t size, bool *ret_found);

static int read_user(struct question *question, char *buffer, size_t size, bool *ret_found)
{
    struct passwd entry;
    struct passwd *found = NULL;
    int code = getpwnam_r(question->name, &entry, buffer, size, &found);
    if (found)
        question->id = entry.pw_uid;
    *ret_found = found != NULL;
    return code;
}

static int read_group(struct question *question, char *buffer, size_t size, bool *ret_found)
{
    struct group entry;
    struct group *found = NULL;
    int code = getgrnam_r(question->name, &entry, buffer, size, &found);
    if (found)
        question->id = entry.gr_gid;
    *ret_found = found != NULL;
    return code;
}

/* getpwnam(3) names these beside 0 for a name that does not exist. */
static enum status status_of(int code)
{
    switch (code) {
    case 0:
    case ENOENT:
    case ESRCH:
        return ERR_NOT_FOUND;
    case ENOMEM:
    case ERANGE:
        return ERR_NO_MEMORY;
    default:
        return ERR_IO;
    }
}

/* Both want a buffer of a size that they do not say: doubled until it is enough. */
static enum status ask(struct question *question)
{
    read_entry *read = question->is_group ? read_group : read_user;
    int code = ERANGE;
    for (size_t size = ENTRY_USUAL; code == ERANGE && size <= ENTRY_MAX; size *= 2) {
        AUTO_TEXT buffer = malloc(size);
        if (!buffer)
            return ERR_NO_MEMORY;
        bool is_found = false;
        code = read(question, buffer, size, &is_found);
        if (is_found)
            return OK;
    }
    return status_of(code);
}

/* ---- the thread ---- */

static void free_lookup(struct identity_lookup *lookup)
{
    for (size_t i = 0; i < lookup->count; i++)
        free(lookup->questions[i].name);
    pthread_cond_destroy(&lookup->done);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

static void *run_lookup(void *argument)
{
    struct identity_lookup *lookup = argument;
    for (size_t i = 0; i < lookup->count; i++)
        lookup->questions[i].status = ask(&lookup->questions[i]);
    pthread_mutex_lock(&lookup->lock);
    lookup->is_done = true;
    bool is_abandoned = lookup->is_abandoned;
    pthread_cond_broadcast(&lookup->done);
    pthread_mutex_unlock(&lookup->lock);
    if (is_abandoned)
        free_lookup(lookup);
    return NULL;
}

/* Signals are the loop's: the thread starts with all of them blocked. */
static bool start_thread(struct identity_lookup *lookup)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    lookup->has_thread = pthread_create(&lookup->thread, NULL, run_lookup, lookup) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return lookup->has_thread;
}

struct identity_lookup *identity_lookup_start(const struct identity_name *names, size_t count)
{
    AUTO(identity_lookup) lookup = calloc(1, sizeof *lookup + count * sizeof *lookup->questions);
    if (!lookup)
        return NULL;
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_cond_init(&lookup->done, NULL);
    lookup->is_done = true; /* so far nothing was asked */
    for (; lookup->count < count; lookup->count++) {
        struct question *question = &lookup->questions[lookup->count];
        *question =
            (struct question){.name = strdup(names[lookup->count].name), .is_group = names[lookup->count].is_group};
        if (!question->name)
            return NULL;
    }
    lookup->is_done = false;
    if (!start_thread(lookup))
        run_lookup(lookup);
    return TAKE(lookup);
}

bool identity_lookup_wait(struct identity_lookup *lookup, int64_t timeout_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t end_ns = end.tv_nsec + timeout_ms % MS_PER_S * NS_PER_MS;
    end.tv_sec += timeout_ms / MS_PER_S + end_ns / (MS_PER_S * NS_PER_MS);
    end.tv_nsec = end_ns % (MS_PER_S * NS_PER_MS);
    pthread_mutex_lock(&lookup->lock);
    int code = 0;
    while (!lookup->is_done && code == 0)
        code = pthread_cond_clockwait(&lookup->done, &lookup->lock, CLOCK_MONOTONIC, &end);
    bool is_done = lookup->is_done;
    pthread_mutex_unlock(&lookup->lock);
    return is_done;
}

struct identity_name identity_lookup_name(const struct identity_lookup *lookup, size_t index)
{
    const struct question *question = &lookup->questions[index];
    return (struct identity_name){.name = question->name, .is_group = question->is_group};
}

enum status identity_lookup_result(const struct identity_lookup *lookup, size_t index, unsigned *ret_id)
{
    const struct question *question = &lookup->questions[index];
    if (question->status == OK)
        *ret_id = question->id;
    return question->status;
}

void identity_lookup_destroy(struct identity_lookup *lookup)
{
    if (!lookup)
        return;
    pthread_mutex_lock(&lookup->lock);
    pthread_t thread = lookup->thread; /* one that was abandoned may free the lookup at any moment */
    bool has_thread = lookup->has_thread;
    lookup->is_abandoned = !lookup->is_done;
    bool is_abandoned = lookup->is_abandoned;
    pthread_mutex_unlock(&lookup->lock);
    if (is_abandoned) {
        pthread_detach(thread);
        return;
    }
    if (has_thread)
        pthread_join(thread, NULL);
    free_lookup(lookup);
}

/* ---- for rules ---- */

static enum status find(void *context, const struct identity_name *name, unsigned *ret_id)
{
    (void)context;
    AUTO(identity_lookup) lookup = identity_lookup_start(name, 1);
    if (!lookup)
        return ERR_NO_MEMORY;
    if (!identity_lookup_wait(lookup, IDENTITY_PATIENCE_MS))
        return ERR_TIMEOUT;
    return identity_lookup_result(lookup, 0, ret_id);
}

struct identity_resolver identity_lookup_resolver(void)
{
    return (struct identity_resolver){.find = find, .own_uid = geteuid()};
}
