#ifndef IO_STORE_STORE_BALLAST_H
#define IO_STORE_STORE_BALLAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/store/store.h"

/*
 * The file PATH.ballast beside the database. It holds disk blocks and nothing else: when the disk is full it is given
 * up, and its blocks are there for the writes that must not fail. It is made again when there is room for twice its
 * size, so that it never takes the last bytes itself. Used by the store's thread alone.
 */
struct store_ballast {
    const char *path; /* of the database; borrowed */
    size_t wanted;    /* bytes; 0: none */
    bool is_there;
    int64_t due;          /* clock_boot_ms() of the next attempt to make it */
    unsigned failures;    /* in a row */
    struct error trouble; /* why it is not there; status OK: it is, or none is wanted */
};

void store_ballast_init(struct store_ballast *ballast, const char *path);
/* Makes it, unless a file of this size is there already. 0: removes it. */
void store_ballast_want(struct store_ballast *ballast, size_t size);
/* Frees its blocks. False: there was none. */
bool store_ballast_give_up(struct store_ballast *ballast);
/* The same before there is a struct store_ballast. */
bool store_ballast_remove(const char *path);
/* ms until the next attempt to make it; 0: now; -1: there is nothing to do. */
int64_t store_ballast_delay(const struct store_ballast *ballast);
/* The attempt. After a failure the next one waits for 1 to 30 seconds. */
void store_ballast_make(struct store_ballast *ballast);

#endif
