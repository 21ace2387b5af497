#ifndef SRC_BASE_LOG_LINE_H
#define SRC_BASE_LOG_LINE_H

#include <stddef.h>

#include "base/log/log.h"

/* "error", "warning", …; "" for none of them. */
const char *log_line_level_word(enum log_level level);
/* Writes prefix, escaped text and newline as log.h says; not NUL-terminated. Returns the length. */
size_t log_line_format(enum log_level level, const char *text, char line[LOG_LINE_MAX]);

#endif
