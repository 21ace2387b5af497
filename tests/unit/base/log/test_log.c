#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log.h"

/* What one call writes to stderr, read back through a pipe; "" when it writes nothing. */
static char captured[4 * LOG_LINE_MAX];

#define CAPTURE(call)                                                                                                  \
    do {                                                                                                               \
        int pipe_ends[2];                                                                                              \
        int saved = dup(STDERR_FILENO);                                                                                \
        cr_assert_eq(pipe(pipe_ends), 0);                                                                              \
        dup2(pipe_ends[1], STDERR_FILENO);                                                                             \
        close(pipe_ends[1]);                                                                                           \
        call;                                                                                                          \
        dup2(saved, STDERR_FILENO);                                                                                    \
        close(saved);                                                                                                  \
        ssize_t length = read(pipe_ends[0], captured, sizeof captured - 1);                                            \
        captured[length > 0 ? length : 0] = '\0';                                                                      \
        close(pipe_ends[0]);                                                                                           \
    } while (0)

Test(log, line_starts_with_time_and_level)
{
    unsetenv("JOURNAL_STREAM");
    CAPTURE(log_warning("store %s", "slow"));
    int64_t wall;
    char time_text[CLOCK_TEXT_SIZE] = "";
    memcpy(time_text, captured, CLOCK_TEXT_SIZE - 1);
    cr_assert(clock_parse(time_text, &wall), "%s", captured);
    cr_assert_str_eq(captured + CLOCK_TEXT_SIZE - 1, " warning: store slow\n");
}

Test(log, line_under_systemd_starts_with_its_priority)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    CAPTURE(log_error("x"));
    cr_assert_str_eq(captured, "<3>x\n");
    CAPTURE(log_info("y"));
    cr_assert_str_eq(captured, "<6>y\n");
}

Test(log, lines_above_the_level_are_not_written)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    CAPTURE(log_debug("quiet"));
    cr_assert_str_eq(captured, "", "the default is info");
    log_set_level(LOG_LEVEL_DEBUG);
    CAPTURE(log_debug("loud"));
    cr_assert_str_eq(captured, "<7>loud\n");
    log_set_level(LOG_LEVEL_ERROR);
    CAPTURE(log_warning("quiet"));
    cr_assert_str_eq(captured, "");
}

Test(log, control_bytes_cannot_forge_a_line)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    CAPTURE(log_info("%s", "a\n<3>forged\r\t\x1b[31m\x7f"));
    cr_assert_str_eq(captured, "<6>a\\x0a<3>forged\\x0d\\x09\\x1b[31m\\x7f\n");
    CAPTURE(log_info("%s", "\xC2\x9B"
                           "31m \xC3\xA9"));
    cr_assert_str_eq(captured, "<6>\\xc2\\x9b31m \xC3\xA9\n");
    CAPTURE(log_info("%s", "a\xE2\x80\xAE\xE2\x80\x8B\xC3!"));
    cr_assert_str_eq(captured, "<6>a\\xe2\\x80\\xae\\xe2\\x80\\x8b\\xc3!\n");
}

Test(log, long_lines_end_at_the_maximum_with_a_newline)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    char text[3 * LOG_LINE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CAPTURE(log_info("%s", text));
    cr_assert_eq(strlen(captured), LOG_LINE_MAX);
    cr_assert_eq(captured[LOG_LINE_MAX - 1], '\n');
    memset(text, '\n', sizeof text - 1);
    CAPTURE(log_info("%s", text));
    cr_assert_leq(strlen(captured), LOG_LINE_MAX);
    cr_assert_eq(strchr(captured, '\n') - captured, (ptrdiff_t)strlen(captured) - 1);
}

Test(log, level_words)
{
    static const struct {
        const char *word;
        enum log_level level;
    } cases[] = {{"error", LOG_LEVEL_ERROR},
                 {"warning", LOG_LEVEL_WARNING},
                 {"notice", LOG_LEVEL_NOTICE},
                 {"info", LOG_LEVEL_INFO},
                 {"debug", LOG_LEVEL_DEBUG}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum log_level level;
        cr_assert(log_level_from_text(cases[i].word, &level));
        cr_assert_eq(level, cases[i].level);
    }
    enum log_level level;
    cr_assert_not(log_level_from_text("verbose", &level));
    cr_assert_not(log_level_from_text("", &level));
}
