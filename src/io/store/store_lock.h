#ifndef IO_STORE_STORE_LOCK_H
#define IO_STORE_STORE_LOCK_H

#include "base/error.h"

/*
 * Keeps a second daemon away from a store: locks (flock) on the directory of the database, on the database itself and
 * on PATH.lock. The first two are on the inodes, so that no deleted file and no other path to the same directory (a
 * symbolic link, a bind mount, a hard link of the database) lets another daemon in. PATH.lock is what versions before
 * locked; it is locked for their sake alone. The kernel drops the locks when the process dies. SQLite's own locks are
 * of another kind (POSIX), and closing a descriptor of the database drops them: so release this one after the database
 * is closed.
 */
struct store_lock {
    char *directory;
    int directory_fd; /* -1: not locked; likewise the others */
    int file_fd;
    int database_fd;
};

/* Nothing locked yet: store_lock_release() may be called. */
void store_lock_init(struct store_lock *lock);
/*
 * The directory and PATH.lock, before anything else looks at the files. ERR_CONFLICT: another daemon's; ERR_IO;
 * ERR_NO_MEMORY.
 */
enum status store_lock_take(struct store_lock *lock, const char *path, struct error *ret_error);
/* The database, before SQLite opens it. Errors likewise. */
enum status store_lock_take_database(struct store_lock *lock, const char *path, struct error *ret_error);
/* ERR_IO when the path of the directory leads elsewhere now: it was moved, deleted or replaced. */
enum status store_lock_check(const struct store_lock *lock, struct error *ret_error);
void store_lock_release(struct store_lock *lock);

#endif
