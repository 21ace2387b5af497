#ifndef IO_STORE_SQLITE_H
#define IO_STORE_SQLITE_H

#include "base/error.h"
#include "io/event_loop.h"
#include "io/store.h"
#include "io/store_crypto.h"

/*
 * The store on SQLite: WAL, synchronous FULL, STRICT tables with a schema version, one writer thread that owns the
 * handle, commits what has gathered in one transaction and answers through a wake-up of the loop.
 *
 * path: database file, made 0600 when missing (its directory must exist). crypto: borrowed for the store's life.
 * ERR_CONFLICT when another process has it open (flock on PATH.lock); ERR_IO; ERR_CORRUPT with the way out (integrity
 * check failed, not a database, a newer schema); ERR_CRYPTO when the database was written with another key (checked
 * against a sealed canary row). It is never overwritten. Under an old key of crypto: everything is sealed anew with the
 * first key, in one transaction.
 */
enum status store_sqlite_create(struct event_loop *loop, const char *path, const struct store_crypto *crypto,
                                struct store **ret_store, struct error *ret_error);

#endif
