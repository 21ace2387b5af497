#ifndef SRC_BASE_LOG_QUEUE_H
#define SRC_BASE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Log lines that wait for stderr, in a ring of fixed size. A line stands in one piece. An empty ring starts again at
 * its beginning, so that one which never holds much never uses much memory.
 */
enum { LOG_QUEUE_SIZE = 256 * 1024 };

struct log_queue {
    size_t first;   /* where the oldest line begins */
    size_t end;     /* where the next line goes */
    size_t wrapped; /* not 0: the lines from first end here, and the next one is at the beginning */
    char bytes[LOG_QUEUE_SIZE];
};

bool log_queue_is_empty(const struct log_queue *queue);
/* line ends with its only newline. False when there is no room for it. */
bool log_queue_add(struct log_queue *queue, const char *line, size_t length);
/* Bytes of all lines. */
size_t log_queue_used(const struct log_queue *queue);
/* The oldest line, of a queue that is not empty. Borrowed until the next change. */
const char *log_queue_front(const struct log_queue *queue, size_t *ret_length);
/* Removes the oldest line, of a queue that is not empty. */
void log_queue_drop(struct log_queue *queue);

#endif
