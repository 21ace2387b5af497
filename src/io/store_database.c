#include "io/store_database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text_buffer.h"
#include "io/sqlite_error.h"
#include "io/store_file.h"
#include "io/store_schema.h"

/* A sealed value is its header and tag longer. SQLite's limit for one blob is far above. */
enum { SEALED_MAX = STORE_VALUE_MAX + 64, STATEMENT_TEXT_MAX = 256 };

enum statement { STATEMENT_PUT, STATEMENT_DELETE, STATEMENT_SCAN, STATEMENT_COUNT };
static const struct {
    const char *before_table;
    const char *after_table;
} STATEMENT_TEXTS[STATEMENT_COUNT] = {
    [STATEMENT_PUT] = {"INSERT INTO ", " VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
    [STATEMENT_DELETE] = {"DELETE FROM ", " WHERE key = ?1"},
    [STATEMENT_SCAN] = {"SELECT key, value FROM ", ""},
};

struct store_database {
    sqlite3 *handle;
    int lock_fd;
    const struct store_crypto *crypto;
    sqlite3_stmt *statements[STORE_TABLE_COUNT][STATEMENT_COUNT];
    struct text_buffer sealed; /* kept, so that each change does not allocate */
};

static enum status prepare_statements(struct store_database *database, struct error *ret_error)
{
    for (size_t table = 0; table < STORE_TABLE_COUNT; table++) {
        for (size_t i = 0; i < STATEMENT_COUNT; i++) {
            char sql[STATEMENT_TEXT_MAX];
            snprintf(sql, sizeof sql, "%s%s%s", STATEMENT_TEXTS[i].before_table,
                     store_table_name((enum store_table)table), STATEMENT_TEXTS[i].after_table);
            if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                   &database->statements[table][i], NULL) != SQLITE_OK)
                return sqlite_error_set(database->handle, "preparing its statements", ret_error);
        }
    }
    return OK;
}

/* Last, because it is the first step that writes to a file that was there before. */
static enum status start_wal(sqlite3 *handle, struct error *ret_error)
{
    if (sqlite3_db_readonly(handle, "main") != 0)
        return error_set(ret_error, ERR_IO, "it is read-only");
    sqlite3_stmt *pragma = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(handle, "PRAGMA journal_mode = WAL", -1, &pragma, NULL) != SQLITE_OK ||
        sqlite3_step(pragma) != SQLITE_ROW)
        status = sqlite_error_set(handle, "starting its write-ahead log", ret_error);
    else if (strcmp((const char *)sqlite3_column_text(pragma, 0), "wal") != 0)
        status = error_set(ret_error, ERR_IO, "its file system allows no write-ahead log");
    sqlite3_finalize(pragma);
    return status;
}

void store_database_destroy(struct store_database *database)
{
    if (!database)
        return;
    for (size_t table = 0; table < STORE_TABLE_COUNT; table++) {
        for (size_t i = 0; i < STATEMENT_COUNT; i++)
            sqlite3_finalize(database->statements[table][i]);
    }
    sqlite3_close(database->handle);
    text_buffer_finish(&database->sealed);
    if (database->lock_fd >= 0)
        close(database->lock_fd);
    free(database);
}

enum status store_database_begin(struct store_database *database, struct error *ret_error)
{
    return sqlite_execute(database->handle, "BEGIN IMMEDIATE", "store", ret_error);
}

enum status store_database_commit(struct store_database *database, struct error *ret_error)
{
    return sqlite_execute(database->handle, "COMMIT", "store", ret_error);
}

void store_database_rollback(struct store_database *database)
{
    /* After some errors SQLite has rolled back already; then there is nothing to do. */
    if (!sqlite3_get_autocommit(database->handle))
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
}

static enum status bind_value(struct store_database *database, const struct store_change *change,
                              sqlite3_stmt *statement, struct error *ret_error)
{
    text_buffer_clear(&database->sealed);
    enum status status = store_crypto_seal(database->crypto, store_table_name(change->table), change->key,
                                           STORE_VALUE_COLUMN, change->value, &database->sealed, ret_error);
    if (status != OK)
        return status;
    if (sqlite3_bind_blob(statement, 2, database->sealed.data, (int)database->sealed.length, SQLITE_STATIC) !=
        SQLITE_OK)
        return sqlite_error_set(database->handle, "store", ret_error);
    return OK;
}

enum status store_database_change(struct store_database *database, const struct store_change *change,
                                  struct error *ret_error)
{
    sqlite3_stmt *statement = database->statements[change->table][change->value ? STATEMENT_PUT : STATEMENT_DELETE];
    enum status status = OK;
    if (sqlite3_bind_text(statement, 1, change->key, -1, SQLITE_STATIC) != SQLITE_OK)
        status = sqlite_error_set(database->handle, "store", ret_error);
    if (status == OK && change->value)
        status = bind_value(database, change, statement, ret_error);
    if (status == OK && sqlite3_step(statement) != SQLITE_DONE)
        status = sqlite_error_set(database->handle, "store", ret_error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

enum status store_database_touch(struct store_database *database, struct error *ret_error)
{
    return store_schema_touch(database->handle, database->crypto, ret_error);
}

static enum status open_row(struct store_database *database, enum store_table table, sqlite3_stmt *row,
                            const char **ret_key, struct secret **ret_value, struct error *ret_error)
{
    const char *name = store_table_name(table);
    const char *key = (const char *)sqlite3_column_text(row, 0);
    const void *sealed = sqlite3_column_blob(row, 1);
    size_t length = (size_t)sqlite3_column_bytes(row, 1);
    if (!key || (!sealed && length > 0))
        return error_set(ret_error, ERR_NO_MEMORY, "store table %s", name);
    struct error reason;
    enum status status =
        store_crypto_open(database->crypto, name, key, STORE_VALUE_COLUMN, sealed, length, ret_value, &reason);
    if (status != OK)
        return error_set(ret_error, status, "store table %s, key %s: %s", name, key, reason.message);
    *ret_key = key;
    return OK;
}

enum status store_database_next(struct store_database *database, enum store_table table, const char **ret_key,
                                struct secret **ret_value, struct error *ret_error)
{
    sqlite3_stmt *scan = database->statements[table][STATEMENT_SCAN];
    int code = sqlite3_step(scan);
    if (code == SQLITE_ROW)
        return open_row(database, table, scan, ret_key, ret_value, ret_error);
    if (code != SQLITE_DONE)
        return sqlite_error_set(database->handle, "store", ret_error);
    *ret_key = NULL;
    return OK;
}

void store_database_end(struct store_database *database, enum store_table table)
{
    sqlite3_reset(database->statements[table][STATEMENT_SCAN]);
}

/* ---- opening ---- */

static enum status reseal_table(struct store_database *database, enum store_table table, struct error *ret_error)
{
    enum status status;
    for (;;) {
        const char *key;
        AUTO(secret) value = NULL;
        status = store_database_next(database, table, &key, &value, ret_error);
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch): set with OK. */
        if (status != OK || !key)
            break;
        /* The row stays where it stands, so that the reading does not meet it again. */
        status = store_database_change(database, &(struct store_change){table, key, value}, ret_error);
        if (status != OK)
            break;
    }
    store_database_end(database, table);
    return status;
}

/* After a new key was put in place of the old one: all or nothing, and then the old one is needed no more. */
static enum status reseal_all(struct store_database *database, struct error *ret_error)
{
    enum status status = store_database_begin(database, ret_error);
    for (size_t table = 0; table < STORE_TABLE_COUNT && status == OK; table++)
        status = reseal_table(database, (enum store_table)table, ret_error);
    if (status == OK)
        status = store_schema_reseal(database->handle, database->crypto, ret_error);
    if (status == OK)
        status = store_database_commit(database, ret_error);
    if (status != OK)
        store_database_rollback(database);
    return status;
}

static enum status open_steps(struct store_database *database, const char *path, struct error *ret_error)
{
    enum status status = store_file_prepare(path, database->crypto, ret_error);
    if (status == OK)
        status = store_file_open(path, &database->handle, ret_error);
    bool is_current = true;
    if (status == OK)
        status = store_schema_check(database->handle, database->crypto, &is_current, ret_error);
    if (status == OK)
        status = start_wal(database->handle, ret_error);
    if (status == OK)
        status = prepare_statements(database, ret_error);
    if (status == OK && !is_current)
        status = reseal_all(database, ret_error);
    return status;
}

static const char *way_out(enum status status)
{
    switch (status) {
    case ERR_CORRUPT:
        return "; restore it from a backup, or move it away with its -wal file and authorize the connections anew";
    case ERR_CRYPTO:
        return "; give the key file that it was written with";
    default:
        return "";
    }
}

enum status store_database_open(const char *path, const struct store_crypto *crypto,
                                struct store_database **ret_database, struct error *ret_error)
{
    AUTO(store_database) database = calloc(1, sizeof *database);
    if (!database)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    database->crypto = crypto;
    database->lock_fd = -1;
    text_buffer_init(&database->sealed, SEALED_MAX);
    /* Before anything else looks at the file: it may be another daemon's. */
    enum status status = store_file_lock(path, &database->lock_fd, ret_error);
    if (status != OK)
        return status;
    struct error reason;
    status = open_steps(database, path, &reason);
    if (status != OK)
        return error_set(ret_error, status, "store %s: %s%s", path, reason.message, way_out(status));
    *ret_database = TAKE(database);
    return OK;
}
