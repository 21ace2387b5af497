#include "base/log_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

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

/* C0 and DEL, and the C1 controls that UTF-8 writes as C2 80 to C2 9F: terminals obey them too. */
static size_t control_length(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    if (first < 0x20 || first == 0x7F)
        return 1;
    unsigned char second = (unsigned char)text[1];
    return first == 0xC2 && second >= 0x80 && second <= 0x9F ? 2 : 0;
}

/* Copies text with control characters as \xNN; stops where size ends. */
static size_t write_escaped(const char *text, char *line, size_t size)
{
    size_t length = 0;
    while (*text) {
        size_t controls = control_length(text);
        if (length + (controls ? controls * 4 : 1) > size)
            break;
        if (controls == 0)
            line[length++] = *text++;
        for (; controls > 0; controls--) {
            char escape[sizeof "\\xNN"];
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)*text++);
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
