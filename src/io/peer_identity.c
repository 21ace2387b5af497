#include "io/peer_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/peer_cgroup.h"
#include "io/peer_unit.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* since Linux 6.5 */
#endif

enum {
    GROUPS_USUAL = 64,
    DATABASE_ENTRY_USUAL = 1024,
    DATABASE_ENTRY_MAX = 1024 * 1024, /* a group may have very many members */
};

static enum status read_groups(int fd, struct peer_identity *identity, struct error *ret_error)
{
    gid_t usual[GROUPS_USUAL];
    socklen_t size = sizeof usual;
    gid_t *groups = NULL;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, usual, &size) < 0) {
        if (errno != ERANGE)
            return error_set(ret_error, ERR_IO, "SO_PEERGROUPS: %s", strerror(errno));
        groups = malloc(size);
        if (!groups)
            return error_set(ret_error, ERR_NO_MEMORY, "peer's groups");
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
            free(groups);
            return error_set(ret_error, ERR_IO, "SO_PEERGROUPS: %s", strerror(errno));
        }
    } else if (size > 0) {
        groups = malloc(size);
        if (!groups)
            return error_set(ret_error, ERR_NO_MEMORY, "peer's groups");
        memcpy(groups, usual, size);
    }
    identity->groups = groups;
    identity->peer.groups = groups;
    identity->peer.group_count = size / sizeof *groups;
    return OK;
}

enum status peer_identity_read(int fd, struct peer_identity *ret_identity, struct error *ret_error)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return error_set(ret_error, ERR_IO, "SO_PEERCRED: %s", strerror(errno));
    struct peer_identity identity = {.peer = {.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid}};
    enum status status = read_groups(fd, &identity, ret_error);
    if (status == OK)
        *ret_identity = identity;
    return status;
}

void peer_identity_finish(struct peer_identity *identity)
{
    free(identity->groups);
    free(identity->unit);
    *identity = (struct peer_identity){0};
}

static bool read_cgroup(pid_t pid, char text[PEER_CGROUP_TEXT_MAX])
{
    char path[sizeof "/proc//cgroup" + 3 * sizeof pid];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length;
    size_t total = 0;
    while ((length = read(fd, text + total, PEER_CGROUP_TEXT_MAX - 1 - total)) > 0)
        total += (size_t)length;
    close(fd);
    text[total] = '\0';
    return length == 0 && total < PEER_CGROUP_TEXT_MAX - 1;
}

static bool find_cgroup(pid_t pid, char text[PEER_CGROUP_TEXT_MAX])
{
    /* The first is where systemd keeps its units beside other hierarchies, the second where there is one for all. */
    return read_cgroup(pid, text) || peer_cgroup_find("/sys/fs/cgroup/systemd", pid, text) ||
           peer_cgroup_find("/sys/fs/cgroup", pid, text);
}

/* The number may be another process's by now. A pidfd becomes readable when its process ends (pidfd_open(2)). */
static bool is_still_peer(int fd)
{
    int pidfd;
    socklen_t size = sizeof pidfd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
        return errno == ENOPROTOOPT;
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    bool is_running = poll(&ended, 1, 0) == 0;
    close(pidfd);
    return is_running;
}

void peer_identity_find_unit(struct peer_identity *identity, int fd)
{
    if (identity->unit_looked_up)
        return;
    identity->unit_looked_up = true;
    char text[PEER_CGROUP_TEXT_MAX];
    if (identity->peer.pid <= 0 || !find_cgroup(identity->peer.pid, text) || !is_still_peer(fd))
        return;
    identity->unit = peer_unit_from_cgroup(text);
    identity->peer.unit = identity->unit;
}

/* Both look-ups want a buffer of a size that they do not tell: doubled until it is enough. */
static bool find_user(void *context, const char *name, uid_t *ret_uid)
{
    (void)context;
    for (size_t size = DATABASE_ENTRY_USUAL; size <= DATABASE_ENTRY_MAX; size *= 2) {
        AUTO_TEXT buffer = malloc(size);
        struct passwd entry;
        struct passwd *found = NULL;
        int reason = buffer ? getpwnam_r(name, &entry, buffer, size, &found) : ENOMEM;
        if (found)
            *ret_uid = entry.pw_uid;
        if (reason != ERANGE)
            return found;
    }
    return false;
}

static bool find_group(void *context, const char *name, gid_t *ret_gid)
{
    (void)context;
    for (size_t size = DATABASE_ENTRY_USUAL; size <= DATABASE_ENTRY_MAX; size *= 2) {
        AUTO_TEXT buffer = malloc(size);
        struct group entry;
        struct group *found = NULL;
        int reason = buffer ? getgrnam_r(name, &entry, buffer, size, &found) : ENOMEM;
        if (found)
            *ret_gid = entry.gr_gid;
        if (reason != ERANGE)
            return found;
    }
    return false;
}

struct identity_resolver peer_identity_resolver(void)
{
    return (struct identity_resolver){.user = find_user, .group = find_group, .own_uid = geteuid()};
}
