/*
 * A load generator for servers on Unix sockets: a fixed number of clients, each with one request on its way. It speaks
 * HTTP/1.1, with a connection kept or one for each request, and Redis' GET, so that one tool measures all servers.
 * Latency counts from before the connect or send until the whole reply has come. Prints one JSON object.
 *
 * usage: load --socket PATH --target PATTERN [--names N] [--clients N] [--requests N] [--close] [--redis]
 *
 * PATTERN is the HTTP target or the Redis key; its "%" becomes a number below N, drawn anew for each request.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 1024, REPLY_MAX = 64 * 1024, CLIENTS_MAX = 20000, EVENTS_MAX = 512 };
/* Buckets of latency: SUB_BUCKETS for each power of two, so 1.6 % wide. */
enum { SUB_BITS = 6, SUB_BUCKETS = 1 << SUB_BITS, POWERS = 40 };

struct options {
    const char *socket_path;
    const char *target;
    uint64_t names;
    uint64_t clients;
    uint64_t requests;
    bool closes;
    bool is_redis;
};

struct client {
    int fd;
    uint64_t begun; /* ns */
    size_t received;
    size_t expected; /* of the whole reply; 0: not known yet */
    char reply[REPLY_MAX];
};

struct load {
    struct options options;
    struct sockaddr_un address;
    int epoll_fd;
    uint64_t random;
    uint64_t begun_count;
    uint64_t ended_count;
    uint64_t error_count;
    size_t body_length; /* of the last reply */
    uint64_t histogram[POWERS * SUB_BUCKETS];
};

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- latencies ---- */

static size_t bucket_of(uint64_t ns)
{
    if (ns < SUB_BUCKETS)
        return (size_t)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns) - SUB_BITS;
    size_t bucket = (size_t)(power + 1) * SUB_BUCKETS + (size_t)((ns >> power) - SUB_BUCKETS);
    return bucket < POWERS * SUB_BUCKETS ? bucket : POWERS * SUB_BUCKETS - 1;
}

static uint64_t bucket_ns(size_t bucket)
{
    if (bucket < SUB_BUCKETS)
        return bucket;
    unsigned power = (unsigned)(bucket / SUB_BUCKETS) - 1;
    return (SUB_BUCKETS + bucket % SUB_BUCKETS) << power;
}

static double percentile_us(const struct load *load, double share)
{
    uint64_t wanted = (uint64_t)((double)load->ended_count * share);
    uint64_t seen = 0;
    for (size_t i = 0; i < POWERS * SUB_BUCKETS; i++) {
        seen += load->histogram[i];
        if (seen > wanted)
            return (double)bucket_ns(i) / 1000;
    }
    return 0;
}

/* ---- one request ---- */

/* xorshift64: the same sequence in each run. */
static uint64_t next_random(struct load *load)
{
    load->random ^= load->random << 13;
    load->random ^= load->random >> 7;
    load->random ^= load->random << 17;
    return load->random;
}

static size_t write_request(struct load *load, char request[REQUEST_MAX])
{
    const struct options *options = &load->options;
    char target[REQUEST_MAX / 2];
    const char *mark = strchr(options->target, '%');
    if (mark)
        snprintf(target, sizeof target, "%.*s%06" PRIu64 "%s", (int)(mark - options->target), options->target,
                 next_random(load) % options->names, mark + 1);
    else
        snprintf(target, sizeof target, "%s", options->target);
    int length = options->is_redis
                     ? snprintf(request, REQUEST_MAX, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n", strlen(target), target)
                     : snprintf(request, REQUEST_MAX, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target,
                                options->closes ? "Connection: close\r\n" : "");
    return (size_t)length;
}

static void open_connection(struct load *load, struct client *client)
{
    client->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&load->address, sizeof load->address) < 0)
        die(load->options.socket_path);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
        die("epoll_ctl");
}

static void begin_request(struct load *load, struct client *client)
{
    if (load->begun_count == load->options.requests)
        return;
    load->begun_count++;
    client->received = client->expected = 0;
    char request[REQUEST_MAX];
    size_t length = write_request(load, request);
    client->begun = now_ns();
    if (client->fd < 0)
        open_connection(load, client);
    if (send(client->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        die("send");
}

/* The length of the whole reply once its head is there, else 0. */
static size_t expected_length(struct load *load, const struct client *client)
{
    const char *end = memmem(client->reply, client->received, "\r\n\r\n", 4);
    if (load->options.is_redis) {
        end = memmem(client->reply, client->received, "\r\n", 2);
        if (!end)
            return 0;
        long length = client->reply[0] == '$' ? strtol(client->reply + 1, NULL, 10) : -1;
        if (length < 0)
            die("the reply is no string");
        load->body_length = (size_t)length;
        return (size_t)(end + 2 - client->reply) + load->body_length + 2;
    }
    if (!end)
        return 0;
    static const char name[] = "\r\nContent-Length: ";
    const char *header = memmem(client->reply, (size_t)(end - client->reply), name, sizeof name - 1);
    if (strncmp(client->reply, "HTTP/1.1 200 ", 13) != 0 || !header)
        load->error_count++;
    load->body_length = header ? strtoul(header + sizeof name - 1, NULL, 10) : 0;
    return (size_t)(end + 4 - client->reply) + load->body_length;
}

static void end_request(struct load *load, struct client *client)
{
    load->histogram[bucket_of(now_ns() - client->begun)]++;
    load->ended_count++;
    if (load->options.closes) {
        close(client->fd);
        client->fd = -1;
    }
    begin_request(load, client);
}

static void receive(struct load *load, struct client *client)
{
    ssize_t length = recv(client->fd, client->reply + client->received, sizeof client->reply - client->received - 1, 0);
    if (length <= 0)
        die("the server closed the connection within a reply");
    client->received += (size_t)length;
    client->reply[client->received] = '\0';
    if (client->expected == 0)
        client->expected = expected_length(load, client);
    if (client->expected > sizeof client->reply - 1)
        die("the reply is too large");
    if (client->expected > 0 && client->received >= client->expected)
        end_request(load, client);
}

/* ---- the run ---- */

static void run(struct load *load, struct client *clients)
{
    for (uint64_t i = 0; i < load->options.clients; i++) {
        clients[i].fd = -1;
        begin_request(load, &clients[i]);
    }
    while (load->ended_count < load->options.requests) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(load->epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++)
            receive(load, events[i].data.ptr);
    }
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"socket", required_argument, NULL, 's'},   {"target", required_argument, NULL, 't'},
        {"names", required_argument, NULL, 'n'},    {"clients", required_argument, NULL, 'c'},
        {"requests", required_argument, NULL, 'r'}, {"close", no_argument, NULL, 'x'},
        {"redis", no_argument, NULL, 'R'},          {0},
    };
    struct options options = {.names = 1, .clients = 1, .requests = 1000};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 's':
            options.socket_path = optarg;
            break;
        case 't':
            options.target = optarg;
            break;
        case 'n':
            options.names = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            options.clients = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            options.requests = strtoull(optarg, NULL, 10);
            break;
        case 'x':
            options.closes = true;
            break;
        case 'R':
            options.is_redis = true;
            break;
        default:
            exit(2);
        }
    }
    bool is_whole = options.socket_path && options.target && options.names > 0 && options.clients > 0 &&
                    options.clients <= CLIENTS_MAX && options.requests >= options.clients;
    if (!is_whole || strlen(options.target) > REQUEST_MAX / 4) {
        fputs("load: an option is missing or out of range\n", stderr);
        exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    static struct load load = {.random = 88172645463325252, .address.sun_family = AF_UNIX};
    load.options = read_options(argc, argv);
    snprintf(load.address.sun_path, sizeof load.address.sun_path, "%s", load.options.socket_path);
    load.epoll_fd = epoll_create1(0);
    struct client *clients = calloc(load.options.clients, sizeof *clients);
    if (load.epoll_fd < 0 || !clients)
        die("start");
    uint64_t begun = now_ns();
    run(&load, clients);
    double seconds = (double)(now_ns() - begun) / 1e9;
    printf("{\"requests\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"seconds\": %.6f, \"body_bytes\": %zu, "
           "\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f}\n",
           load.ended_count, load.error_count, seconds, load.body_length, percentile_us(&load, 0.5),
           percentile_us(&load, 0.99), percentile_us(&load, 0.999));
    free(clients);
    return load.error_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
