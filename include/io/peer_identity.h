#ifndef IO_PEER_IDENTITY_H
#define IO_PEER_IDENTITY_H

#include <stdbool.h>

#include "base/error.h"
#include "model/access_rule.h"

/* Who is at the other end of a Unix socket, by the kernel: read once per accepted connection. */
struct peer_identity {
    struct peer peer;  /* peer.groups points into this struct's own memory */
    gid_t *groups;
    int pidfd;         /* SO_PEERPIDFD, or -1 where the kernel has none */
    char *unit;        /* filled by peer_identity_find_unit() */
    bool unit_looked_up;
};

/* SO_PEERCRED, SO_PEERGROUPS (any number of groups), SO_PEERPIDFD. ERR_IO, ERR_NO_MEMORY. */
enum status peer_identity_read(int fd, struct peer_identity *ret_identity, struct error *ret_error);
void peer_identity_finish(struct peer_identity *identity);

/*
 * Looks up the peer's systemd unit from /proc/PID/cgroup (unified or the systemd hierarchy), and sets peer.unit; with
 * a pidfd the process is checked to be still that one after reading. Not found leaves NULL. Cheap after the first call.
 */
void peer_identity_find_unit(struct peer_identity *identity);

/* getpwnam_r, getgrnam_r, for rules at load time. context: ignored. */
struct identity_resolver peer_identity_resolver(void);

#endif
