#include "io/store/sqlite_error.h"

#include <errno.h>
#include <string.h>

/* A full quota has no code of its own. */
static enum status status_of(int code, int reason)
{
    switch (code) {
    case SQLITE_FULL:
        return ERR_NO_SPACE;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return reason == ENOSPC || reason == EDQUOT ? ERR_NO_SPACE : ERR_IO;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    default:
        return ERR_IO;
    }
}

enum status sqlite_error_set(sqlite3 *handle, const char *doing, struct error *ret_error)
{
    int reason = sqlite3_system_errno(handle);
    int code = sqlite3_extended_errcode(handle) & 0xFF;
    /* The system's own reason is only of this call for the codes that come from a system call. */
    if (reason != 0 && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_FULL))
        return error_set(ret_error, status_of(code, reason), "%s: %s (%s)", doing, sqlite3_errmsg(handle),
                         strerror(reason));
    return error_set(ret_error, status_of(code, 0), "%s: %s", doing, sqlite3_errmsg(handle));
}

enum status sqlite_execute(sqlite3 *handle, const char *sql, const char *doing, struct error *ret_error)
{
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_error_set(handle, doing, ret_error);
    return OK;
}
