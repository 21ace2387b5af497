#ifndef IO_LOOP_LOOP_SLICE_H
#define IO_LOOP_LOOP_SLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * Work that comes in heaps (due timers, replies of providers, answers of the store) is done in slices: at least one
 * piece, then as many as fit, then every socket that is ready gets its turn. A token that stands ready waits for some
 * pieces and never for a heap.
 */
enum { LOOP_SLICE_NS = 20 * 1000 };

struct loop_slice {
    int64_t end;
};

static inline int64_t loop_slice_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline struct loop_slice loop_slice_begin(void)
{
    return (struct loop_slice){.end = loop_slice_now() + LOOP_SLICE_NS};
}

/* Asked after each piece. */
static inline bool loop_slice_is_over(const struct loop_slice *slice)
{
    return loop_slice_now() >= slice->end;
}

#endif
