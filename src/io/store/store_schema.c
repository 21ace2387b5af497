#include "io/store/store_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "io/store/sqlite_error.h"

/* "icld": what file(1) and we tell our databases by. */
enum { APPLICATION_ID = 0x69636c64, SCHEMA_VERSION = 1, SEALED_CANARY_MAX = 256, SCHEMA_TEXT_MAX = 4096 };
static const char CANARY[] = "iclientd store";

static const char *const TABLE_NAMES[STORE_TABLE_COUNT] = {
    [STORE_TOKENS] = "tokens",     [STORE_STATES] = "states",           [STORE_JOURNAL] = "journal",
    [STORE_ICLIENTS] = "iclients", [STORE_CONNECTIONS] = "connections",
};

const char *store_table_name(enum store_table table)
{
    return TABLE_NAMES[table];
}

static enum status create_tables(sqlite3 *handle, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) sql;
    text_buffer_init(&sql, SCHEMA_TEXT_MAX);
    for (size_t i = 0; i < STORE_TABLE_COUNT; i++)
        text_buffer_append_format(&sql, "CREATE TABLE %s (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;",
                                  TABLE_NAMES[i]);
    text_buffer_append_format(&sql,
                              "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;"
                              "CREATE TABLE health (id INTEGER PRIMARY KEY, checks INTEGER NOT NULL) STRICT;"
                              "INSERT INTO health VALUES (1, 0);"
                              "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                              APPLICATION_ID, SCHEMA_VERSION);
    if (sql.failed)
        return error_set(ret_error, ERR_NO_MEMORY, "store schema");
    return sqlite_execute(handle, sql.data, "creating the tables", ret_error);
}

static enum status write_canary(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) sealed;
    text_buffer_init(&sealed, SEALED_CANARY_MAX);
    AUTO(secret) canary = secret_from_text(CANARY);
    if (!canary)
        return error_set(ret_error, ERR_NO_MEMORY, "store canary");
    enum status status = store_crypto_seal(crypto, "meta", "canary", STORE_VALUE_COLUMN, canary, &sealed, ret_error);
    if (status != OK)
        return status;
    sqlite3_stmt *insert = NULL;
    bool done = sqlite3_prepare_v2(handle, "INSERT OR REPLACE INTO meta VALUES ('canary', ?1)", -1, &insert, NULL) ==
                    SQLITE_OK &&
                sqlite3_bind_blob(insert, 1, sealed.data, (int)sealed.length, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(insert) == SQLITE_DONE;
    if (!done)
        status = sqlite_error_set(handle, "writing the canary", ret_error);
    sqlite3_finalize(insert);
    return status;
}

enum status store_schema_create(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error)
{
    enum status status = sqlite_execute(handle, "BEGIN IMMEDIATE", "creating the store", ret_error);
    if (status == OK)
        status = create_tables(handle, ret_error);
    if (status == OK)
        status = write_canary(handle, crypto, ret_error);
    if (status == OK)
        status = sqlite_execute(handle, "COMMIT", "creating the store", ret_error);
    return status;
}

static enum status read_integer(sqlite3 *handle, const char *sql, int *ret_number, struct error *ret_error)
{
    sqlite3_stmt *query = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(handle, sql, -1, &query, NULL) == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW)
        *ret_number = sqlite3_column_int(query, 0);
    else
        status = sqlite_error_set(handle, "reading the store's header", ret_error);
    sqlite3_finalize(query);
    return status;
}

static enum status check_identity(sqlite3 *handle, struct error *ret_error)
{
    int application = 0;
    int version = 0;
    enum status status = read_integer(handle, "PRAGMA application_id", &application, ret_error);
    if (status == OK)
        status = read_integer(handle, "PRAGMA user_version", &version, ret_error);
    if (status != OK)
        return status;
    if (application != APPLICATION_ID || version < 1)
        return error_set(ret_error, ERR_CORRUPT, "not a store of iclientd, or emptied");
    if (version > SCHEMA_VERSION)
        return error_set(ret_error, ERR_CORRUPT, "written by a newer iclientd (schema %d, this one knows %d)", version,
                         SCHEMA_VERSION);
    return OK;
}

static enum status check_integrity(sqlite3 *handle, struct error *ret_error)
{
    sqlite3_stmt *check = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &check, NULL) != SQLITE_OK ||
        sqlite3_step(check) != SQLITE_ROW)
        status = sqlite_error_set(handle, "integrity check", ret_error);
    else if (strcmp((const char *)sqlite3_column_text(check, 0), "ok") != 0)
        status = error_set(ret_error, ERR_CORRUPT, "integrity check: %s", sqlite3_column_text(check, 0));
    sqlite3_finalize(check);
    return status;
}

static enum status open_canary(const struct store_crypto *crypto, sqlite3_stmt *row, bool *ret_current,
                               struct error *ret_error)
{
    AUTO(secret) canary = NULL;
    AUTO(secret) expected = secret_from_text(CANARY);
    const void *sealed = sqlite3_column_blob(row, 0);
    size_t length = (size_t)sqlite3_column_bytes(row, 0);
    enum status status =
        store_crypto_open(crypto, "meta", "canary", STORE_VALUE_COLUMN, sealed, length, &canary, ret_error);
    if (status != OK)
        return status;
    if (!secret_equal(canary, expected))
        return error_set(ret_error, ERR_CORRUPT, "the canary is another text");
    *ret_current = store_crypto_is_current(crypto, sealed, length);
    return OK;
}

static enum status check_canary(sqlite3 *handle, const struct store_crypto *crypto, bool *ret_current,
                                struct error *ret_error)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(handle, "SELECT value FROM meta WHERE name = 'canary'", -1, &query, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(query);
    enum status status;
    if (code == SQLITE_ROW)
        status = open_canary(crypto, query, ret_current, ret_error);
    else if (code == SQLITE_DONE)
        status = error_set(ret_error, ERR_CORRUPT, "the canary is missing");
    else
        status = sqlite_error_set(handle, "reading the canary", ret_error);
    sqlite3_finalize(query);
    return status;
}

enum status store_schema_check(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error)
{
    bool ignored;
    enum status status = check_identity(handle, ret_error);
    if (status == OK)
        status = check_integrity(handle, ret_error);
    if (status == OK)
        status = check_canary(handle, crypto, &ignored, ret_error);
    return status;
}

enum status store_schema_reseal(sqlite3 *handle, const struct store_crypto *crypto, bool *ret_sealed,
                                struct error *ret_error)
{
    bool is_current = false;
    enum status status = check_canary(handle, crypto, &is_current, ret_error);
    if (status == OK && !is_current)
        status = write_canary(handle, crypto, ret_error);
    *ret_sealed = status == OK && !is_current;
    return status;
}

enum status store_schema_touch(sqlite3 *handle, const struct store_crypto *crypto, struct error *ret_error)
{
    bool ignored;
    enum status status = check_canary(handle, crypto, &ignored, ret_error);
    if (status == OK)
        status = sqlite_execute(handle, "UPDATE health SET checks = checks + 1", "writing a row", ret_error);
    return status;
}
