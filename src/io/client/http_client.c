#include "io/client/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <linux/tcp.h> /* the C library's lacks tcpi_bytes_received */
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/client/http_client_memory.h"
#include "io/client/http_queue.h"
#include "io/client/http_transfer.h"
#include "io/loop/loop_bulk.h"
#include "io/loop/loop_slice.h"

/* Where an exchange stands; each state has a list. Waiting ones have no handle, ended ones wait for their callback. */
enum exchange_state { WAITING_FOREGROUND, WAITING_BACKGROUND, ACTIVE, ENDED, STATE_COUNT };

struct http_exchange {
    TAILQ_ENTRY(http_exchange) link;
    struct http_client *client;
    enum exchange_state state;
    struct http_queued queued; /* until it ended */
    struct http_transfer *transfer;
    curl_socket_t socket; /* that it was last seen to wait for */
    struct loop_timer *deadline;
    http_client_done *done;
    void *context;
    struct http_client_result result;
};

TAILQ_HEAD(exchange_list, http_exchange);

struct http_client {
    struct event_loop *loop;
    struct http_client_options options; /* with texts of our own */
    bool curl_started;
    CURLM *multi;
    struct loop_source sockets; /* an epoll of libcurl's */
    struct loop_timer *curl_timer;
    struct loop_timer
        *pump; /* callbacks and new handles: always from the loop, never inside a call or a libcurl callback */
    bool delivering;
    struct http_queue *queue;
    struct exchange_list lists[STATE_COUNT];
    size_t counts[STATE_COUNT];
};

/* ---- states ---- */

static void exchange_enter(struct http_exchange *exchange, enum exchange_state state)
{
    struct http_client *client = exchange->client;
    exchange->state = state;
    TAILQ_INSERT_TAIL(&client->lists[state], exchange, link);
    client->counts[state]++;
}

static void exchange_leave(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    if (exchange->state == ACTIVE)
        curl_multi_remove_handle(client->multi, http_transfer_handle(exchange->transfer));
    TAILQ_REMOVE(&client->lists[exchange->state], exchange, link);
    client->counts[exchange->state]--;
}

/* The one way from state to state. result is set before. */
static void exchange_change_state(struct http_exchange *exchange, enum exchange_state state)
{
    exchange_leave(exchange);
    exchange_enter(exchange, state);
    if (state == ENDED) {
        http_queue_leave(exchange->client->queue, &exchange->queued);
        loop_timer_stop(exchange->deadline);
        loop_timer_start(exchange->client->pump, 0);
    }
}

static void exchange_free(struct http_exchange *exchange)
{
    http_queue_leave(exchange->client->queue, &exchange->queued);
    loop_timer_destroy(exchange->deadline);
    http_transfer_destroy(exchange->transfer);
    free(exchange);
}

static void on_deadline(void *context)
{
    struct http_exchange *exchange = context;
    const char *message = exchange->state == ACTIVE ? "no complete reply in time"
                                                    : "not sent in time: too many other requests are under way";
    http_transfer_fail(exchange->transfer, ERR_TIMEOUT, message, &exchange->result);
    exchange_change_state(exchange, ENDED);
}

/* ---- libcurl's side ---- */

static void collect_ended(struct http_client *client)
{
    CURLMsg *message;
    int ignored;
    while ((message = curl_multi_info_read(client->multi, &ignored))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        /* The message is gone once its handle is removed. */
        CURLcode code = message->data.result;
        struct http_exchange *exchange = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        http_transfer_read_result(exchange->transfer, code, &exchange->result);
        exchange_change_state(exchange, ENDED);
    }
}

static void act(struct http_client *client, curl_socket_t fd, int events)
{
    int ignored;
    curl_multi_socket_action(client->multi, fd, events, &ignored);
    collect_ended(client);
}

static void on_curl_timer(void *context)
{
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

/*
 * What is neither header nor body passes libcurl's callbacks by, for as long as a provider likes: chunk extensions,
 * empty TLS records. The kernel counts all of it.
 */
static bool has_received_too_much(const struct http_client *client, curl_socket_t fd)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    const size_t needed = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && length >= needed &&
           info.tcpi_bytes_received > HTTP_REPLY_OVERHEAD_MAX + HTTP_REPLY_WIRE_FACTOR * client->options.max_reply;
}

static struct http_exchange *find_by_socket(const struct http_client *client, curl_socket_t fd)
{
    struct http_exchange *exchange;
    TAILQ_FOREACH (exchange, &client->lists[ACTIVE], link) {
        if (exchange->socket == fd)
            return exchange;
    }
    return NULL;
}

static void on_socket_ready(struct http_client *client, curl_socket_t fd, uint32_t events)
{
    struct http_exchange *exchange = has_received_too_much(client, fd) ? find_by_socket(client, fd) : NULL;
    if (exchange) {
        http_transfer_cut_off(exchange->transfer, &exchange->result);
        exchange_change_state(exchange, ENDED);
        return;
    }
    /* What is wrong with a socket shows when it is read or written. */
    if (events & (EPOLLERR | EPOLLHUP))
        events |= EPOLLIN | EPOLLOUT;
    act(client, fd, (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0));
}

/* One at a time: any of them may close any other. The kernel puts one that stays ready behind the others. */
static void on_sockets_ready(void *context)
{
    struct http_client *client = context;
    struct loop_slice slice = loop_slice_begin();
    struct epoll_event event;
    while (epoll_wait(client->sockets.fd, &event, 1, 0) > 0) {
        on_socket_ready(client, event.data.fd, event.events);
        if (loop_slice_is_over(&slice))
            break;
    }
}

/* libcurl must not be called from here. -1: no timer. */
static int on_set_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct http_client *client = context;
    if (timeout_ms < 0)
        loop_timer_stop(client->curl_timer);
    else
        loop_timer_start(client->curl_timer, timeout_ms);
    return 0;
}

/*
 * Whether the socket is watched already is not asked: libcurl may have closed it and got its number again. Where the
 * kernel has no memory for it the exchange runs into its deadline; an error from here would end every other exchange,
 * too, and for good.
 */
static int on_watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)unused;
    struct http_client *client = context;
    struct http_exchange *exchange = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    if (exchange && what != CURL_POLL_REMOVE)
        exchange->socket = fd;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (what == CURL_POLL_REMOVE || events == 0)
        epoll_ctl(client->sockets.fd, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(client->sockets.fd, EPOLL_CTL_MOD, fd, &event) < 0)
        epoll_ctl(client->sockets.fd, EPOLL_CTL_ADD, fd, &event);
    return 0;
}

/* ---- starting and ending ---- */

static void start(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    if (http_client_memory_prepare() && http_transfer_prepare(exchange->transfer, exchange) &&
        curl_multi_add_handle(client->multi, http_transfer_handle(exchange->transfer)) == CURLM_OK) {
        exchange_change_state(exchange, ACTIVE);
        return;
    }
    http_transfer_fail(exchange->transfer, ERR_NO_MEMORY, "the request could not be set up", &exchange->result);
    exchange_change_state(exchange, ENDED);
}

static void deliver(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    exchange_leave(exchange);
    client->delivering = true;
    exchange->done(exchange->context, &exchange->result);
    client->delivering = false;
    exchange_free(exchange);
}

/* What ended goes first: it makes place. False: there is nothing to do. */
static bool pump_one(struct http_client *client)
{
    struct http_exchange *ended = TAILQ_FIRST(&client->lists[ENDED]);
    struct http_queued *next = ended ? NULL : http_queue_give_place(client->queue);
    if (ended)
        deliver(ended);
    else if (next)
        start(next->owner);
    return ended || next;
}

static void on_pump(void *context)
{
    struct http_client *client = context;
    struct loop_slice slice = loop_slice_begin();
    while (pump_one(client)) {
        if (loop_slice_is_over(&slice)) {
            loop_timer_start(client->pump, 0);
            break;
        }
    }
}

static enum status check_room(const struct http_client *client, bool background, struct error *ret_error)
{
    /* Background requests cannot take the room of those that somebody waits for. */
    size_t waiting = client->counts[WAITING_BACKGROUND] + (background ? 0 : client->counts[WAITING_FOREGROUND]);
    size_t most = background ? HTTP_QUEUE_BACKGROUND_MAX : HTTP_QUEUE_MAX;
    if (waiting >= most)
        return error_set(ret_error, ERR_BUSY, "more than %zu requests to providers wait", most);
    return OK;
}

enum status http_client_send(struct http_client *client, struct http_request *take_request, bool background,
                             int64_t timeout_ms, http_client_done *done, void *context,
                             struct http_exchange **ret_exchange, struct error *ret_error)
{
    AUTO(http_transfer) transfer = NULL;
    uint32_t user = http_request_user(take_request);
    enum status status = http_transfer_create(&client->options, take_request, &transfer, ret_error);
    if (status == OK)
        status = check_room(client, background, ret_error);
    if (status != OK)
        return status;
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP request");
    exchange->client = client;
    exchange->socket = CURL_SOCKET_BAD;
    exchange->done = done;
    exchange->context = context;
    exchange->queued = (struct http_queued){.background = background, .user = user, .owner = exchange};
    exchange->deadline = loop_timer_create(client->loop, on_deadline, exchange);
    if (!exchange->deadline ||
        loop_timer_start(exchange->deadline, timeout_ms > 0 ? timeout_ms : client->options.timeout_ms) != OK ||
        loop_timer_start(client->pump, 0) != OK ||
        !http_queue_add(client->queue, &exchange->queued, http_transfer_target(transfer))) {
        exchange_free(exchange);
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP request");
    }
    exchange->transfer = TAKE(transfer);
    exchange_enter(exchange, background ? WAITING_BACKGROUND : WAITING_FOREGROUND);
    *ret_exchange = exchange;
    return OK;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    exchange_leave(exchange);
    exchange_free(exchange);
    /* Its place may be another's now. */
    loop_timer_start(client->pump, 0);
}

/* ---- the client ---- */

/* Said at start, not at the first refresh. */
static enum status check_ca_file(const char *path, struct error *ret_error)
{
    X509_STORE *certificates = X509_STORE_new();
    bool loaded = certificates && X509_STORE_load_file(certificates, path) == 1;
    X509_STORE_free(certificates);
    ERR_clear_error();
    if (!loaded)
        return error_set(ret_error, ERR_INVALID, "%s: no certificates can be read from it", path);
    return OK;
}

static bool copy_options(struct http_client_options *copy, const struct http_client_options *options)
{
    *copy = *options;
    copy->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
    copy->proxy = options->proxy ? strdup(options->proxy) : NULL;
    copy->user_agent = options->user_agent ? strdup(options->user_agent) : NULL;
    return (copy->ca_file || !options->ca_file) && (copy->proxy || !options->proxy) &&
           (copy->user_agent || !options->user_agent);
}

static void free_options(struct http_client_options *options)
{
    const char *texts[] = {options->ca_file, options->proxy, options->user_agent};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = (char *)(uintptr_t)texts[i];
        if (text)
            secret_wipe(text, strlen(text)); /* a proxy's may hold a password */
        free(text);
    }
}

static bool watch_sockets(struct http_client *client)
{
    client->sockets = (struct loop_source){epoll_create1(EPOLL_CLOEXEC), on_sockets_ready, client};
    return client->sockets.fd >= 0 && loop_bulk_add(event_loop_bulk(client->loop), &client->sockets, NULL) == OK;
}

static bool start_multi(struct http_client *client)
{
    client->curl_started = http_client_memory_init();
    client->multi = client->curl_started ? curl_multi_init() : NULL;
    client->curl_timer = loop_timer_create(client->loop, on_curl_timer, client);
    client->pump = loop_timer_create(client->loop, on_pump, client);
    return client->multi && client->curl_timer && client->pump &&
           curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_watch_socket) == CURLM_OK &&
           curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_set_timer) == CURLM_OK &&
           curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK;
}

enum status http_client_create(struct event_loop *loop, const struct http_client_options *options,
                               struct http_client **ret_client, struct error *ret_error)
{
    assert(options->addresses && options->max_concurrent > 0 && options->timeout_ms > 0);
    AUTO(http_client) client = calloc(1, sizeof *client);
    if (!client)
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP client");
    client->loop = loop;
    client->sockets.fd = -1;
    for (size_t i = 0; i < STATE_COUNT; i++)
        TAILQ_INIT(&client->lists[i]);
    client->queue = http_queue_create(options->max_concurrent);
    if (!client->queue || !copy_options(&client->options, options) || !watch_sockets(client) || !start_multi(client))
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP client");
    enum status status = options->ca_file ? check_ca_file(options->ca_file, ret_error) : OK;
    if (status != OK)
        return status;
    *ret_client = TAKE(client);
    return OK;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    assert(!client->delivering);
    for (size_t i = 0; i < STATE_COUNT; i++) {
        struct http_exchange *exchange;
        while ((exchange = TAILQ_FIRST(&client->lists[i]))) {
            exchange_leave(exchange);
            exchange_free(exchange);
        }
    }
    /* Its closing connections still call for timers and events. */
    curl_multi_cleanup(client->multi);
    if (client->sockets.fd >= 0) {
        loop_bulk_remove(event_loop_bulk(client->loop), &client->sockets);
        close(client->sockets.fd);
    }
    loop_timer_destroy(client->curl_timer);
    loop_timer_destroy(client->pump);
    free_options(&client->options);
    http_queue_destroy(client->queue);
    if (client->curl_started)
        curl_global_cleanup();
    http_client_memory_finish();
    free(client);
}
