/*
 * The floor of the benchmark: the least that a server on a Unix socket can do. No parser, no routes, no limits, no
 * peers: whatever ends in an empty line is a request, and every request gets the same bytes.
 *
 * usage: bare_epoll SOCKET BODY_BYTES
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS_MAX = 512, REQUEST_MAX = 8192, REPLY_MAX = 64 * 1024, BACKLOG = 1024 };

static char reply[REPLY_MAX];
static size_t reply_length;

static int fail(const char *what)
{
    fprintf(stderr, "bare_epoll: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

static void make_reply(size_t body_length)
{
    int head = snprintf(reply, sizeof reply,
                        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                        "Content-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: %zu\r\n\r\n",
                        body_length);
    memset(reply + head, 'x', body_length);
    reply_length = (size_t)head + body_length;
}

static int open_listener(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    return fd;
}

static void accept_all(int epoll_fd, int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

/* A request arrives in one piece from the load generator, and a reply fits the socket's buffer. */
static void answer(int fd)
{
    char request[REQUEST_MAX];
    ssize_t length = recv(fd, request, sizeof request, 0);
    bool is_whole = length >= 4 && memcmp(request + length - 4, "\r\n\r\n", 4) == 0;
    if (!is_whole || send(fd, reply, reply_length, MSG_NOSIGNAL) != (ssize_t)reply_length ||
        memmem(request, (size_t)length, "Connection: close", strlen("Connection: close")))
        close(fd);
}

int main(int argc, char **argv)
{
    long body_length = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (body_length < 1 || body_length > REPLY_MAX / 2) {
        fputs("usage: bare_epoll SOCKET BODY_BYTES\n", stderr);
        return 2;
    }
    make_reply((size_t)body_length);
    int listener = open_listener(argv[1]);
    int epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (listener < 0 || epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        return fail(argv[1]);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll_fd, listener);
            else
                answer(events[i].data.fd);
        }
    }
}
