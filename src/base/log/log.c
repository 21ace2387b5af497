#include "base/log/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/log/log_output.h"
#include "base/log/log_line.h"

/* The one level of the process, as stderr is its one log. Atomic, because any thread may ask whether a line counts. */
static _Atomic(enum log_level) highest_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&highest_level, level);
}

bool log_level_from_text(const char *text, enum log_level *ret_level)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        if (strcmp(text, log_line_level_word((enum log_level)level)) == 0) {
            *ret_level = (enum log_level)level;
            return true;
        }
    }
    return false;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > atomic_load(&highest_level))
        return;
    char text[LOG_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int formatted = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (formatted < 0)
        return;
    char line[LOG_LINE_MAX];
    log_output_write(line, log_line_format(level, text, line));
}
