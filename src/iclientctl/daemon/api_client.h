#ifndef ICLIENTCTL_DAEMON_API_CLIENT_H
#define ICLIENTCTL_DAEMON_API_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text/text_buffer.h"

/*
 * HTTP/1.1 to the daemon over its Unix socket, one blocking request at a time; libcurl does the talking. Replies may
 * carry tokens: their memory is wiped, libcurl's own too.
 */
enum { API_REPLY_MAX = 256 * 1024 * 1024, API_LINE_MAX = 1024 * 1024 };

/* Once, before any thread and before other users of libcurl. */
enum status api_client_start(struct error *ret_error);
void api_client_stop(void);

/* One line of a stream, without its newline. False ends the stream. */
typedef bool api_client_line(void *context, const char *line, size_t length);
/* Asked about once a second while a stream says nothing. False ends it. */
typedef bool api_client_goes_on(void *context);

struct api_request {
    const char *socket_path;
    const char *method;
    const char *target;          /* path and query, already encoded: "/v1/token/crm?wait=5" */
    const char *body;            /* JSON; NULL: none */
    long timeout_seconds;        /* for the whole exchange; 0: none */
    api_client_line *each_line;  /* for a reply of 200: gets its lines as they come, and the body stays empty */
    api_client_goes_on *goes_on; /* NULL: it always does */
    void *context;
};

struct api_reply {
    long http_status;
    struct text_buffer body;
};
void api_reply_init(struct api_reply *reply);
void api_reply_finish(struct api_reply *reply);

/*
 * OK whatever the HTTP status. ERR_NOT_FOUND: nobody listens there. ERR_DENIED: the socket is not for this user.
 * ERR_TIMEOUT; ERR_IO: the connection broke; ERR_TOO_LARGE; ERR_CANCELLED: each_line or goes_on returned false.
 */
enum status api_client_send(const struct api_request *request, struct api_reply *reply, struct error *ret_error);

#endif
