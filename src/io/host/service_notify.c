#include "io/host/service_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LISTEN_FDS_FIRST = 3, LISTEN_FDS_COUNT_MAX = 64 };

void service_notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') /* an abstract address */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    close(fd);
}

void service_notify_ready(void)
{
    service_notify_send("READY=1");
}

void service_notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char state[96];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    service_notify_send(state);
}

void service_notify_stopping(void)
{
    service_notify_send("STOPPING=1");
}

/* A whole decimal number; false for anything else. */
static bool read_number(const char *name, int64_t *ret_number)
{
    const char *text = getenv(name);
    if (!text || *text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || *end != '\0')
        return false;
    *ret_number = number;
    return true;
}

int64_t service_notify_watchdog_interval_ms(void)
{
    int64_t pid;
    if (getenv("WATCHDOG_PID") && (!read_number("WATCHDOG_PID", &pid) || pid != getpid()))
        return 0;
    int64_t usec;
    if (!read_number("WATCHDOG_USEC", &usec) || usec == 0)
        return 0;
    return usec / 2000 > 0 ? usec / 2000 : 1;
}

/* The place of name in "a:b:c", or -1. */
static int find_name(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (int index = 0;; index++) {
        size_t length = strcspn(names, ":");
        if (length == size && memcmp(names, name, size) == 0)
            return index;
        if (names[length] == '\0')
            return -1;
        names += length + 1;
    }
    return -1;
}

static bool has_option(int fd, int option, int wanted)
{
    int value;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

/* How many sockets this process was passed, and their names; 0: none. */
static int64_t find_passed(const char **ret_names)
{
    int64_t pid;
    int64_t count;
    if (!read_number("LISTEN_PID", &pid) || pid != getpid() || !read_number("LISTEN_FDS", &count))
        return 0;
    *ret_names = getenv("LISTEN_FDNAMES");
    return count;
}

enum status service_notify_check_sockets(const char *const *names, size_t count, struct error *ret_error)
{
    const char *passed = NULL;
    int64_t left = find_passed(&passed);
    unsigned seen = 0;
    for (const char *at = passed ? passed : ""; left > 0; left--) {
        size_t length = strcspn(at, ":");
        size_t i = 0;
        while (i < count && (strlen(names[i]) != length || strncmp(names[i], at, length) != 0))
            i++;
        if (i == count)
            return error_set(ret_error, ERR_INVALID,
                             "systemd passed a socket named \"%.*s\", which is none of this daemon's: set "
                             "FileDescriptorName= in its unit",
                             (int)length, at);
        if (seen & 1U << i)
            return error_set(ret_error, ERR_INVALID, "systemd passed two sockets named \"%s\"", names[i]);
        seen |= 1U << i;
        at += length + (at[length] == ':');
    }
    return OK;
}

enum status service_notify_take_socket(const char *name, int *ret_fd, struct error *ret_error)
{
    const char *names = NULL;
    int64_t count = find_passed(&names);
    int index = names ? find_name(names, name) : -1;
    if (index < 0 || index >= count || index >= LISTEN_FDS_COUNT_MAX) {
        *ret_fd = -1;
        return OK;
    }
    int fd = LISTEN_FDS_FIRST + index;
    if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1))
        return error_set(ret_error, ERR_INVALID, "the descriptor \"%s\" from systemd is no listening stream socket",
                         name);
    int flags = fcntl(fd, F_GETFL);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return error_set(ret_error, ERR_IO, "the descriptor \"%s\" from systemd: %s", name, strerror(errno));
    *ret_fd = fd;
    return OK;
}
