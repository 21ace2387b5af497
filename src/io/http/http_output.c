#include "io/http/http_output.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/secret.h"

void http_pool_finish(struct http_pool *pool)
{
    while (pool->count > 0)
        free(pool->chunks[--pool->count]);
}

static char *take_memory(struct http_pool *pool, size_t capacity)
{
    if (capacity == HTTP_CHUNK_SIZE && pool->count > 0)
        return pool->chunks[--pool->count];
    return malloc(capacity);
}

static void give_back(struct http_pool *pool, char *data, size_t capacity)
{
    if (capacity == HTTP_CHUNK_SIZE && pool->count < HTTP_POOL_MAX)
        pool->chunks[pool->count++] = data;
    else
        free(data);
}

void http_output_release(struct http_output *output, struct http_pool *pool)
{
    if (output->data) {
        secret_wipe(output->data, output->end + output->unwanted);
        give_back(pool, output->data, output->capacity);
    }
    *output = (struct http_output){.failed = output->failed};
}

static bool reserve(struct http_output *output, struct http_pool *pool, size_t length)
{
    if (length <= output->capacity - output->end)
        return true;
    size_t pending = output->end - output->begin;
    if (length > SIZE_MAX / 2 - pending)
        return false;
    size_t capacity = HTTP_CHUNK_SIZE;
    while (capacity < pending + length)
        capacity *= 2;
    struct http_output larger = {.data = take_memory(pool, capacity), .end = pending, .capacity = capacity};
    if (!larger.data)
        return false;
    if (pending > 0)
        memcpy(larger.data, output->data + output->begin, pending);
    http_output_release(output, pool);
    *output = larger;
    return true;
}

static void drop_unwanted(struct http_output *output)
{
    if (output->unwanted == 0)
        return;
    secret_wipe(output->data + output->end, output->unwanted);
    output->unwanted = 0;
}

char *http_output_room(struct http_output *output, struct http_pool *pool, size_t length)
{
    drop_unwanted(output);
    if (output->failed || !reserve(output, pool, length)) {
        output->failed = true;
        return NULL;
    }
    char *room = output->data + output->end;
    output->end += length;
    return room;
}

void http_output_append(struct http_output *output, struct http_pool *pool, const char *bytes, size_t length)
{
    char *room = length > 0 ? http_output_room(output, pool, length) : NULL;
    if (room)
        memcpy(room, bytes, length);
}

void http_output_append_text(struct http_output *output, struct http_pool *pool, const char *text)
{
    http_output_append(output, pool, text, strlen(text));
}

void http_output_hide(struct http_output *output, size_t length)
{
    output->end -= length;
    output->unwanted = length;
}

size_t http_output_pending(const struct http_output *output)
{
    return output->end - output->begin;
}

enum http_flush http_output_flush(struct http_output *output, struct http_pool *pool, int fd)
{
    if (output->failed)
        return HTTP_FLUSH_BROKEN;
    while (output->begin < output->end) {
        ssize_t sent = send(fd, output->data + output->begin, output->end - output->begin, MSG_NOSIGNAL);
        if (sent >= 0)
            output->begin += (size_t)sent;
        else if (errno == EAGAIN)
            return HTTP_FLUSH_BLOCKED;
        else if (errno != EINTR)
            return HTTP_FLUSH_BROKEN;
    }
    http_output_release(output, pool);
    return HTTP_FLUSH_DONE;
}
