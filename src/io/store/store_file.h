#ifndef IO_STORE_STORE_FILE_H
#define IO_STORE_STORE_FILE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"
#include "io/store/store_crypto.h"

/* How long another program's lock on the database (a backup, sqlite3(1)) is waited for. */
enum { STORE_BUSY_WAIT_MS = 5000 };

/*
 * Makes the database under a temporary name and gives it its own when it is complete, so that an empty file at PATH is
 * always one that was damaged. No-op when PATH exists; then its mode becomes 0600, with -wal's and -shm's.
 * ERR_CORRUPT when there is a journal without its database.
 */
enum status store_file_prepare(const char *path, const struct store_crypto *crypto, struct error *ret_error);

/* Opens a file that exists, with what every connection of ours wants. ret_handle is set on failure too: close it. */
enum status store_file_open(const char *path, sqlite3 **ret_handle, struct error *ret_error);

#endif
