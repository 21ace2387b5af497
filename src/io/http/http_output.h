#ifndef SRC_IO_HTTP_OUTPUT_H
#define SRC_IO_HTTP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Pieces of memory that connections pass around, so that an idle one keeps none and a busy one allocates none. */
enum { HTTP_CHUNK_SIZE = 4096, HTTP_POOL_MAX = 16 };

struct http_pool {
    char *chunks[HTTP_POOL_MAX];
    size_t count;
};

void http_pool_finish(struct http_pool *pool);

/* Bytes that a connection has to send. All zero while there are none. */
struct http_output {
    char *data;
    size_t begin;
    size_t end;
    size_t capacity;
    size_t unwanted; /* bytes at the end that are not to be sent */
    bool failed;     /* out of memory: what was to be sent is not whole */
};

/* Room for length more bytes, which count as written. NULL, and failed is set, when out of memory. */
char *http_output_room(struct http_output *output, struct http_pool *pool, size_t length);
void http_output_append(struct http_output *output, struct http_pool *pool, const char *bytes, size_t length);
void http_output_append_text(struct http_output *output, struct http_pool *pool, const char *text);
/* The last length bytes are not sent, but stay where they are until the next append or flush. */
void http_output_hide(struct http_output *output, size_t length);
size_t http_output_pending(const struct http_output *output);

enum http_flush { HTTP_FLUSH_DONE, HTTP_FLUSH_BLOCKED, HTTP_FLUSH_BROKEN };
/* Sends what it can. DONE gives the memory back. */
enum http_flush http_output_flush(struct http_output *output, struct http_pool *pool, int fd);
/* Wipes, and gives the memory back. */
void http_output_release(struct http_output *output, struct http_pool *pool);

#endif
