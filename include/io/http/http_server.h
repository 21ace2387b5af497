#ifndef IO_HTTP_HTTP_SERVER_H
#define IO_HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/metrics.h"
#include "io/loop/event_loop.h"
#include "io/host/peer_owner.h"
#include "model/rule/access_rule.h"

/*
 * HTTP/1.1 (and 1.0) on raw libevent events and http-parser: one implementation for both Unix sockets and the
 * redirect endpoint. Keep-alive, pipelining (answers in order, one request at a time per connection), absolute
 * deadlines, and a named maximum for everything. A request that is answered at once costs one read and one write.
 * Users take turns: however many requests one sends over however many connections, another's waits for a turn's worth.
 *
 * Refused before the handler sees it, then closed: malformed input 400 (bad line, bare LF, obs-fold, control bytes in
 * the target, duplicate Content-Length, any Transfer-Encoding, missing Host under 1.1), late input 408, long target
 * 414, large headers 431, large body 413, unknown version 505, connections beyond a limit 429 and 503. Expect:
 * 100-continue is honoured.
 */
struct http_server;
struct http_call;

struct http_server_options {
    size_t max_connections;         /* beyond it new ones wait in the kernel's queue, see crowded_rest_ms */
    size_t max_connections_per_uid; /* over it: 429 and close */
    size_t spare_descriptors;       /* left to others, but half of the process's limit at most; then: 503 and close */
    size_t max_target;              /* bytes of the request target */
    size_t max_header_bytes;
    size_t max_header_count;
    size_t max_body;             /* most that any route takes; a handler may refuse less */
    size_t max_stream_backlog;   /* unread bytes of a stream before the reader is dropped */
    int64_t request_deadline_ms; /* from the first byte of a request to its last */
    int64_t idle_deadline_ms;    /* between requests */
    int64_t write_deadline_ms;   /* from the first unsent byte of a reply to its last */
    int64_t crowded_rest_ms; /* one between requests, or with half a one, for so long is closed when the server is full:
                                        of those of the user who has most connections the one that rests longest */
    bool is_local;           /* a Unix socket: read the peer's credentials */
    struct peer_owner *owners; /* finds the users of TCP connections; borrowed. NULL: all count as one user */
    bool users_give_way;       /* a user at the limit loses the connection that rests longest, and gets no 429 */
};
/*
 * The limits of docs/API.md: 1024 connections, 256 per uid, 8 KiB target, 32 KiB headers in 64 lines, 256 KiB body,
 * 64 KiB backlog, 10 s request, 60 s idle, 10 s write, 1 s rest.
 */
struct http_server_options http_server_default_options(void);

/* Called once per complete request. It replies at once, or keeps the call and replies later. */
typedef void http_server_handler(struct http_call *call, void *context);

/* Why the server refuses a request, or a connection before its first request. */
struct http_refusal {
    int status;
    const char *message; /* a sentence for a person */
    int retry_after;     /* seconds after which the same may succeed; 0: it never will */
};

/*
 * Called in the handler's place: the server decides that it refuses, its owner in which words. It replies by
 * http_call_reply() before it returns, and the connection ends after that. Of the request it may ask for the path: as
 * much of it as came, "/" when none did.
 */
typedef void http_server_refuse(struct http_call *call, const struct http_refusal *refusal, void *context);

struct http_server_callbacks {
    http_server_handler *handle;
    http_server_refuse *refuse;
    void *context; /* of both */
};

/* take_fd: a listening socket. metrics: borrowed. */
enum status http_server_create(struct event_loop *loop, int take_fd, const struct http_server_options *options,
                               struct metrics *metrics, const struct http_server_callbacks *callbacks,
                               struct http_server **ret_server, struct error *ret_error);
/* Closes every connection at once; kept calls get their gone callback. */
void http_server_destroy(struct http_server *server);
AUTO_DEFINE(http_server);
/* Stops accepting and closes idle connections; the others end after their current reply. */
void http_server_drain(struct http_server *server);
size_t http_server_connection_count(const struct http_server *server);

/* ---- the request; all borrowed until the reply ---- */

struct http_text {
    const char *data; /* not NUL-terminated */
    size_t length;
};

enum http_verb {
    HTTP_VERB_GET,
    HTTP_VERB_HEAD,
    HTTP_VERB_POST,
    HTTP_VERB_PUT,
    HTTP_VERB_PATCH,
    HTTP_VERB_DELETE,
    HTTP_VERB_OTHER
};

enum http_verb http_call_verb(const struct http_call *call);
/* As sent, percent-encoded, without the query; starts with '/'. */
struct http_text http_call_path(const struct http_call *call);
/* Without '?'; empty when there is none. Use form_find() on it. */
struct http_text http_call_query(const struct http_call *call);
/* Case ignored. False when absent; a header that stands twice gives the first. */
bool http_call_header(const struct http_call *call, const char *name, struct http_text *ret_value);
struct http_text http_call_body(const struct http_call *call);
/* The peer of a Unix socket; NULL on TCP. Its unit is what http_call_find_peer_unit() saw last, if it ever looked. */
const struct peer *http_call_peer(const struct http_call *call);
/* The unit at this moment; the connection may be older. Costs as much as serving a token. */
void http_call_find_peer_unit(struct http_call *call);
/* False when the process that connected has ended, and left its socket to another. */
bool http_call_peer_is_there(const struct http_call *call);

/*
 * Answering this call took so many times what a usual one takes: its user's turn is over the sooner. For handlers that
 * go through very much. Before the reply.
 */
void http_call_charge(struct http_call *call, size_t usual_calls);

/* ---- the reply: exactly one of these per call; the call is gone afterwards ---- */

struct http_reply_header {
    const char *name;
    const char *value;
};

/*
 * status with body; Content-Length, Date and Connection are added. headers: extra ones, count may be 0; a value with CR
 * or LF is an assertion failure. HEAD gets no body. Copies everything. content_type NULL: none is sent.
 */
void http_call_reply(struct http_call *call, int status, const char *content_type,
                     const struct http_reply_header *headers, size_t count, const char *body, size_t length);

/*
 * The hot path: a 200 whose headers after the status line and Date are the caller's own ready text
 * ("Content-Type: …\r\nContent-Length: …\r\n", without the empty line). Room for length bytes of body is given back to
 * be filled in before returning to the loop (so that a number in it can be true at this moment). NULL when out of
 * memory (the connection is closed).
 */
char *http_call_reply_ready(struct http_call *call, const char *head, size_t head_length, size_t length);

/*
 * Asks to be told when the client goes away before a reply (or during a stream), or the server ends: the call is then
 * gone without a reply. Replaces an earlier one. For calls that are kept beyond the handler.
 */
typedef void http_call_gone(void *context);
void http_call_on_gone(struct http_call *call, http_call_gone *gone, void *context);

/*
 * Starts an endless 200 (chunked; close-delimited for 1.0; not to be stored by caches). Afterwards
 * http_call_stream_write() any number of times, then http_call_stream_end(). A reader that leaves more than
 * max_stream_backlog unread is dropped: its gone callback runs, from the loop and never inside
 * http_call_stream_write().
 */
void http_call_stream_begin(struct http_call *call, const char *content_type);
void http_call_stream_write(struct http_call *call, const char *data, size_t length);
void http_call_stream_end(struct http_call *call);

/*
 * For a stream with an end that is longer than what a reader may leave unread: more runs from the loop whenever all
 * that was written is sent, writes the next part (at most max_stream_backlog bytes) or ends the stream. After
 * http_call_on_gone() and http_call_stream_begin(). A reader that takes no part for write_deadline_ms is dropped.
 */
typedef void http_call_more(void *context);
void http_call_stream_pull(struct http_call *call, http_call_more *more, void *context);

#endif
