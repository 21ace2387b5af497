#ifndef BASE_FAULT_LIST_H
#define BASE_FAULT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * Everything that is wrong with a set of documents, collected so that a person mends all of it in one go.
 * At most FAULT_LIST_MAX are kept; when there were more, one last entry says how many were left out.
 */
enum { FAULT_LIST_MAX = 1000 };

struct fault_list;

struct fault {
    const char *file;    /* path, or "" for a document that came through the API */
    const char *pointer; /* RFC 6901 JSON pointer, "" for the whole document */
    const char *message; /* what is wrong; never a secret's value */
    const char *hint;    /* what to do, such as: did you mean "clientId"?; may be NULL */
    bool warning;        /* worth saying, but not refused */
};

struct fault_list *fault_list_create(void);
void fault_list_destroy(struct fault_list *faults);
AUTO_DEFINE(fault_list);

/* Copies all texts. hint may be NULL. Out of memory is remembered: fault_list_has_errors() is true from then on. */
void fault_list_add(struct fault_list *faults, const char *file, const char *pointer, const char *hint,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
void fault_list_warn(struct fault_list *faults, const char *file, const char *pointer, const char *hint,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The fault of a member of what parent points to, whose pointer is made here; name NULL: of parent itself. */
void fault_list_add_member(struct fault_list *faults, const char *file, const char *parent, const char *name,
                           const char *hint, const char *message);
/* The same of a name that nobody knows, with the nearest of count candidates as the hint. */
void fault_list_add_unknown(struct fault_list *faults, const char *file, const char *parent, const char *name,
                            const char *const *candidates, size_t count, const char *message);

/* Kept faults, warnings included, in the order they were added. */
size_t fault_list_count(const struct fault_list *faults);
const struct fault *fault_list_at(const struct fault_list *faults, size_t index);
bool fault_list_has_errors(const struct fault_list *faults);

/* "FILE: POINTER: message (hint)" without a newline; what is empty is left out. NULL when out of memory. */
char *fault_format(const struct fault *fault);

/*
 * The candidate nearest to word, for "did you mean": NULL when none is within a third of the word's length
 * (Damerau-Levenshtein, case ignored). candidates: count names, borrowed; the result is one of them.
 */
const char *nearest_name(const char *word, const char *const *candidates, size_t count);

#endif
