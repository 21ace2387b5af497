#ifndef SRC_IO_LOOP_MEMORY_H
#define SRC_IO_LOOP_MEMORY_H

#include <stddef.h>

/*
 * Memory for libevent, wiped when it is freed. libevent keeps a few bytes for every descriptor number that it ever
 * watched. Allocated one at a time they lie between the connections' memory, and each keeps a page of it from going
 * back to the system when a crowd has left (70 MiB after 19,000 connections). So small pieces come from blocks of their
 * own.
 *
 * libevent has one set of functions for the process (event_set_mem_functions), and so has this one state.
 * Single-threaded, as its callers are. All return NULL when out of memory.
 */
void *loop_memory_allocate(size_t size);
/* memory NULL: allocates. Always moves. */
void *loop_memory_reallocate(void *memory, size_t size);
void loop_memory_free(void *memory);

#endif
