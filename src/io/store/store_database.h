#ifndef IO_STORE_STORE_DATABASE_H
#define IO_STORE_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "io/store/store.h"
#include "io/store/store_crypto.h"

/*
 * The open SQLite database, locked against a second daemon. Used by one thread at a time; every call may wait for the
 * disk.
 */
struct store_database;

/* As store_sqlite_create(). */
enum status store_database_open(const char *path, struct store_crypto *crypto, struct store_database **ret_database,
                                struct error *ret_error);
void store_database_destroy(struct store_database *database);
AUTO_DEFINE(store_database);

enum status store_database_begin(struct store_database *database, struct error *ret_error);
enum status store_database_commit(struct store_database *database, struct error *ret_error);
void store_database_rollback(struct store_database *database);

/* Within a transaction. */
enum status store_database_change(struct store_database *database, const struct store_change *change,
                                  struct error *ret_error);
enum status store_database_touch(struct store_database *database, struct error *ret_error);

/*
 * The rows of a table one by one, in no particular order. ret_key: borrowed until the next call; NULL after the last
 * row. ERR_CRYPTO, ERR_CORRUPT naming table and key; ERR_IO, ERR_NO_MEMORY. End it in any case.
 */
enum status store_database_next(struct store_database *database, enum store_table table, const char **ret_key,
                                struct secret **ret_value, struct error *ret_error);
void store_database_end(struct store_database *database, enum store_table table);

/* ---- under another key ---- */

/* Borrowed. */
struct store_crypto *store_database_crypto(struct store_database *database);
enum status store_database_count(struct store_database *database, enum store_table table, size_t *ret_count,
                                 struct error *ret_error);
/* A walk through a table. Before the first piece: table, row INT64_MIN. */
struct store_place {
    enum store_table table;
    int64_t row; /* the last one looked at */
};
struct store_resealed {
    size_t seen;
    size_t sealed; /* anew, because an old key had sealed it */
    bool at_end;   /* of the table */
};
/*
 * Within a transaction: the next piece of the table, some rows and bytes at most, every value of an old key sealed
 * anew. Errors as store_database_next(); then roll back, and place is as it was.
 */
enum status store_database_reseal(struct store_database *database, struct store_place *place,
                                  struct store_resealed *ret_resealed, struct error *ret_error);
/* Likewise the canary. */
enum status store_database_reseal_canary(struct store_database *database, bool *ret_sealed, struct error *ret_error);
/* Outside of transactions: moves the log into the database and empties it, so that nothing of before is left in it. */
enum status store_database_empty_log(struct store_database *database, struct error *ret_error);

#endif
