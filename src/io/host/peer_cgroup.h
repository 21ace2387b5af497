#ifndef IO_HOST_PEER_CGROUP_H
#define IO_HOST_PEER_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PEER_CGROUP_TEXT_MAX = 16 * 1024 };

/*
 * Finds the cgroup of a process without /proc, where another user's processes may be hidden (hidepid, ProtectProc=):
 * each cgroup lists its processes for all to read. root: where the hierarchy is mounted. Writes what /proc/PID/cgroup
 * would say. False: in none of them, or not found within bounds.
 */
bool peer_cgroup_find(const char *root, pid_t pid, char text[PEER_CGROUP_TEXT_MAX]);
/* Whether the process is still in the cgroup that was found. text: what peer_cgroup_find() wrote. */
bool peer_cgroup_has(const char *root, const char *text, pid_t pid);

#endif
