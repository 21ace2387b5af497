#ifndef TEST_SCRIPTED_SERVER_H
#define TEST_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A TCP server on 127.0.0.1 with a thread per connection, each of which follows the script and then closes. */
enum { SERVER_CONNECTIONS_MAX = 256, SERVER_REQUEST_MAX = 64 * 1024 };

struct scripted_server;
typedef void server_script(struct scripted_server *server, int fd);

struct scripted_server {
    int fd;
    int port;
    server_script *script;
    const char *reply; /* for server_send_reply() */
    pthread_t acceptor;
    pthread_t connections[SERVER_CONNECTIONS_MAX];
    size_t connection_count;
    atomic_int open;
    atomic_int most_open;
    pthread_mutex_t lock;
    char requests[SERVER_REQUEST_MAX]; /* every complete request, one after the other */
};

struct server_connection {
    struct scripted_server *server;
    int fd;
};

static inline void *server_serve(void *context)
{
    struct server_connection connection = *(struct server_connection *)context;
    free(context);
    int open = atomic_fetch_add(&connection.server->open, 1) + 1;
    int most = atomic_load(&connection.server->most_open);
    while (open > most && !atomic_compare_exchange_weak(&connection.server->most_open, &most, open))
        continue;
    connection.server->script(connection.server, connection.fd);
    atomic_fetch_sub(&connection.server->open, 1);
    close(connection.fd);
    return NULL;
}

static inline void *server_accept(void *context)
{
    struct scripted_server *server = context;
    int fd;
    while (server->connection_count < SERVER_CONNECTIONS_MAX && (fd = accept(server->fd, NULL, NULL)) >= 0) {
        struct server_connection *connection = malloc(sizeof *connection);
        *connection = (struct server_connection){server, fd};
        pthread_create(&server->connections[server->connection_count++], NULL, server_serve, connection);
    }
    return NULL;
}

static inline void server_start(struct scripted_server *server, server_script *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    *server = (struct scripted_server){.script = script, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    pthread_mutex_init(&server->lock, NULL);
    cr_assert_eq(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server->fd, 128), 0);
    cr_assert_eq(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    cr_assert_eq(pthread_create(&server->acceptor, NULL, server_accept, server), 0);
}

/* The clients must be gone. */
static inline void server_finish(struct scripted_server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    for (size_t i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i], NULL);
    close(server->fd);
    pthread_mutex_destroy(&server->lock);
}

#define SCRIPTED_SERVER(name, script)                                                                                  \
    __attribute__((cleanup(server_finish))) struct scripted_server name;                                               \
    server_start(&name, script)

/* ---- steps of scripts ---- */

static inline bool server_send(int fd, const void *bytes, size_t length)
{
    for (const char *at = bytes; length > 0;) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

static inline bool server_send_text(int fd, const char *text)
{
    return server_send(fd, text, strlen(text));
}

/* Reads one request with its body and notes it. */
static inline bool server_read_request(struct scripted_server *server, int fd)
{
    char text[16 * 1024];
    size_t length = 0;
    for (;;) {
        ssize_t got = recv(fd, text + length, sizeof text - 1 - length, 0);
        if (got <= 0)
            return false;
        length += (size_t)got;
        text[length] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *size = strcasestr(text, "\r\nContent-Length:");
        if (end && (size_t)(end + 4 - text) + (size > end || !size ? 0 : strtoul(size + 17, NULL, 10)) <= length)
            break;
    }
    pthread_mutex_lock(&server->lock);
    strncat(server->requests, text, sizeof server->requests - 1 - strlen(server->requests));
    pthread_mutex_unlock(&server->lock);
    return true;
}

/* Until the client closes. */
static inline void server_wait_for_close(int fd)
{
    char ignored[4096];
    while (recv(fd, ignored, sizeof ignored, 0) > 0)
        continue;
}

static inline void server_send_reply(struct scripted_server *server, int fd)
{
    if (server_read_request(server, fd))
        server_send_text(fd, server->reply);
}

static inline void server_never_answer(struct scripted_server *server, int fd)
{
    server_read_request(server, fd);
    server_wait_for_close(fd);
}

#endif
