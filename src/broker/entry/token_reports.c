#include "broker/entry/token_reports.h"

#include <stddef.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 2 };

struct token_reporter {
    uid_t uid;
    unsigned counted;   /* reports that are not forgotten yet, as of counted_at */
    int64_t counted_at; /* milliseconds of CLOCK_BOOTTIME, as all times here */
    int64_t paused_until;
    uint64_t refused; /* the newest generation that the user reported */
};

struct token_reports {
    size_t count;
    size_t capacity;
    struct token_reporter reporters[];
};

void token_reports_destroy(struct token_reports *reports)
{
    free(reports);
}

/* The count of all when the user has none. */
static size_t place_of(const struct token_reports *reports, uid_t uid)
{
    size_t place = 0;
    while (place < reports->count && reports->reporters[place].uid != uid)
        place++;
    return place;
}

static const struct token_reporter *find(const struct token_reports *reports, uid_t uid)
{
    size_t place = reports ? place_of(reports, uid) : 0;
    return reports && place < reports->count ? &reports->reporters[place] : NULL;
}

static void forget_by_time(struct token_reporter *reporter, int64_t now_ms)
{
    int64_t steps = (now_ms - reporter->counted_at) / REPORT_FORGOTTEN_MS;
    if (steps <= 0)
        return;
    reporter->counted = steps < reporter->counted ? reporter->counted - (unsigned)steps : 0;
    reporter->counted_at += steps * REPORT_FORGOTTEN_MS;
}

static struct token_reports *grow(struct token_reports *reports)
{
    size_t count = reports ? reports->count : 0;
    size_t capacity = reports ? 2 * reports->capacity : FIRST_CAPACITY;
    struct token_reports *larger = realloc(reports, sizeof *larger + capacity * sizeof *larger->reporters);
    if (!larger)
        return NULL;
    larger->count = count;
    larger->capacity = capacity;
    return larger;
}

/* Of a full table: the place of the user with the fewest counted reports, with that count. */
static struct token_reporter *take_over(struct token_reports *reports, int64_t now_ms)
{
    struct token_reporter *fewest = &reports->reporters[0];
    for (size_t i = 0; i < reports->count; i++) {
        forget_by_time(&reports->reporters[i], now_ms);
        if (reports->reporters[i].counted < fewest->counted)
            fewest = &reports->reporters[i];
    }
    fewest->refused = 0;
    return fewest;
}

static struct token_reporter *find_or_add(struct token_reports **reports, uid_t uid, int64_t now_ms)
{
    size_t place = *reports ? place_of(*reports, uid) : 0;
    if (*reports && place < (*reports)->count)
        return &(*reports)->reporters[place];
    if (place == REPORTERS_MAX) {
        struct token_reporter *reporter = take_over(*reports, now_ms);
        reporter->uid = uid;
        return reporter;
    }
    if (!*reports || (*reports)->count == (*reports)->capacity) {
        struct token_reports *larger = grow(*reports);
        if (!larger)
            return NULL;
        *reports = larger;
    }
    struct token_reporter *reporter = &(*reports)->reporters[(*reports)->count++];
    *reporter = (struct token_reporter){.uid = uid, .counted_at = now_ms};
    return reporter;
}

bool token_reports_add(struct token_reports **reports, uid_t uid, uint64_t generation, int64_t now_ms)
{
    struct token_reporter *reporter = find_or_add(reports, uid, now_ms);
    if (!reporter)
        return false;
    if (reporter->refused >= generation)
        return true;
    reporter->refused = generation;
    /* The refresh that the last counted report was to start has not begun yet: this report takes its place. */
    if (reporter->paused_until > now_ms)
        return true;
    forget_by_time(reporter, now_ms);
    if (reporter->counted == 0)
        reporter->counted_at = now_ms;
    reporter->counted++;
    if (reporter->counted > REPORTS_AT_ONCE)
        reporter->paused_until = now_ms + (int64_t)REPORT_PAUSE_MS * (reporter->counted - REPORTS_AT_ONCE);
    return true;
}

uint64_t token_reports_refused(const struct token_reports *reports, uid_t uid)
{
    const struct token_reporter *reporter = find(reports, uid);
    return reporter ? reporter->refused : 0;
}

int64_t token_reports_pause(const struct token_reports *reports, uid_t uid, int64_t now_ms)
{
    const struct token_reporter *reporter = find(reports, uid);
    return reporter && reporter->paused_until > now_ms ? reporter->paused_until - now_ms : 0;
}

void token_reports_forgive(struct token_reports *reports)
{
    for (size_t i = 0; reports && i < reports->count; i++) {
        reports->reporters[i].counted = 0;
        reports->reporters[i].paused_until = 0;
    }
}

void token_reports_drop_old(struct token_reports **reports, uint64_t generation, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; *reports && i < (*reports)->count; i++) {
        struct token_reporter *reporter = &(*reports)->reporters[i];
        forget_by_time(reporter, now_ms);
        if (reporter->counted > 0 || reporter->refused >= generation)
            (*reports)->reporters[kept++] = *reporter;
    }
    if (*reports)
        (*reports)->count = kept;
    if (kept == 0)
        token_reports_destroy(TAKE(*reports));
}
