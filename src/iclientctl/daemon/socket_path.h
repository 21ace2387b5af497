#ifndef ICLIENTCTL_DAEMON_SOCKET_PATH_H
#define ICLIENTCTL_DAEMON_SOCKET_PATH_H

#include "iclientctl/arguments.h"

enum api_socket { SOCKET_TOKEN, SOCKET_ADMIN };

/*
 * Where the daemon listens: the option, else the environment variable, else the system's path when it exists or the
 * caller is root, else the user's own daemon's under $XDG_RUNTIME_DIR. Caller frees; NULL when out of memory.
 */
char *socket_path(const struct arguments *arguments, enum api_socket which);

#endif
