#ifndef MODEL_CATALOG_DOCUMENT_FAULTS_H
#define MODEL_CATALOG_DOCUMENT_FAULTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/fault_list.h"

/*
 * The faults of one document within the list of all: whether this one has errors decides whether it is taken, and the
 * list alone cannot tell that once it is full.
 */
struct document_faults {
    struct fault_list *list;
    const char *file;
    bool has_errors;
    bool no_memory;
};

void document_fault(struct document_faults *faults, const char *pointer, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void document_warning(struct document_faults *faults, const char *pointer, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* With the hint: did you mean "nearest"? NULL: no hint. */
void document_fault_nearest(struct document_faults *faults, const char *pointer, const char *nearest,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A failed call's error as a fault, but for ERR_NO_MEMORY, which is none of the document's. True when status is OK. */
bool document_check(struct document_faults *faults, const char *pointer, enum status status, const struct error *error);

/* What the document came to: ERR_NO_MEMORY, ERR_INVALID, OK. */
enum status document_faults_status(const struct document_faults *faults);

#endif
