#ifndef BASE_LOG_LOG_H
#define BASE_LOG_LOG_H

#include <stdbool.h>

/*
 * The log goes to stderr, one line per call, one write per line. Under systemd (JOURNAL_STREAM is set) each
 * line starts with its "<N>" priority, else with an RFC 3339 UTC time and the level's word. Control bytes in
 * the text are written as \xNN, so that a provider cannot forge a line. Lines end at LOG_LINE_MAX bytes.
 * Only broker, service and the programs log, on one thread; nothing secret is ever passed in. A stderr that is slow to
 * take the lines: see log_output.h.
 */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};
enum { LOG_LINE_MAX = 2048 };

void log_set_level(enum log_level level);
/* "error", "warning", "notice", "info", "debug"; false when text is none of them. */
bool log_level_from_text(const char *text, enum log_level *ret_level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
