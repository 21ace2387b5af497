#ifndef BASE_LOG_LOG_OUTPUT_H
#define BASE_LOG_LOG_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where the lines of the log go: stderr. Until log_output_begin() each line waits until stderr takes it. After that no
 * line waits: while stderr takes nothing, lines gather in a ring of 256 KiB. When the ring is full, its older half is
 * dropped; a line in its place says how many lines there were. All of it on one thread.
 *
 * stderr's file status flags belong to every process that shares it, and stay as they are. A pipe or a terminal is
 * opened anew for flags of its own, a socket is asked call by call. Where a pipe or a terminal cannot be opened, each
 * write is preceded by poll(): it can still wait when another process fills the pipe in between. A write to a file
 * waits for its disk alone.
 */
enum log_flush {
    LOG_FLUSH_DONE,    /* all is written */
    LOG_FLUSH_BLOCKED, /* lines wait until log_output_descriptor() can be written */
    LOG_FLUSH_FAILED,  /* stderr refuses to be written; lines wait until the next one, or the end, tries again */
};

/* Before anything limits which files may be opened. */
void log_output_begin(void);
/* For log.c. line ends with its only newline. */
void log_output_write(const char *line, size_t length);
/* Writes waiting lines, at most so many. */
enum log_flush log_output_flush(unsigned lines_max);
/* What to wait for when lines wait. */
int log_output_descriptor(void);
/* Called for each line that has to wait; NULL: nobody. Must not log. */
typedef void log_output_waits(void *context);
void log_output_on_wait(log_output_waits *waits, void *context);
/* Writes waiting lines before the process ends, as far as stderr takes them within this time. */
void log_output_finish(int64_t patience_ms);
/* Lines dropped since the process began. */
uint64_t log_output_dropped(void);

#endif
