#ifndef IO_HOST_SANDBOX_H
#define IO_HOST_SANDBOX_H

#include "base/error.h"

/*
 * What the process gives up for good, so that whoever takes it over gains little. It takes no privilege. Two steps at
 * two moments of the start: files while there is one thread, as Landlock binds only the calling thread and those that
 * it makes; system calls when the sockets listen, for every thread that there is. Both set no_new_privs.
 */

/*
 * What remains possible with files. Nothing is executed, and nothing made, written or removed but what stands here.
 * Reading stays as the user's permissions have it, but for /boot, /dev and /sys: a reload may name a secret's {"$file"}
 * anywhere, and a Landlock ruleset is never widened again. Who may read what is the service unit's to say.
 */
struct sandbox_files {
    const char *state_dir;       /* files in it and below it are made, written and removed */
    const char *key_dir;         /* likewise; NULL: the store's key is in state_dir, or is not to be changed */
    const char *socket_paths[2]; /* sockets in these files' directories are made, and files there removed; or NULL */
    int tcp_port;                /* the only one that is bound */
};

/*
 * Landlock. Before other threads are made. ret_gap: what this kernel's Landlock is too old to refuse, a static text for
 * a log line, or NULL. ERR_UNSUPPORTED: the kernel has no Landlock, or does not let it be used; ERR_IO.
 */
enum status sandbox_limit_files(const struct sandbox_files *files, const char **ret_gap, struct error *ret_error);

/*
 * seccomp. What a running daemon calls goes on. Running a program, tracing, mounting, loading modules, changing user
 * and the like end the process (SIGSYS). Everything else is refused with EPERM and noted in the kernel's log (audit
 * type 1326): so a call that a library's next version makes costs that call alone. ERR_UNSUPPORTED: the kernel has no
 * seccomp; ERR_NO_MEMORY, ERR_IO.
 */
enum status sandbox_limit_calls(struct error *ret_error);

#endif
