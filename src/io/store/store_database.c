#include "io/store/store_database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log/log.h"
#include "base/text/text_buffer.h"
#include "io/store/sqlite_error.h"
#include "io/store/store_crypto_keys.h"
#include "io/store/store_ballast.h"
#include "io/store/store_file.h"
#include "io/store/store_lock.h"
#include "io/store/store_schema.h"

/* A sealed value is its header and tag longer. SQLite's limit for one blob is far above. */
enum { SEALED_MAX = STORE_VALUE_MAX + 64, STATEMENT_TEXT_MAX = 256, NAMED_KEY_MAX = 128 };
/* One transaction of sealing anew: a token's commit waits for no more than this. */
enum { RESEAL_ROWS_MAX = 64, RESEAL_BYTES_MAX = 256 * 1024 };

enum statement { STATEMENT_PUT, STATEMENT_DELETE, STATEMENT_SCAN, STATEMENT_WALK, STATEMENT_TALLY, STATEMENT_COUNT };
static const struct {
    const char *before_table;
    const char *after_table;
} STATEMENT_TEXTS[STATEMENT_COUNT] = {
    [STATEMENT_PUT] = {"INSERT INTO ", " VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
    [STATEMENT_DELETE] = {"DELETE FROM ", " WHERE key = ?1"},
    [STATEMENT_SCAN] = {"SELECT key, value FROM ", ""},
    [STATEMENT_WALK] = {"SELECT key, value, rowid FROM ", " WHERE rowid > ?1 ORDER BY rowid"},
    [STATEMENT_TALLY] = {"SELECT count(*) FROM ", ""},
};

struct store_database {
    sqlite3 *handle;
    char *path;
    char *log_path;  /* of the write-ahead log */
    ino_t log_inode; /* 0: not seen yet */
    struct store_lock lock;
    struct store_crypto *crypto;
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

/* name: as SQLite answers. */
static enum status set_journal_mode(sqlite3 *handle, const char *name, const char *refusal, struct error *ret_error)
{
    char sql[STATEMENT_TEXT_MAX];
    snprintf(sql, sizeof sql, "PRAGMA journal_mode = %s", name);
    sqlite3_stmt *pragma = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(handle, sql, -1, &pragma, NULL) != SQLITE_OK || sqlite3_step(pragma) != SQLITE_ROW)
        status = sqlite_error_set(handle, "starting its write-ahead log", ret_error);
    else if (strcmp((const char *)sqlite3_column_text(pragma, 0), name) != 0)
        status = error_set(ret_error, ERR_IO, "%s", refusal);
    sqlite3_finalize(pragma);
    return status;
}

/* Last, because it is the first step that writes to a file that was there before. */
static enum status start_wal(sqlite3 *handle, struct error *ret_error)
{
    if (sqlite3_db_readonly(handle, "main") != 0)
        return error_set(ret_error, ERR_IO, "it is read-only");
    return set_journal_mode(handle, "wal", "its file system allows no write-ahead log", ret_error);
}

static void close_handle(struct store_database *database)
{
    for (size_t table = 0; table < STORE_TABLE_COUNT; table++) {
        for (size_t i = 0; i < STATEMENT_COUNT; i++)
            sqlite3_finalize(TAKE(database->statements[table][i]));
    }
    sqlite3_close(TAKE(database->handle));
}

void store_database_destroy(struct store_database *database)
{
    if (!database)
        return;
    close_handle(database);
    free(database->path);
    free(database->log_path);
    text_buffer_finish(&database->sealed);
    store_lock_release(&database->lock);
    free(database);
}

/*
 * SQLite goes on in a file that was deleted, moved or replaced, and all is well until the next start, which reads
 * another one. A token that is only there is not saved.
 */
static enum status check_place(struct store_database *database, struct error *ret_error)
{
    int has_moved = 0;
    enum status status = store_lock_check(&database->lock, ret_error);
    if (status != OK)
        return status;
    sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (has_moved)
        return error_set(ret_error, ERR_IO, "store: %s was deleted, moved or replaced: put it back", database->path);
    return OK;
}

static ino_t find_log(const struct store_database *database)
{
    struct stat found;
    return stat(database->log_path, &found) == 0 ? found.st_ino : 0;
}

/*
 * The same for the log: commits go on in a deleted one, and the next start knows nothing of them. SQLite still reads
 * it, so all that it holds goes into the database, and a new one is begun.
 */
static enum status check_log(struct store_database *database, struct error *ret_error)
{
    if (database->log_inode == 0 || find_log(database) == database->log_inode)
        return OK;
    enum status status = set_journal_mode(database->handle, "delete",
                                          "store: its write-ahead log was deleted, and is in use", ret_error);
    if (status == OK)
        status = start_wal(database->handle, ret_error);
    if (status != OK)
        return status;
    database->log_inode = 0;
    log_warning("store: %s was deleted or replaced; what it held is in the database now, and a new one is begun",
                database->log_path);
    return OK;
}

enum status store_database_begin(struct store_database *database, struct error *ret_error)
{
    enum status status = check_place(database, ret_error);
    if (status == OK)
        status = check_log(database, ret_error);
    return status != OK ? status : sqlite_execute(database->handle, "BEGIN IMMEDIATE", "store", ret_error);
}

enum status store_database_commit(struct store_database *database, struct error *ret_error)
{
    enum status status = sqlite_execute(database->handle, "COMMIT", "store", ret_error);
    if (status == OK && database->log_inode == 0)
        database->log_inode = find_log(database);
    return status;
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

/* A wrong key says it itself. */
static const char *way_out(enum status status)
{
    return status == ERR_CORRUPT ? "; " STORE_WAY_OUT : "";
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
        return error_set(ret_error, status, "store %s: table %s, key %.*s: %s%s", database->path, name, NAMED_KEY_MAX,
                         key, reason.message, way_out(status));
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

/* ---- under another key ---- */

struct store_crypto *store_database_crypto(struct store_database *database)
{
    return database->crypto;
}

enum status store_database_count(struct store_database *database, enum store_table table, size_t *ret_count,
                                 struct error *ret_error)
{
    sqlite3_stmt *tally = database->statements[table][STATEMENT_TALLY];
    enum status status = OK;
    if (sqlite3_step(tally) == SQLITE_ROW)
        *ret_count = (size_t)sqlite3_column_int64(tally, 0);
    else
        status = sqlite_error_set(database->handle, "store", ret_error);
    sqlite3_reset(tally);
    return status;
}

/* The row stays where it stands, so that the walk does not meet it again. */
static enum status reseal_row(struct store_database *database, enum store_table table, sqlite3_stmt *row,
                              struct error *ret_error)
{
    const char *key = NULL;
    AUTO(secret) value = NULL;
    enum status status = open_row(database, table, row, &key, &value, ret_error);
    if (status != OK)
        return status;
    return store_database_change(database, &(struct store_change){table, key, value}, ret_error);
}

static enum status reseal_rows(struct store_database *database, sqlite3_stmt *walk, struct store_place *place,
                               struct store_resealed *resealed, struct error *ret_error)
{
    enum status status = OK;
    for (size_t bytes = 0; status == OK && resealed->seen < RESEAL_ROWS_MAX && bytes < RESEAL_BYTES_MAX;) {
        int code = sqlite3_step(walk);
        if (code != SQLITE_ROW) {
            resealed->at_end = code == SQLITE_DONE;
            return resealed->at_end ? OK : sqlite_error_set(database->handle, "store", ret_error);
        }
        const void *sealed = sqlite3_column_blob(walk, 1);
        size_t length = (size_t)sqlite3_column_bytes(walk, 1);
        bytes += length;
        resealed->seen++;
        place->row = sqlite3_column_int64(walk, 2);
        if (sealed && store_crypto_is_current(database->crypto, sealed, length))
            continue;
        status = reseal_row(database, place->table, walk, ret_error);
        resealed->sealed++;
    }
    return status;
}

enum status store_database_reseal(struct store_database *database, struct store_place *place,
                                  struct store_resealed *ret_resealed, struct error *ret_error)
{
    sqlite3_stmt *walk = database->statements[place->table][STATEMENT_WALK];
    struct store_place at = *place;
    struct store_resealed resealed = {0};
    sqlite3_bind_int64(walk, 1, at.row);
    enum status status = reseal_rows(database, walk, &at, &resealed, ret_error);
    sqlite3_reset(walk);
    if (status != OK)
        return status;
    *place = at;
    *ret_resealed = resealed;
    return OK;
}

enum status store_database_reseal_canary(struct store_database *database, bool *ret_sealed, struct error *ret_error)
{
    return store_schema_reseal(database->handle, database->crypto, ret_sealed, ret_error);
}

enum status store_database_empty_log(struct store_database *database, struct error *ret_error)
{
    /* A reader holds the log up for as long as it reads: tokens shall not wait for that. */
    sqlite3_busy_timeout(database->handle, 0);
    enum status status = OK;
    if (sqlite3_wal_checkpoint_v2(database->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
        status = sqlite_error_set(database->handle, "emptying the store's log", ret_error);
    sqlite3_busy_timeout(database->handle, STORE_BUSY_WAIT_MS);
    return status;
}

/* ---- opening ---- */

static enum status open_steps(struct store_database *database, const char *path, struct error *ret_error)
{
    enum status status = store_file_prepare(path, database->crypto, ret_error);
    if (status == OK && database->lock.database_fd < 0)
        status = store_lock_take_database(&database->lock, path, ret_error);
    if (status == OK)
        status = store_file_open(path, &database->handle, ret_error);
    if (status == OK)
        status = store_schema_check(database->handle, database->crypto, ret_error);
    if (status == OK)
        status = start_wal(database->handle, ret_error);
    if (status == OK)
        status = prepare_statements(database, ret_error);
    if (status == OK)
        store_key_remove_leftover(database->crypto);
    return status;
}

/* A full disk may not keep the daemon from its start while there is a ballast to give up. */
static enum status open_or_make_room(struct store_database *database, const char *path, struct error *ret_error)
{
    enum status status = open_steps(database, path, ret_error);
    if (status != ERR_NO_SPACE || !store_ballast_remove(path))
        return status;
    close_handle(database);
    return open_steps(database, path, ret_error);
}

enum status store_database_open(const char *path, struct store_crypto *crypto, struct store_database **ret_database,
                                struct error *ret_error)
{
    AUTO(store_database) database = calloc(1, sizeof *database);
    if (!database)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    database->crypto = crypto;
    store_lock_init(&database->lock);
    text_buffer_init(&database->sealed, SEALED_MAX);
    database->path = strdup(path);
    if (!database->path || asprintf(&database->log_path, "%s-wal", path) < 0)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    /* Before anything else looks at the file: it may be another daemon's. */
    enum status status = store_lock_take(&database->lock, path, ret_error);
    if (status != OK)
        return status;
    struct error reason;
    status = open_or_make_room(database, path, &reason);
    if (status == ERR_CONFLICT)
        return error_set(ret_error, status, "%s", reason.message);
    if (status != OK)
        return error_set(ret_error, status, "store %s: %s%s", path, reason.message, way_out(status));
    *ret_database = TAKE(database);
    return OK;
}
