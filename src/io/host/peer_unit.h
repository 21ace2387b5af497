#ifndef SRC_IO_PEER_UNIT_H
#define SRC_IO_PEER_UNIT_H

/*
 * The systemd unit of a process, from the text of its /proc/PID/cgroup: the first part of the path that is no slice,
 * as systemd itself reads it (cg_path_get_unit), so that what a user makes below user@1000.service is never
 * taken for a unit of the system. Caller frees; NULL when there is none.
 */
char *peer_unit_from_cgroup(const char *text);

#endif
