/*
 * Makes every allocation of a piece of work fail in turn: once alone, once with all that follow. Afterwards memory is
 * there again, time passes, and everything has to be in order: no crash, no leak, every caller answered, no refresh
 * token lost, tokens served, and the same again after a restart.
 */
#include <curl/curl.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "base/library_memory.h"
#include "failing_memory.h"
#include "fault_works.h"
#include "fault_world.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define HAS_LEAK_CHECK 1
#else
#define HAS_LEAK_CHECK 0
static int __lsan_do_recoverable_leak_check(void)
{
    return 0;
}
#endif

static struct {
    const char *work;
    size_t number;
    size_t length;
    unsigned violations;
} at;

void violated(const char *what, const char *detail)
{
    at.violations++;
    printf("violation: %s, allocation %zu%s: %s%s%s\n", at.work, at.number, at.length > 1 ? " and all after it" : "",
           what, *detail ? ": " : "", detail);
}

/* ---- the campaign ---- */

static const char *leaked(long blocks)
{
    static char text[32];
    snprintf(text, sizeof text, "%ld blocks", blocks);
    return text;
}

/* What OpenSSL keeps for its thread, such as the errors that it met, is no leak. */
static long count_blocks(void)
{
    json_t *document = NULL;
    if (json_read_text("{}", 2, &document, NULL) == OK) /* its reserve is there again */
        json_decref(document);
    ERR_clear_error();
    OPENSSL_thread_stop();
    return failing_memory_live();
}

static size_t run_one(const struct work *work, size_t number, size_t length, bool *ret_failed)
{
    at.work = work->name;
    at.number = number;
    at.length = length;
    long live = count_blocks();
    work_prepare();
    failing_memory_arm(number, length);
    work->run();
    size_t count = failing_memory_disarm();
    *ret_failed = failing_memory_has_failed();
    if (world.errors_without_text)
        violated("an error without a text", "");
    work_audit(work);
    world_end();
    bool is_warm_up = length == 0;
    if (!is_warm_up && (count_blocks() != live || __lsan_do_recoverable_leak_check()))
        violated("memory leaked", leaked(failing_memory_live() - live));
    return count;
}

static void on_crash(int signal_number)
{
    printf("violation: %s, allocation %zu%s: crashed\n", at.work, at.number, at.length > 1 ? " and all after it" : "");
    fflush(stdout);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* step 1: every allocation; more: every step-th, beginning elsewhere in each work. */
static void run_work(const struct work *work, size_t step, size_t *ret_allocations, size_t *ret_runs)
{
    bool failed;
    *ret_allocations = run_one(work, 0, 0, &failed);
    *ret_runs = 0;
    const size_t lengths[] = {1, SIZE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        failed = true;
        for (size_t number = 1 + (size_t)(work - works) % step; failed; number += step) {
            run_one(work, number, lengths[i], &failed);
            *ret_runs += failed;
        }
    }
}

/* One failure alone, for a debugger. */
static int run_named(const char *name, size_t number, bool is_lasting)
{
    bool failed;
    for (size_t i = 0; i < work_count; i++)
        if (strcmp(works[i].name, name) == 0)
            run_one(&works[i], number, is_lasting ? SIZE_MAX : 1, &failed);
    return at.violations ? 1 : 0;
}

/* What libraries keep for good is allocated before anything is counted. */
static void warm_up(void)
{
    bool failed;
    for (size_t i = 0; i < work_count; i++)
        run_one(&works[i], 0, 0, &failed);
    at.violations = 0;
}

static int run_all(size_t step)
{
    size_t allocations = 0, runs = 0;
    printf("%-28s%12s%10s%12s\n", "work", "allocations", "failures", "violations");
    for (size_t i = 0; i < work_count; i++) {
        size_t work_allocations, work_runs;
        unsigned before = at.violations;
        run_work(&works[i], step, &work_allocations, &work_runs);
        printf("%-28s%12zu%10zu%12u\n", works[i].name, work_allocations, work_runs, at.violations - before);
        allocations += work_allocations;
        runs += work_runs;
    }
    printf("%-28s%12zu%10zu%12u\n", "all", allocations, runs, at.violations);
    printf("leaks are looked for by %s\n", HAS_LEAK_CHECK ? "LeakSanitizer and by counting" : "counting");
    return at.violations ? 1 : 0;
}

int main(int argc, char **argv)
{
    bool is_named = argc == 4;
    size_t step = argc == 2 ? strtoul(argv[1], NULL, 10) : 1;
    if (argc == 3 || argc > 4 || step == 0) {
        fprintf(stderr,
                "usage: %s [STEP]\n       %s WORK NUMBER once|lasting\n"
                "  every STEP-th allocation (1: every one), or one of a piece of work\n",
                argv[0], argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    library_memory_wipe_freed();
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free, realloc, strdup, calloc);
    json_object_seed(1);
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    warm_up();
    return is_named ? run_named(argv[1], strtoul(argv[2], NULL, 10), strcmp(argv[3], "lasting") == 0) : run_all(step);
}
