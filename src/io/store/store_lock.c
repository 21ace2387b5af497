#include "io/store/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

void store_lock_init(struct store_lock *lock)
{
    *lock = (struct store_lock){.directory_fd = -1, .file_fd = -1, .database_fd = -1};
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void store_lock_release(struct store_lock *lock)
{
    close_one(&lock->database_fd);
    close_one(&lock->file_fd);
    close_one(&lock->directory_fd);
    free(TAKE(lock->directory));
}

/* path: the store's, for the message. */
static enum status lock_one(const char *name, int flags, const char *path, int *ret_fd, struct error *ret_error)
{
    int fd = open(name, flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return error_set(ret_error, ERR_IO, "store %s: %s: %s", path, name, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return OK;
    }
    int reason = errno;
    close(fd);
    if (reason == EWOULDBLOCK)
        return error_set(ret_error, ERR_CONFLICT, "store %s: another iclientd uses it (%s is locked)", path, name);
    return error_set(ret_error, ERR_IO, "store %s: %s cannot be locked: %s", path, name, strerror(reason));
}

enum status store_lock_take(struct store_lock *lock, const char *path, struct error *ret_error)
{
    char file[PATH_MAX];
    if (snprintf(file, sizeof file, "%s.lock", path) >= (int)sizeof file)
        return error_set(ret_error, ERR_IO, "store: its path is too long");
    AUTO_TEXT copy = strdup(path);
    lock->directory = copy ? strdup(dirname(copy)) : NULL;
    if (!lock->directory)
        return error_set(ret_error, ERR_NO_MEMORY, "store");
    enum status status = lock_one(lock->directory, O_RDONLY | O_DIRECTORY, path, &lock->directory_fd, ret_error);
    if (status == OK)
        status = lock_one(file, O_RDWR | O_CREAT | O_NOFOLLOW, path, &lock->file_fd, ret_error);
    return status;
}

enum status store_lock_take_database(struct store_lock *lock, const char *path, struct error *ret_error)
{
    return lock_one(path, O_RDONLY | O_NOFOLLOW, path, &lock->database_fd, ret_error);
}

enum status store_lock_check(const struct store_lock *lock, struct error *ret_error)
{
    struct stat locked;
    struct stat found;
    bool is_same = fstat(lock->directory_fd, &locked) == 0 && stat(lock->directory, &found) == 0 &&
                   locked.st_dev == found.st_dev && locked.st_ino == found.st_ino;
    if (is_same)
        return OK;
    return error_set(ret_error, ERR_IO, "store: the directory %s was deleted, moved or replaced: put it back",
                     lock->directory);
}
