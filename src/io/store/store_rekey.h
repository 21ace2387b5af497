#ifndef IO_STORE_STORE_REKEY_H
#define IO_STORE_STORE_REKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/store/store.h"
#include "io/store/store_database.h"

/*
 * Another key for a store, in steps that are small enough to stand between other work:
 *
 *     begin        the key file gets a new key in front of the old one; new values are sealed with it from now on
 *     steps        walk through all tables and seal anew what an old key sealed; again, until a walk found nothing
 *     last step    the log, which still has values of before, is emptied; the key file gets the current key alone
 *
 * A kill at any moment leaves a key file that opens every value: what is not in it any more, no value needs. With old
 * keys in the file the steps begin anew by themselves. Used by one thread, that of the database.
 */
enum rekey_stage { REKEY_REST, REKEY_COUNT, REKEY_WALK, REKEY_END };

struct store_rekey {
    struct store_database *database; /* borrowed */
    struct store_crypto *crypto;     /* borrowed */
    enum rekey_stage stage;
    struct store_place place;
    size_t sealed_in_walk;
    size_t values_left;
    bool old_unused; /* but still where they were */
    struct error trouble;
    unsigned failures; /* in a row */
    int64_t due;       /* clock_boot_ms() of the next step */
};

/* Old keys in the database's crypto: what was cut off goes on. */
void store_rekey_init(struct store_rekey *rekey, struct store_database *database);
/* As rekey of store_operations. */
enum status store_rekey_begin(struct store_rekey *rekey, struct error *ret_error);
/* ms until the next step; 0: now; -1: there is none. */
int64_t store_rekey_delay(const struct store_rekey *rekey);
/* One transaction at most. A step that fails is made again later. */
void store_rekey_step(struct store_rekey *rekey);
void store_rekey_state(const struct store_rekey *rekey, struct store_key_state *ret_state);

#endif
