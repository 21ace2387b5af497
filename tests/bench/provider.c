/*
 * A token endpoint that is never the bottleneck: every POST gets a new token pair, DELAY_MS later. On loopback TCP.
 *
 * usage: provider PORT ACCESS_BYTES REFRESH_BYTES EXPIRES_IN DELAY_MS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, REQUEST_MAX = 16 * 1024, REPLY_MAX = 64 * 1024, BACKLOG = 4096, WAITING_MAX = 65536 };

struct exchange {
    int fd;
    size_t length;
    int64_t due; /* ms; of the reply */
    char request[REQUEST_MAX];
};

static struct {
    int epoll_fd;
    int listener;
    int access_length;
    int refresh_length;
    long expires_in;
    int64_t delay_ms;
    uint64_t served;
    struct exchange *waiting[WAITING_MAX]; /* a ring; due in this order, because the delay is the same for all */
    size_t first;
    size_t waiting_count;
} provider;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void forget(struct exchange *exchange)
{
    close(exchange->fd);
    free(exchange);
}

static bool is_whole(const struct exchange *exchange)
{
    const char *end = memmem(exchange->request, exchange->length, "\r\n\r\n", 4);
    if (!end)
        return false;
    static const char name[] = "Content-Length: ";
    const char *header = memmem(exchange->request, exchange->length, name, sizeof name - 1);
    size_t body = header && header < end ? strtoul(header + sizeof name - 1, NULL, 10) : 0;
    return exchange->length >= (size_t)(end + 4 - exchange->request) + body;
}

static void answer(struct exchange *exchange)
{
    static char reply[REPLY_MAX];
    char body[REPLY_MAX / 2];
    provider.served++;
    int length = snprintf(body, sizeof body,
                          "{\"access_token\":\"%0*" PRIu64 "\",\"token_type\":\"Bearer\",\"expires_in\":%ld,"
                          "\"refresh_token\":\"%0*" PRIu64 "\"}",
                          provider.access_length, provider.served, provider.expires_in, provider.refresh_length,
                          provider.served);
    length = snprintf(reply, sizeof reply,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                      "Connection: close\r\n\r\n%s",
                      length, body);
    send(exchange->fd, reply, (size_t)length, MSG_NOSIGNAL);
    forget(exchange);
}

static void receive(struct exchange *exchange)
{
    ssize_t length =
        recv(exchange->fd, exchange->request + exchange->length, sizeof exchange->request - exchange->length - 1, 0);
    if (length <= 0) {
        forget(exchange);
        return;
    }
    exchange->length += (size_t)length;
    exchange->request[exchange->length] = '\0';
    if (!is_whole(exchange))
        return;
    epoll_ctl(provider.epoll_fd, EPOLL_CTL_DEL, exchange->fd, NULL);
    if (provider.delay_ms == 0 || provider.waiting_count == WAITING_MAX) {
        answer(exchange);
        return;
    }
    exchange->due = now_ms() + provider.delay_ms;
    provider.waiting[(provider.first + provider.waiting_count++) % WAITING_MAX] = exchange;
}

static void accept_all(void)
{
    int fd;
    while ((fd = accept4(provider.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct exchange *exchange = malloc(sizeof *exchange);
        if (!exchange) {
            close(fd);
            return;
        }
        exchange->fd = fd;
        exchange->length = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = exchange};
        epoll_ctl(provider.epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

/* Answers what is due; ms until the next one, -1 when none waits. */
static int answer_due(void)
{
    while (provider.waiting_count > 0) {
        struct exchange *exchange = provider.waiting[provider.first];
        int64_t left = exchange->due - now_ms();
        if (left > 0)
            return (int)left;
        provider.first = (provider.first + 1) % WAITING_MAX;
        provider.waiting_count--;
        answer(exchange);
    }
    return -1;
}

static int open_listener(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: provider PORT ACCESS_BYTES REFRESH_BYTES EXPIRES_IN DELAY_MS\n", stderr);
        return 2;
    }
    provider.access_length = (int)strtol(argv[2], NULL, 10);
    provider.refresh_length = (int)strtol(argv[3], NULL, 10);
    provider.expires_in = strtol(argv[4], NULL, 10);
    provider.delay_ms = strtol(argv[5], NULL, 10);
    provider.listener = open_listener((uint16_t)strtoul(argv[1], NULL, 10));
    provider.epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (provider.listener < 0 || epoll_ctl(provider.epoll_fd, EPOLL_CTL_ADD, provider.listener, &event) < 0) {
        fprintf(stderr, "provider: port %s: %s\n", argv[1], strerror(errno));
        return EXIT_FAILURE;
    }
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(provider.epoll_fd, events, EVENTS_MAX, answer_due());
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                receive(events[i].data.ptr);
            else
                accept_all();
        }
    }
}
