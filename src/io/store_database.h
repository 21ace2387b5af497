#ifndef IO_STORE_DATABASE_H
#define IO_STORE_DATABASE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "io/store.h"
#include "io/store_crypto.h"

/*
 * The open SQLite database, locked against a second daemon. Used by one thread at a time; every call may wait for the
 * disk.
 */
struct store_database;

/* As store_sqlite_create(). */
enum status store_database_open(const char *path, const struct store_crypto *crypto,
                                struct store_database **ret_database, struct error *ret_error);
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

#endif
