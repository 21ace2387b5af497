#include "base/log/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log_line.h"
#include "base/log/log_queue.h"

/* How a line is written without waiting. */
enum output_kind {
    OUTPUT_WAITING,     /* not at all: before log_output_begin() */
    OUTPUT_FILE,        /* it never waits for a reader */
    OUTPUT_SOCKET,      /* MSG_DONTWAIT */
    OUTPUT_NONBLOCKING, /* O_NONBLOCK, of our own */
    OUTPUT_POLLED,      /* after poll() */
};

/* The one log of the process, as stderr is. */
static struct {
    enum output_kind kind;
    int fd;
    char rest[LOG_LINE_MAX]; /* of the line that stderr has taken the beginning of */
    size_t rest_length;
    struct log_queue queue;
    uint64_t dropped;
    uint64_t unreported; /* of these: no line has said so yet */
    log_output_waits *waits;
    void *waits_context;
} output = {.fd = STDERR_FILENO};

void log_output_begin(void)
{
    struct stat stat;
    if (output.kind != OUTPUT_WAITING)
        return;
    output.kind = OUTPUT_FILE;
    if (fstat(STDERR_FILENO, &stat) != 0)
        return;
    if (S_ISSOCK(stat.st_mode)) {
        output.kind = OUTPUT_SOCKET;
    } else if (S_ISFIFO(stat.st_mode) || S_ISCHR(stat.st_mode)) {
        output.fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        output.kind = output.fd >= 0 ? OUTPUT_NONBLOCKING : OUTPUT_POLLED;
        if (output.fd < 0)
            output.fd = STDERR_FILENO;
    }
}

static bool is_writable(int timeout_ms)
{
    struct pollfd target = {.fd = output.fd, .events = POLLOUT};
    return poll(&target, 1, timeout_ms) > 0;
}

/* As write(2). */
static ssize_t write_once(const char *text, size_t length)
{
    if (output.kind == OUTPUT_SOCKET)
        return send(output.fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (output.kind == OUTPUT_POLLED && !is_writable(0)) {
        errno = EAGAIN;
        return -1;
    }
    return write(output.fd, text, length);
}

/* DONE: *ret_written bytes were written, perhaps not all of them. */
static enum log_flush try_to_write(const char *text, size_t length, size_t *ret_written)
{
    ssize_t written;
    do
        written = write_once(text, length);
    while (written < 0 && errno == EINTR);
    if (written >= 0) {
        *ret_written = (size_t)written;
        return LOG_FLUSH_DONE;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? LOG_FLUSH_BLOCKED : LOG_FLUSH_FAILED;
}

static enum log_flush flush_rest(void)
{
    while (output.rest_length > 0) {
        size_t written = 0;
        enum log_flush result = try_to_write(output.rest, output.rest_length, &written);
        if (result != LOG_FLUSH_DONE)
            return result;
        output.rest_length -= written;
        memmove(output.rest, output.rest + written, output.rest_length);
    }
    return LOG_FLUSH_DONE;
}

/* When no line is half written. *ret_is_begun: the line is written, or becomes the one that is. */
static enum log_flush write_line(const char *line, size_t length, bool *ret_is_begun)
{
    size_t written = 0;
    enum log_flush result = try_to_write(line, length, &written);
    *ret_is_begun = result == LOG_FLUSH_DONE;
    if (result != LOG_FLUSH_DONE)
        return result;
    output.rest_length = length - written;
    memcpy(output.rest, line + written, output.rest_length);
    return flush_rest();
}

static enum log_flush report_dropped(void)
{
    char text[80];
    char line[LOG_LINE_MAX];
    bool is_begun;
    snprintf(text, sizeof text, "%" PRIu64 " log lines were dropped", output.unreported);
    enum log_flush result = write_line(line, log_line_format(LOG_LEVEL_WARNING, text, line), &is_begun);
    if (is_begun)
        output.unreported = 0;
    return result;
}

static enum log_flush flush_queue(unsigned lines_max)
{
    enum log_flush result = LOG_FLUSH_DONE;
    while (result == LOG_FLUSH_DONE && !log_queue_is_empty(&output.queue)) {
        if (lines_max-- == 0)
            return LOG_FLUSH_BLOCKED;
        size_t length;
        bool is_begun;
        const char *line = log_queue_front(&output.queue, &length);
        result = write_line(line, length, &is_begun);
        if (is_begun)
            log_queue_drop(&output.queue);
    }
    return result;
}

/* In the order in which it was logged: what was dropped is older than all that waits. */
enum log_flush log_output_flush(unsigned lines_max)
{
    enum log_flush result = flush_rest();
    if (result == LOG_FLUSH_DONE && output.unreported > 0)
        result = report_dropped();
    return result == LOG_FLUSH_DONE ? flush_queue(lines_max) : result;
}

/* The older half makes room at once, so that a slow reader is not told of each line by another one. */
static void queue_line(const char *line, size_t length)
{
    if (log_queue_add(&output.queue, line, length))
        return;
    while (log_queue_used(&output.queue) > LOG_QUEUE_SIZE / 2) {
        log_queue_drop(&output.queue);
        output.dropped++;
        output.unreported++;
    }
    log_queue_add(&output.queue, line, length);
}

void log_output_write(const char *line, size_t length)
{
    bool is_begun = false;
    enum log_flush result = log_output_flush(UINT_MAX);
    if (result == LOG_FLUSH_DONE)
        result = write_line(line, length, &is_begun);
    if (!is_begun)
        queue_line(line, length);
    if (result == LOG_FLUSH_BLOCKED && output.waits)
        output.waits(output.waits_context);
}

int log_output_descriptor(void)
{
    return output.fd;
}

void log_output_on_wait(log_output_waits *waits, void *context)
{
    output.waits = waits;
    output.waits_context = context;
}

void log_output_finish(int64_t patience_ms)
{
    int64_t until = clock_boot_ms() + patience_ms;
    int64_t left = patience_ms;
    while (log_output_flush(UINT_MAX) == LOG_FLUSH_BLOCKED && left > 0 && is_writable((int)left))
        left = until - clock_boot_ms();
}

uint64_t log_output_dropped(void)
{
    return output.dropped;
}
