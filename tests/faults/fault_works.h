#ifndef FAULT_WORKS_H
#define FAULT_WORKS_H

#include <stdbool.h>
#include <stddef.h>

/* What the daemon does for its callers, piece by piece, and what has to hold after a fault in the middle of it. */
struct work {
    const char *name;
    void (*run)(void);
    bool ends_authorization; /* a login is needed afterwards, or may be */
};
extern const struct work works[];
extern const size_t work_count;

/* A world with a login, ready for a piece of work. */
void work_prepare(void);

/*
 * Time passes, what was refused is tried again. Then every caller has to have its answer and every token has to be
 * there, now and after a restart. violated() is told what is not so.
 */
void work_audit(const struct work *work);
/* As after a kill: the refresh token may be lost, but then rotation_ambiguous has to say so. True when it is lost. */
bool work_audit_killed(const struct work *work, bool is_answered);

/* Given by the campaign. */
void violated(const char *what, const char *detail);

#endif
