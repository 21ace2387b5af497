#ifndef FAILING_MEMORY_H
#define FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that runs out when told to: every malloc, calloc, realloc, strdup and strndup of the project's own code, and
 * of the libraries that were given these as theirs, comes here by the linker's --wrap.
 */

/* The allocation number first from now (1: the next one) fails, and the following ones, length in all. */
void failing_memory_arm(size_t first, size_t length);
/* None fails any more. The number of allocations since it was armed. */
size_t failing_memory_disarm(void);
/* Whether one failed since it was armed. */
bool failing_memory_has_failed(void);

/* What the world outside does between these two neither counts nor fails. They nest. */
void failing_memory_pause(void);
void failing_memory_resume(void);

/* Blocks that were allocated and not freed yet. */
long failing_memory_live(void);

#endif
