#include "io/host/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/host/identity_lookup.h"

static int open_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static enum status find_group(const char *name, gid_t *ret_gid, struct error *ret_error)
{
    struct identity_resolver resolver = identity_lookup_resolver();
    const struct identity_name group = {.name = name, .is_group = true};
    enum status status = resolver.find(resolver.context, &group, ret_gid);
    if (status == ERR_TIMEOUT)
        return error_set(ret_error, status, "group \"%s\": the host's user database does not answer", name);
    return status == OK ? OK : error_set(ret_error, ERR_NOT_FOUND, "group \"%s\" does not exist", name);
}

/* Makes way for a new socket at the address: removes one that nobody answers on, and nothing else. */
static enum status remove_stale(const struct sockaddr_un *address, struct error *ret_error)
{
    const char *path = address->sun_path;
    struct stat found;
    if (lstat(path, &found) < 0)
        return errno == ENOENT ? OK : error_set(ret_error, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(found.st_mode))
        return error_set(ret_error, ERR_CONFLICT, "%s is there already and is no socket", path);

    int fd = open_socket(AF_UNIX);
    if (fd < 0)
        return error_set(ret_error, ERR_IO, "socket: %s", strerror(errno));
    int reason = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? errno : 0;
    close(fd);
    switch (reason) {
    case ECONNREFUSED:
        break;
    case ENOENT:
        return OK;
    case 0:
    case EAGAIN: /* a full backlog: somebody listens */
    case EPROTOTYPE:
        return error_set(ret_error, ERR_CONFLICT, "another iclientd answers at %s", path);
    default:
        return error_set(ret_error, ERR_IO, "%s: %s", path, strerror(reason));
    }
    if (unlink(path) < 0 && errno != ENOENT)
        return error_set(ret_error, ERR_IO, "%s: cannot replace the stale socket: %s", path, strerror(errno));
    return OK;
}

static enum status bind_path(int fd, const struct sockaddr_un *address, unsigned mode, const gid_t *group,
                             struct error *ret_error)
{
    const char *path = address->sun_path;
    /* Linux gives the new file the descriptor's mode: no permission at all until the group stands, whatever the umask.
     */
    if (fchmod(fd, 0) < 0)
        return error_set(ret_error, ERR_IO, "%s: %s", path, strerror(errno));
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return error_set(ret_error, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "%s: %s", path, strerror(errno));

    const char *failed = NULL;
    if (group && lchown(path, (uid_t)-1, *group) < 0)
        failed = "cannot give the socket to its group";
    else if (chmod(path, (mode_t)(mode & 0777)) < 0)
        failed = "cannot set the socket's mode";
    else if (listen(fd, SOMAXCONN) < 0)
        failed = "listen";
    if (!failed)
        return OK;
    int reason = errno;
    unlink(path);
    return error_set(ret_error, ERR_IO, "%s: %s: %s", path, failed, strerror(reason));
}

enum status listener_bind_unix(const char *path, unsigned mode, const char *group, int *ret_fd, struct error *ret_error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return error_set(ret_error, ERR_INVALID, "a socket's path has 1 to %zu bytes: %s", sizeof address.sun_path - 1,
                         path);
    memcpy(address.sun_path, path, length);

    gid_t gid = 0;
    enum status status = group ? find_group(group, &gid, ret_error) : OK;
    if (status != OK)
        return status;
    status = remove_stale(&address, ret_error);
    if (status != OK)
        return status;
    int fd = open_socket(AF_UNIX);
    if (fd < 0)
        return error_set(ret_error, ERR_IO, "socket: %s", strerror(errno));
    status = bind_path(fd, &address, mode, group ? &gid : NULL, ret_error);
    if (status != OK) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return OK;
}

struct tcp_address {
    int family;
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
};

static bool parse_port(const char *text, in_port_t *ret_port)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    if (port > UINT16_MAX)
        return false;
    *ret_port = htons((uint16_t)port);
    return true;
}

/* Splits "HOST:PORT" and "[HOST]:PORT"; no name is looked up but localhost, which is a constant (RFC 6761 §6.3). */
static bool parse_address(const char *text, struct tcp_address *ret_address)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool bracketed = text[0] == '[';
    const char *begin = bracketed ? text + 1 : text;
    const char *end = strchr(begin, bracketed ? ']' : ':');
    if (!end || (size_t)(end - begin) >= sizeof host)
        return false;
    memcpy(host, begin, (size_t)(end - begin));
    const char *colon = bracketed ? end + 1 : end;
    in_port_t port;
    if (*colon != ':' || !parse_port(colon + 1, &port))
        return false;

    struct tcp_address address = {0};
    if (bracketed) {
        address.family = AF_INET6;
        address.size = sizeof address.socket.v6;
        address.socket.v6.sin6_family = AF_INET6;
        address.socket.v6.sin6_port = port;
        if (inet_pton(AF_INET6, host, &address.socket.v6.sin6_addr) != 1)
            return false;
    } else {
        address.family = AF_INET;
        address.size = sizeof address.socket.v4;
        address.socket.v4.sin_family = AF_INET;
        address.socket.v4.sin_port = port;
        const char *number = strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : host;
        if (inet_pton(AF_INET, number, &address.socket.v4.sin_addr) != 1)
            return false;
    }
    *ret_address = address;
    return true;
}

static bool is_loopback(const struct tcp_address *address)
{
    if (address->family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->socket.v6.sin6_addr);
    return ntohl(address->socket.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

enum status listener_bind_tcp(const char *address, int *ret_fd, struct error *ret_error)
{
    struct tcp_address parsed;
    if (!parse_address(address, &parsed))
        return error_set(ret_error, ERR_INVALID, "\"%s\" is no ADDRESS:PORT", address);
    if (!is_loopback(&parsed))
        return error_set(ret_error, ERR_DENIED, "%s is not a loopback address", address);

    int fd = open_socket(parsed.family);
    if (fd < 0)
        return error_set(ret_error, ERR_IO, "socket: %s", strerror(errno));
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 || bind(fd, &parsed.socket.any, parsed.size) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        int reason = errno;
        close(fd);
        return error_set(ret_error, reason == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "%s: %s", address, strerror(reason));
    }
    *ret_fd = fd;
    return OK;
}
