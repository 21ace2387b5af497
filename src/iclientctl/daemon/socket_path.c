#include "iclientctl/daemon/socket_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const struct {
    enum option option;
    const char *variable;
    const char *path; /* below /run and $XDG_RUNTIME_DIR */
} sockets[] = {
    [SOCKET_TOKEN] = {OPTION_TOKEN_SOCKET, "ICLIENTD_TOKEN_SOCKET", "iclientd/token.sock"},
    [SOCKET_ADMIN] = {OPTION_ADMIN_SOCKET, "ICLIENTD_ADMIN_SOCKET", "iclientd/admin/admin.sock"},
};

static char *join(const char *folder, const char *path)
{
    char *joined;
    return asprintf(&joined, "%s/%s", folder, path) < 0 ? NULL : joined;
}

/* The admin socket's folder may be closed to the caller: then it is there, and connecting says who may. */
static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || errno == EACCES;
}

/* Where the daemon of this user would listen: as it looks for it itself. NULL: nowhere; caller frees. */
static char *runtime_folder(void)
{
    const char *given = getenv("XDG_RUNTIME_DIR");
    if (given && given[0] == '/')
        return strdup(given);
    char *standard;
    if (asprintf(&standard, "/run/user/%lu", (unsigned long)geteuid()) < 0)
        return NULL;
    if (exists(standard))
        return standard;
    free(standard);
    return NULL;
}

char *socket_path(const struct arguments *arguments, enum api_socket which)
{
    const char *given = arguments->options[sockets[which].option];
    if (!given)
        given = getenv(sockets[which].variable);
    if (given && *given)
        return strdup(given);

    char *system_path = join("/run", sockets[which].path);
    if (!system_path || geteuid() == 0 || exists(system_path))
        return system_path;
    AUTO_TEXT runtime = runtime_folder();
    if (!runtime)
        return system_path;
    free(system_path);
    return join(runtime, sockets[which].path);
}
