#ifndef SRC_IO_HTTP_CONNECTION_H
#define SRC_IO_HTTP_CONNECTION_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>
#include <time.h>

#include "base/hash_table.h"
#include "io/http/http_heads.h"
#include "io/http/http_output.h"
#include "io/http/http_parse.h"
#include "io/http/http_server.h"
#include "io/host/listener.h"
#include "io/host/peer_identity.h"

/* The server's own parts see each other's memory: it is the project's hot path. */

enum {
    HTTP_BATCH_MAX = 64 * 1024, /* bytes of replies to pipelined requests before they are sent */
    HTTP_LINGER_MS = 2000,      /* for the client to read the reply to a request that was not read to its end */
    HTTP_PREFIX_MAX = 64,       /* "HTTP/1.1 200 OK" and Date */
    HTTP_REFUSED_MAX = 32,
};

/* State, and how long it may last: ms in options, or 0 for ever. */
#define HTTP_STATE_TABLE(X)                                                                                            \
    X(IDLE, options->idle_deadline_ms)       /* no byte of a request is there */                                       \
    X(READING, options->request_deadline_ms) /* some are */                                                            \
    X(HANDLING, 0)                           /* the handler has the call, or keeps it; nothing is read */              \
    X(STREAMING, 0)                          /* the same, within an endless reply */                                   \
    X(ENDING, 0)                             /* the last reply is on its way; its write deadline counts */             \
    X(LINGERING, HTTP_LINGER_MS)             /* it is sent; what still comes in is dropped */

#define HTTP_STATE_SYMBOL(name, deadline) HTTP_STATE_##name,
enum http_state { HTTP_STATE_TABLE(HTTP_STATE_SYMBOL) };
#undef HTTP_STATE_SYMBOL

struct http_call {
    struct http_connection *connection;
    http_call_gone *gone;
    void *gone_context;
    http_call_more *more; /* of a stream that is pulled */
    void *more_context;
};

TAILQ_HEAD(http_connection_list, http_connection);

/*
 * One user: how many connections he has, and what is left of his turn. A turn is so many steps (a read, a request; each
 * KiB read or sent is another), whatever the number of connections; those that are not done when it is over wait,
 * and go on once everybody else has been looked at.
 */
struct http_uid {
    uid_t uid;
    size_t count;
    int steps_left;                      /* below 0: the last step was dearer than what was left */
    struct http_connection_list waiting; /* for the next turn; only while steps_left <= 0 */
    bool is_waiting;                     /* in the server's list */
    TAILQ_ENTRY(http_uid) link;
    UT_hash_handle hh;
};
TAILQ_HEAD(http_uid_list, http_uid);

struct http_connection {
    struct http_server *server;
    struct http_connection *next;
    struct http_connection *previous;
    int fd;
    enum http_state state;
    int64_t deadline;       /* of the state, in the server's coarse time; 0: none */
    int64_t write_deadline; /* while the output is blocked */

    bool is_running;  /* http_connection_run() is on the stack */
    bool is_watched;  /* the event is added */
    bool is_blocked;  /* the socket takes no more output for now; the write event is added */
    bool is_readable; /* a read may give something */
    bool hung_up;     /* the peer closed, or shut down its sending side */
    bool input_ended; /* a read said so */
    bool is_refused;  /* the request was not read to its end */
    bool is_chunked;  /* the stream is */
    bool is_dropped;  /* the stream's reader is gone or too slow */
    bool ends_after;  /* this reply is the last one */
    bool is_waiting;  /* for its user's next turn */

    struct http_call call;
    struct http_parse *parse; /* NULL while no byte is kept */
    struct http_output output;
    struct http_uid *uid;              /* strangers: refused */
    TAILQ_ENTRY(http_connection) turn; /* while it waits for one */
    struct peer_identity peer;
    struct event event; /* edge-triggered for good: a half-closed peer does not wake us again and again */
    struct event write_event;
};

struct http_server {
    struct event_loop *loop;
    struct listener *listener;
    struct http_server_options options;
    struct metrics *metrics;
    struct http_server_callbacks callbacks;
    /* http_server.c's and http_connection.c's, for the files below them. */
    void (*run)(struct http_connection *connection);    /* see http_connection_run() */
    void (*forget)(struct http_connection *connection); /* it closes: takes it out of the server's books */

    struct http_connection *first;
    size_t count;
    size_t crowd; /* the highest count since memory was given back */
    struct http_uid *uids;
    size_t user_count;         /* of them, those who have a connection; strangers are one more */
    struct http_uid strangers; /* who was refused at once, and counts for no user */
    /* Connections that were refused and may still read why, the newest; NULL where there is none. */
    struct http_connection *refused[HTTP_REFUSED_MAX];
    size_t next_refused;
    struct http_uid_list waiting;
    struct loop_timer *next_turn; /* runs while somebody waits */
    bool is_draining;

    struct http_pool pool;
    struct http_parse *parses[HTTP_POOL_MAX];
    size_t parse_count;
    struct http_parse *no_request; /* stands for the request of a connection that is refused without one */
    struct http_heads *heads;      /* NULL on TCP, where a head may carry a cookie or a state */

    /* Deadlines are looked at once per interval; time is as old as that, so that no request asks the clock. */
    struct loop_timer *sweep;
    int64_t sweep_interval;
    int64_t now;

    time_t prefix_second;
    size_t prefix_length;
    char prefix[HTTP_PREFIX_MAX];
};

/* http_connection_state.c */
/* The only way from one state to another; begins the state's deadline. */
void http_connection_change_state(struct http_connection *connection, enum http_state state);
/* For how long it has had no whole request; -1 when it has one. */
int64_t http_connection_rested_ms(const struct http_connection *connection);
/* A deadline in the server's time, which is up to an interval old: that much later, never earlier. 0 ms: none. */
int64_t http_connection_deadline_in(const struct http_server *server, int64_t ms);
/* Has it run from the loop. */
void http_connection_wake(struct http_connection *connection);

/* http_connection.c */
struct http_connection *http_connection_create(struct http_server *server, int take_fd);
/* Reads, answers and sends until it has to wait, or its user's turn is over. May destroy the connection. */
void http_connection_run(struct http_connection *connection);
void http_connection_on_deadline(struct http_connection *connection, int64_t now);
/* Tells the owner of a kept call. */
void http_connection_close(struct http_connection *connection);

/* http_reply.c */
/* Has the server's owner reply, after which the connection ends. retry_after: seconds, or 0. */
void http_reply_refuse(struct http_connection *connection, int status, const char *message, int retry_after);

#endif
