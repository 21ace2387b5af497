#ifndef IO_HOST_PEER_IDENTITY_H
#define IO_HOST_PEER_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/rule/access_rule.h"

/* Who is at the other end of a Unix socket, by the kernel: read once per accepted connection. */
struct peer_identity {
    struct peer peer; /* peer.groups and peer.unit point into this struct's own memory */
    gid_t *groups;
    int64_t read_at; /* clock_boot_ms() */
    /* As peer_identity_find_unit() saw it last. */
    char *unit;
    char *hidden_cgroup; /* where the process was found without /proc: looked at first the next time */
    bool was_searched;   /* in all cgroups, which takes milliseconds */
};

/* SO_PEERCRED, SO_PEERGROUPS (any number of groups). To be called at accept. ERR_IO, ERR_NO_MEMORY. */
enum status peer_identity_read(int fd, struct peer_identity *ret_identity, struct error *ret_error);
void peer_identity_finish(struct peer_identity *identity);

/*
 * Sets peer.unit to the unit that the process that connected fd is in at this moment, by /proc/PID/cgroup (unified or
 * the systemd hierarchy). NULL when there is none, it cannot be told, or that process has ended (see below). Some
 * microseconds each time.
 */
void peer_identity_find_unit(struct peer_identity *identity, int fd);

/*
 * Whether the process that connected fd still runs, so that what was read by its number is its own. By the pidfd that
 * the socket holds on to (SO_PEERPIDFD, Linux 6.5). An older kernel knows the number alone: there the process with it
 * must have started before the socket was accepted, and be the user's that connected; false where /proc hides it.
 */
bool peer_identity_is_there(const struct peer_identity *identity, int fd);

#endif
