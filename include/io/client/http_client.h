#ifndef IO_CLIENT_HTTP_CLIENT_H
#define IO_CLIENT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/http_request.h"
#include "io/loop/event_loop.h"
#include "model/rule/address_rule.h"

/* Requests that wait for a place, of both kinds and of the background kind alone; bytes of a reply's headers. */
enum { HTTP_QUEUE_MAX = 16 * 1024, HTTP_QUEUE_BACKGROUND_MAX = 8 * 1024, HTTP_REPLY_HEADERS_MAX = 64 * 1024 };
/* Bytes on the wire: so many for each that a body may have, for its chunks and TLS records, and so many beside it. */
enum { HTTP_REPLY_WIRE_FACTOR = 8, HTTP_REPLY_OVERHEAD_MAX = 512 * 1024 };

/*
 * HTTPS to providers: libcurl's multi interface on the loop. One request, one fresh connection (a reused one makes
 * libcurl re-send a POST on its own), no redirects, TLS 1.2 or newer, certificates and names always verified, addresses
 * judged at connect time, reply capped. Nothing blocks: names are resolved in libcurl's threads. Plain http goes to
 * loopback addresses alone, and never through a proxy; with a proxy it is the proxy that resolves https names, so that
 * their addresses cannot be judged here.
 */
struct http_client;
struct http_exchange;

struct http_client_options {
    const char *ca_file; /* NULL: the system's */
    const char *proxy;   /* NULL: none; the environment is not looked at */
    int64_t timeout_ms;  /* whole exchange, from http_client_send(): waiting for a place included */
    int64_t connect_timeout_ms;
    size_t max_concurrent;                /* exchanges at once; more wait, hosts taking turns, none taking all places */
    size_t max_reply;                     /* bytes of a reply's body kept; beyond it the exchange ends as too_large */
    bool allow_http;                      /* plain http may be sent at all (allowLoopbackHttp) */
    const struct address_rule *addresses; /* borrowed for the client's life */
    const char *user_agent;
};

enum status http_client_create(struct event_loop *loop, const struct http_client_options *options,
                               struct http_client **ret_client, struct error *ret_error);
/* Cancels every exchange without calling back. Not from a done callback. */
void http_client_destroy(struct http_client *client);
AUTO_DEFINE(http_client);

/* How an exchange ended. body and texts are borrowed for the callback and wiped after it. */
struct http_client_result {
    enum status status; /* OK: a complete reply came (any HTTP status) */
    struct error error; /* why not: ERR_TIMEOUT, ERR_IO (DNS, connect, TLS, cut off), ERR_DENIED (an address the rules
                           refuse), ERR_NO_MEMORY */
    bool may_have_been_sent; /* request bytes went out: it must not be blindly sent again */
    int http_status;
    const char *content_type; /* NULL when absent */
    const char *retry_after;  /* NULL when absent */
    const char *body;         /* "" at least; NUL-terminated */
    size_t length;
    bool too_large; /* body, headers or bytes in all went beyond their maximum: status is OK, body holds what came
                       before */
};
typedef void http_client_done(void *context, const struct http_client_result *result);

/*
 * Queues and sends. done runs once, from the loop and never inside this call, unless the exchange is cancelled.
 * Providers' hosts take turns, and for each host the users on whose account requests are sent (base/http_request.h).
 * background: goes behind every foreground request that waits. timeout_ms 0: the client's.
 * ERR_NO_MEMORY; ERR_BUSY beyond HTTP_QUEUE_MAX; ERR_INVALID for a URL or header that cannot be sent; ERR_DENIED for
 * plain http when it is not allowed. Then done does not run.
 */
enum status http_client_send(struct http_client *client, struct http_request *take_request, bool background,
                             int64_t timeout_ms, http_client_done *done, void *context,
                             struct http_exchange **ret_exchange, struct error *ret_error);
/* Ends it without a callback. Not after done ran. */
void http_exchange_cancel(struct http_exchange *exchange);

#endif
