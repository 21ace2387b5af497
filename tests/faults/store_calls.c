/*
 * Makes every call to the store fail in turn, or end the process before or after it had its effect, over the pieces of
 * work of fault_works.h. What was refused must be made good later; what a kill cost must be reported as
 * rotation_ambiguous.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/library_memory.h"
#include "fault_works.h"
#include "fault_world.h"

static const struct {
    enum store_fault fault;
    const char *name;
} faults[] = {
    {STORE_FAULT_REFUSED, "refused"},
    {STORE_FAULT_KILL_BEFORE, "killed before"},
    {STORE_FAULT_KILL_AFTER, "killed after"},
};

static struct {
    const char *work;
    const char *fault;
    size_t number;
    unsigned violations;
} at;

void violated(const char *what, const char *detail)
{
    at.violations++;
    printf("violation: %s, store call %zu %s: %s%s%s\n", at.work, at.number, at.fault, what, *detail ? ": " : "",
           detail);
}

static bool has_granted_answer(void)
{
    for (size_t i = 0; i < world.call_count; i++)
        if (world.calls[i].status == 200 && world.calls[i].path && strstr(world.calls[i].path, "refresh"))
            return true;
    return false;
}

struct result {
    size_t runs;
    size_t kills;
    size_t lost;
};

/* False when the work makes fewer calls. */
static bool run_one(const struct work *work, enum store_fault fault, size_t number, struct result *result)
{
    at.work = work->name;
    at.number = number;
    work_prepare();
    world_watch_store(fault, number);
    work->run();
    bool is_hit = world.store_calls >= number;
    world_watch_store(STORE_FAULT_NONE, 0);
    if (world.was_killed) {
        bool is_lost = work_audit_killed(work, has_granted_answer());
        result->lost += is_lost && !work->ends_authorization;
        result->kills++;
    } else {
        work_audit(work);
    }
    result->runs += is_hit;
    world_end();
    return is_hit;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    library_memory_wipe_freed();
    printf("%-28s%8s%8s%18s%12s\n", "work", "faults", "kills", "lost, reported", "violations");
    struct result all = {0};
    for (size_t i = 0; i < work_count; i++) {
        struct result result = {0};
        unsigned before = at.violations;
        for (size_t j = 0; j < sizeof faults / sizeof *faults; j++) {
            at.fault = faults[j].name;
            for (size_t number = 1; run_one(&works[i], faults[j].fault, number, &result); number++)
                ;
        }
        printf("%-28s%8zu%8zu%18zu%12u\n", works[i].name, result.runs, result.kills, result.lost,
               at.violations - before);
        all.runs += result.runs;
        all.kills += result.kills;
        all.lost += result.lost;
    }
    printf("%-28s%8zu%8zu%18zu%12u\n", "all", all.runs, all.kills, all.lost, at.violations);
    return at.violations ? 1 : 0;
}
