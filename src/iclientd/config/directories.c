#include "iclientd/config/directories.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log/log.h"

/* Each missing directory of path gets mode. */
static enum status make_path(const char *path, mode_t mode, struct error *ret_error)
{
    char partial[PATH_MAX];
    if (snprintf(partial, sizeof partial, "%s", path) >= (int)sizeof partial)
        return error_set(ret_error, ERR_INVALID, "%s: the path is too long", path);
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST)
            return error_set(ret_error, ERR_IO, "cannot make the directory %s: %s", partial, strerror(errno));
        *at = end;
        if (end == '\0')
            return OK;
    }
}

static enum status make_directory(const char *path, mode_t mode, const char *group, struct error *ret_error)
{
    struct stat found;
    if (stat(path, &found) == 0)
        return S_ISDIR(found.st_mode) ? OK : error_set(ret_error, ERR_IO, "%s is not a directory", path);
    /* The process's umask is for files that hold secrets; the mode here is meant as it stands. */
    mode_t previous = umask(0);
    enum status status = make_path(path, mode, ret_error);
    umask(previous);
    const struct group *entry = status == OK && group ? getgrnam(group) : NULL;
    if (entry && chown(path, (uid_t)-1, entry->gr_gid) != 0)
        return error_set(ret_error, ERR_IO, "cannot give %s to the group %s: %s", path, group, strerror(errno));
    return status;
}

static enum status make_parent(const char *file, mode_t mode, const char *group, struct error *ret_error)
{
    AUTO_TEXT directory = strdup(file);
    if (!directory)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory");
    char *slash = strrchr(directory, '/');
    if (!slash || slash == directory)
        return OK;
    *slash = '\0';
    return make_directory(directory, mode, group, ret_error);
}

/* Whoever may write there can put another store, or a key of his own, in the place of ours. */
static enum status check_writers(const char *path, struct error *ret_error)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return error_set(ret_error, ERR_IO, "%s: %s", path, strerror(errno));
    if (found.st_mode & S_IWOTH)
        return error_set(ret_error, ERR_INVALID, "state directory %s: anybody may write there; chmod 0700", path);
    if (found.st_mode & S_IWGRP)
        log_warning("state directory %s: its group may write there, and so replace the token store; chmod 0700", path);
    return OK;
}

enum status directories_prepare(const struct config *config, struct error *ret_error)
{
    enum status status = make_directory(config->state_dir, 0700, NULL, ret_error);
    if (status == OK)
        status = check_writers(config->state_dir, ret_error);
    if (status == OK)
        status = make_parent(config->token_socket.path, 0755, NULL, ret_error);
    /* A socket that is open to all is to be reached by all. */
    mode_t admin_mode = config->admin_socket.mode & 0002 ? 0755 : 0750;
    if (status == OK)
        status = make_parent(config->admin_socket.path, admin_mode, config->admin_socket.group, ret_error);
    return status;
}
