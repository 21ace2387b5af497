#ifndef IO_STORE_SQLITE_ERROR_H
#define IO_STORE_SQLITE_ERROR_H

#include <sqlite3.h>

#include "base/error.h"

/*
 * What SQLite's last call on the handle said, after "doing: ": ERR_NO_MEMORY, ERR_CORRUPT, ERR_NO_SPACE or ERR_IO.
 * Never a row's content.
 */
enum status sqlite_error_set(sqlite3 *handle, const char *doing, struct error *ret_error);

/* Runs statements without rows or parameters. */
enum status sqlite_execute(sqlite3 *handle, const char *sql, const char *doing, struct error *ret_error);

#endif
