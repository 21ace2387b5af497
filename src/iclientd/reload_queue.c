#include "reload_queue.h"

#include <stdbool.h>
#include <stdlib.h>

struct reload_queue {
    reload_begin *begin;
    void *context;
    struct loop_timer *pause; /* runs from the end of a reload on */
    bool is_open;
    bool is_running;
    bool is_waiting; /* one more is asked for */
};

static void begin_if_due(void *context)
{
    struct reload_queue *queue = context;
    if (!queue->is_waiting || !queue->is_open || queue->is_running || loop_timer_is_running(queue->pause))
        return;
    queue->is_waiting = false;
    queue->is_running = true;
    queue->begin(queue->context);
}

enum status reload_queue_create(struct event_loop *loop, reload_begin *begin, void *context,
                                struct reload_queue **ret_queue, struct error *ret_error)
{
    AUTO(reload_queue) queue = calloc(1, sizeof *queue);
    if (queue)
        queue->pause = loop_timer_create(loop, begin_if_due, queue);
    if (!queue || !queue->pause)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for reloads");
    queue->begin = begin;
    queue->context = context;
    *ret_queue = TAKE(queue);
    return OK;
}

void reload_queue_destroy(struct reload_queue *queue)
{
    if (!queue)
        return;
    loop_timer_destroy(queue->pause);
    free(queue);
}

void reload_queue_ask(struct reload_queue *queue)
{
    queue->is_waiting = true;
    begin_if_due(queue);
}

void reload_queue_open(struct reload_queue *queue)
{
    queue->is_open = true;
    begin_if_due(queue);
}

void reload_queue_close(struct reload_queue *queue)
{
    queue->is_open = false;
}

void reload_queue_end(struct reload_queue *queue, int64_t took_ms)
{
    int64_t pause = RELOAD_PAUSE_FACTOR * took_ms;
    if (pause < RELOAD_PAUSE_LEAST_MS)
        pause = RELOAD_PAUSE_LEAST_MS;
    if (pause > RELOAD_PAUSE_MOST_MS)
        pause = RELOAD_PAUSE_MOST_MS;
    queue->is_running = false;
    if (loop_timer_start(queue->pause, pause) != OK)
        begin_if_due(queue);
}
