#ifndef IO_HOST_PEER_OWNER_H
#define IO_HOST_PEER_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * Whose process is at the other end of a TCP connection over loopback. TCP has no SO_PEERCRED, but the other end is a
 * socket of this host too, and the kernel reports its owner (NETLINK_SOCK_DIAG, sock_diag(7)). One lookup is one
 * question and its answer, some microseconds, and never blocks.
 */
struct peer_owner;

/*
 * Opens the netlink socket and looks up an address, so that the kernel loads its module now. ERR_UNSUPPORTED: this
 * kernel, or the sandbox around us, has no sock_diag; ERR_NO_MEMORY.
 */
enum status peer_owner_create(struct peer_owner **ret_owner, struct error *ret_error);
void peer_owner_destroy(struct peer_owner *owner);
AUTO_DEFINE(peer_owner);

/*
 * The user of the socket that fd, a TCP socket, is connected to. False when it is not known: the other end is in
 * another network namespace or on another host, has been closed already, or there is no memory.
 */
bool peer_owner_find(struct peer_owner *owner, int fd, uid_t *ret_uid);

#endif
