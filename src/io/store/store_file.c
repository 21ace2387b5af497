#include "io/store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files/file_sync.h"
#include "io/store/sqlite_error.h"
#include "io/store/store_memory.h"
#include "io/store/store_schema.h"

struct side_path {
    char text[PATH_MAX];
};

static bool side_path_set(struct side_path *side, const char *path, const char *suffix)
{
    int length = snprintf(side->text, sizeof side->text, "%s%s", path, suffix);
    return length >= 0 && (size_t)length < sizeof side->text;
}

enum status store_file_open(const char *path, sqlite3 **ret_handle, struct error *ret_error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
    store_memory_wipe();
    if (sqlite3_open_v2(path, ret_handle, flags, NULL) != SQLITE_OK)
        return sqlite_error_set(*ret_handle, "opening it", ret_error);
    sqlite3_db_config(*ret_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*ret_handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(*ret_handle, STORE_BUSY_WAIT_MS);
    return sqlite_execute(*ret_handle,
                          "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"
                          "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
                          "opening it", ret_error);
}

static enum status fill_new(const char *path, const struct store_crypto *crypto, struct error *ret_error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return error_set(ret_error, errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_IO, "%s", strerror(errno));
    close(fd);
    sqlite3 *handle = NULL;
    enum status status = store_file_open(path, &handle, ret_error);
    if (status == OK)
        status = store_schema_create(handle, crypto, ret_error);
    sqlite3_close(handle);
    return status;
}

static enum status create_database(const char *path, const struct store_crypto *crypto, struct error *ret_error)
{
    struct side_path temporary;
    struct side_path journal;
    if (!side_path_set(&temporary, path, ".new") || !side_path_set(&journal, path, ".new-journal"))
        return error_set(ret_error, ERR_IO, "its path is too long");
    unlink(temporary.text);
    unlink(journal.text);
    enum status status = fill_new(temporary.text, crypto, ret_error);
    if (status == OK && !file_publish(temporary.text, path))
        status = error_set(ret_error, ERR_IO, "%s", strerror(errno));
    if (status != OK) {
        unlink(temporary.text);
        unlink(journal.text);
    }
    return status;
}

/* SQLite would read such a journal into the new database. */
static enum status refuse_lone_journal(const char *path, struct error *ret_error)
{
    static const char *const suffixes[] = {"-wal", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        struct side_path journal;
        struct stat ignored;
        if (side_path_set(&journal, path, suffixes[i]) && lstat(journal.text, &ignored) == 0)
            return error_set(ret_error, ERR_CORRUPT, "it is missing, but its journal %s is there", journal.text);
    }
    return OK;
}

static enum status restrict_modes(const char *path, struct error *ret_error)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        struct side_path file;
        if (!side_path_set(&file, path, suffixes[i]))
            return error_set(ret_error, ERR_IO, "its path is too long");
        if (chmod(file.text, S_IRUSR | S_IWUSR) != 0 && errno != ENOENT)
            return error_set(ret_error, ERR_IO, "%s: %s", file.text, strerror(errno));
    }
    return OK;
}

enum status store_file_prepare(const char *path, const struct store_crypto *crypto, struct error *ret_error)
{
    struct stat metadata;
    if (lstat(path, &metadata) != 0) {
        if (errno != ENOENT)
            return error_set(ret_error, ERR_IO, "%s", strerror(errno));
        enum status status = refuse_lone_journal(path, ret_error);
        return status == OK ? create_database(path, crypto, ret_error) : status;
    }
    if (!S_ISREG(metadata.st_mode))
        return error_set(ret_error, ERR_IO, "not a regular file");
    return restrict_modes(path, ret_error);
}
