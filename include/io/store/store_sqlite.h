#ifndef IO_STORE_STORE_SQLITE_H
#define IO_STORE_STORE_SQLITE_H

#include "base/error.h"
#include "base/metrics.h"
#include "io/loop/event_loop.h"
#include "io/store/store.h"
#include "io/store/store_crypto.h"

/*
 * The store on SQLite: WAL, synchronous FULL, STRICT tables with a schema version, one writer thread that owns the
 * handle, commits what has gathered in one transaction and answers through a wake-up of the loop.
 *
 * path: database file, made 0600 when missing (its directory must exist). crypto: borrowed for the store's life, in
 * which nobody else uses it, as the writer changes its keys.
 * ERR_CONFLICT when another daemon uses the directory or the database (flock on both); ERR_IO; ERR_CORRUPT with the way
 * out (integrity check failed, not a database, a newer schema); ERR_CRYPTO when the database was written with another
 * key (checked against a sealed canary row). It is never overwritten. With old keys in crypto a change of the key was
 * cut off: it goes on by itself.
 */
enum status store_sqlite_create(struct event_loop *loop, const char *path, struct store_crypto *crypto,
                                struct store **ret_store, struct error *ret_error);

/* Counts writes that became durable, and the transactions that they shared. metrics: borrowed for the store's life. */
void store_sqlite_count_in(struct store *store, struct metrics *metrics);

/* Calls back whenever the key, the phase or the trouble of store_key_state became another. For the log. */
typedef void store_key_changed(void *context, const struct store_key_state *state);
void store_sqlite_on_key_change(struct store *store, store_key_changed *changed, void *context);

/*
 * A file of so many bytes beside the database that is given up when the disk is full, so that the writes of what is in
 * flight find room: such a write is repeated at once. It is made again when there is room for twice its size. 0: none,
 * and one that is there is removed. Until this call there is none, but a start on a full disk gives up what it finds.
 */
struct store_ballast_state {
    size_t wanted;
    bool is_there;
    struct error trouble; /* why it is not there; status OK: it is, or none is wanted */
};
typedef void store_ballast_changed(void *context, const struct store_ballast_state *state);
/* Calls back from the loop whenever it came, went or cannot be made for another reason. */
void store_sqlite_keep_ballast(struct store *store, size_t size, store_ballast_changed *changed, void *context);

#endif
