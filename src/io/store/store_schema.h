#ifndef IO_STORE_STORE_SCHEMA_H
#define IO_STORE_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"
#include "io/store/store.h"
#include "io/store/store_crypto.h"

/*
 * What stands in the database: a table (key, value) per store_table, "meta" with the canary (a known text, sealed, so
 * that a wrong key shows at once) and the row that a health check writes to. Marked with an application id and version.
 */
const char *store_table_name(enum store_table table);
/* The column whose name every value is bound to. */
#define STORE_VALUE_COLUMN "value"

/* In a new, empty database: all of it in one transaction. */
enum status store_schema_create(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error);
/* Writes nothing. ERR_CORRUPT: damaged, foreign or newer; ERR_CRYPTO: another key; ERR_IO. */
enum status store_schema_check(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error);
/* Writes the canary anew when an old key sealed it, within the caller's transaction. ret_sealed: it did. */
enum status store_schema_reseal(sqlite3 *handle, const struct store_crypto *crypto, bool *ret_sealed,
                                struct error *ret_error);
/* Reads the canary and writes a row, within the caller's transaction. */
enum status store_schema_touch(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error);

#endif
