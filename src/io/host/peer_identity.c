#include "io/host/peer_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/host/peer_cgroup.h"
#include "io/host/peer_unit.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* since Linux 6.5 */
#endif

enum {
    GROUPS_USUAL = 64,
    PATH_SIZE = sizeof "/proc//cgroup" + 3 * sizeof(pid_t),
    STAT_TEXT_MAX = 2048,
    STAT_NAME = 2, /* numbers of fields in /proc/PID/stat */
    STAT_START_TIME = 22,
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
    identity.read_at = clock_boot_ms();
    if (status == OK)
        *ret_identity = identity;
    return status;
}

void peer_identity_finish(struct peer_identity *identity)
{
    free(identity->groups);
    free(identity->unit);
    free(identity->hidden_cgroup);
    *identity = (struct peer_identity){0};
}

/* The whole of a file of /proc/PID, as a text. False when it cannot be read, or is longer than size. */
static bool read_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length;
    size_t total = 0;
    while ((length = read(fd, text + total, size - 1 - total)) > 0)
        total += (size_t)length;
    close(fd);
    text[total] = '\0';
    return length == 0 && total < size - 1;
}

/* Where systemd keeps its units beside other hierarchies, and where there is one for all. */
static const char *const hierarchies[] = {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup"};
enum { HIERARCHY_COUNT = sizeof hierarchies / sizeof *hierarchies };

static bool find_hidden_cgroup(struct peer_identity *identity, char text[PEER_CGROUP_TEXT_MAX])
{
    pid_t pid = identity->peer.pid;
    for (size_t i = 0; identity->hidden_cgroup && i < HIERARCHY_COUNT; i++) {
        if (peer_cgroup_has(hierarchies[i], identity->hidden_cgroup, pid)) {
            strcpy(text, identity->hidden_cgroup);
            return true;
        }
    }
    bool is_found = false;
    identity->was_searched = true;
    for (size_t i = 0; !is_found && i < HIERARCHY_COUNT; i++)
        is_found = peer_cgroup_find(hierarchies[i], pid, text);
    free(identity->hidden_cgroup);
    identity->hidden_cgroup = is_found ? strdup(text) : NULL;
    return is_found;
}

/* 0 when it cannot be told. The name before the numbers may hold anything, spaces and parentheses too (proc(5)). */
static int64_t started_at_ms(pid_t pid)
{
    char text[STAT_TEXT_MAX];
    if (!read_file(pid, "stat", text, sizeof text))
        return 0;
    const char *field = strrchr(text, ')');
    for (int number = STAT_NAME; field && number < STAT_START_TIME; number++) {
        field = strchr(field, ' ');
        if (field)
            field++;
    }
    return field ? (int64_t)strtoull(field, NULL, 10) * 1000 / sysconf(_SC_CLK_TCK) : 0;
}

/*
 * A number that was used again after the accept is found out by the start time, but for a clock tick; one that was used
 * again before, or within that tick, by the user: a process of the same user has the same rights over the connector's.
 */
static bool fits_without_pidfd(const struct peer_identity *identity)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d", (int)identity->peer.pid);
    int64_t started_at = started_at_ms(identity->peer.pid);
    struct stat process; /* the directory is the effective user's, also where its files are root's (proc(5)) */
    return started_at > 0 && started_at <= identity->read_at && stat(path, &process) == 0 &&
           process.st_uid == identity->peer.uid;
}

/* A pidfd becomes readable when its process ends (pidfd_open(2)). */
bool peer_identity_is_there(const struct peer_identity *identity, int fd)
{
    int pidfd;
    socklen_t size = sizeof pidfd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
        return errno == ENOPROTOOPT && fits_without_pidfd(identity);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    bool is_running = poll(&ended, 1, 0) == 0;
    close(pidfd);
    return is_running;
}

void peer_identity_find_unit(struct peer_identity *identity, int fd)
{
    char text[PEER_CGROUP_TEXT_MAX];
    free(identity->unit);
    identity->unit = NULL;
    identity->was_searched = false;
    bool is_found = identity->peer.pid > 0 &&
                    (read_file(identity->peer.pid, "cgroup", text, sizeof text) || find_hidden_cgroup(identity, text));
    /* After reading: a number that is still the peer's was the peer's before. */
    if (is_found && peer_identity_is_there(identity, fd))
        identity->unit = peer_unit_from_cgroup(text);
    identity->peer.unit = identity->unit;
}
