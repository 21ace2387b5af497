#ifndef IO_PEER_IDENTITY_H
#define IO_PEER_IDENTITY_H

#include <stdbool.h>

#include "base/error.h"
#include "model/access_rule.h"

/* Who is at the other end of a Unix socket, by the kernel: read once per accepted connection. */
struct peer_identity {
    struct peer peer; /* peer.groups and peer.unit point into this struct's own memory */
    gid_t *groups;
    char *unit; /* filled by peer_identity_find_unit() */
    bool unit_looked_up;
};

/* SO_PEERCRED, SO_PEERGROUPS (any number of groups). ERR_IO, ERR_NO_MEMORY. */
enum status peer_identity_read(int fd, struct peer_identity *ret_identity, struct error *ret_error);
void peer_identity_finish(struct peer_identity *identity);

/*
 * Looks up the unit of the peer of fd from /proc/PID/cgroup (unified or the systemd hierarchy), and sets peer.unit.
 * Where the kernel has SO_PEERPIDFD the process is checked to be still that one after reading: the socket holds on to
 * it, so the descriptor is opened here and not for each connection. Not found leaves NULL. Cheap after the first call.
 */
void peer_identity_find_unit(struct peer_identity *identity, int fd);

/* getpwnam_r, getgrnam_r, for rules at load time. context: ignored. */
struct identity_resolver peer_identity_resolver(void);

#endif
