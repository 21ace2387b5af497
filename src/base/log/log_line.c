#include "base/log/log_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text/text_character.h"

static const struct {
    const char *word;
    enum log_level level;
} level_names[] = {
    {"error", LOG_LEVEL_ERROR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
    {"info", LOG_LEVEL_INFO},   {"debug", LOG_LEVEL_DEBUG},
};

const char *log_line_level_word(enum log_level level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (level_names[i].level == level)
            return level_names[i].word;
    }
    return "";
}

static size_t write_prefix(enum log_level level, char *line, size_t size)
{
    int length;
    if (getenv("JOURNAL_STREAM")) {
        length = snprintf(line, size, "<%d>", (int)level);
    } else {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        char text[CLOCK_TEXT_SIZE];
        clock_format(now.tv_sec, text);
        length = snprintf(line, size, "%.19s.%03ldZ %s: ", text, now.tv_nsec / 1000000, log_line_level_word(level));
    }
    return length > 0 ? (size_t)length : 0;
}

/* Copies text with bytes of hidden characters, and those that are no UTF-8, as \xNN; stops where size ends. */
static size_t write_escaped(const char *text, char *line, size_t size)
{
    size_t length = 0;
    while (*text) {
        bool is_plain;
        size_t bytes = text_character_next(text, &is_plain);
        if (length + (is_plain ? bytes : bytes * 4) > size)
            break;
        for (; bytes > 0; bytes--, text++) {
            char escape[sizeof "\\xNN"];
            if (is_plain) {
                line[length++] = *text;
                continue;
            }
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)*text);
            memcpy(line + length, escape, 4);
            length += 4;
        }
    }
    return length;
}

size_t log_line_format(enum log_level level, const char *text, char line[LOG_LINE_MAX])
{
    size_t length = write_prefix(level, line, LOG_LINE_MAX);
    length += write_escaped(text, line + length, LOG_LINE_MAX - 1 - length);
    line[length++] = '\n';
    return length;
}
