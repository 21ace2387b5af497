#include "base/log/log_queue.h"

#include <string.h>

bool log_queue_is_empty(const struct log_queue *queue)
{
    return queue->first == queue->end && queue->wrapped == 0;
}

/* Where a line of this length goes; LOG_QUEUE_SIZE: nowhere. */
static size_t place_for(const struct log_queue *queue, size_t length)
{
    bool has_wrapped = queue->wrapped > 0;
    size_t free_ahead = (has_wrapped ? queue->first : LOG_QUEUE_SIZE) - queue->end;
    if (length <= free_ahead)
        return queue->end;
    return !has_wrapped && length <= queue->first ? 0 : LOG_QUEUE_SIZE;
}

bool log_queue_add(struct log_queue *queue, const char *line, size_t length)
{
    size_t place = place_for(queue, length);
    if (place == LOG_QUEUE_SIZE)
        return false;
    if (place < queue->end)
        queue->wrapped = queue->end;
    memcpy(queue->bytes + place, line, length);
    queue->end = place + length;
    return true;
}

size_t log_queue_used(const struct log_queue *queue)
{
    return queue->wrapped > 0 ? queue->wrapped - queue->first + queue->end : queue->end - queue->first;
}

const char *log_queue_front(const struct log_queue *queue, size_t *ret_length)
{
    size_t limit = queue->wrapped > 0 ? queue->wrapped : queue->end;
    const char *line = queue->bytes + queue->first;
    const char *newline = memchr(line, '\n', limit - queue->first);
    *ret_length = newline ? (size_t)(newline - line) + 1 : limit - queue->first;
    return line;
}

void log_queue_drop(struct log_queue *queue)
{
    size_t length;
    log_queue_front(queue, &length);
    queue->first += length;
    if (queue->wrapped > 0 && queue->first == queue->wrapped) {
        queue->first = 0;
        queue->wrapped = 0;
    }
    if (log_queue_is_empty(queue))
        queue->first = queue->end = 0;
}
