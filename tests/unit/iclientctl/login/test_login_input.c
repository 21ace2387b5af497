#include "iclientctl/login/login_input.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is to be read is in the pipe before anybody waits, so that no wait lasts. */
enum { WAIT_MS = 10000, NO_WAIT_MS = 0 };

/* Standard input becomes a pipe; returns the end that a person types into. */
static int type_into_stdin(void)
{
    int pipes[2];
    cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
    cr_assert_eq(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
    close(pipes[0]);
    return pipes[1];
}

static void type(int typing, const char *text)
{
    cr_assert_eq(write(typing, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_line(struct login_input *input, const char *expected)
{
    const char *line = NULL;
    cr_expect_eq(login_input_wait(input, WAIT_MS, &line), LOGIN_INPUT_LINE, "%s", expected);
    cr_expect_str_eq(line ? line : "(none)", expected);
}

static void expect_nothing(struct login_input *input)
{
    const char *line = "x";
    cr_expect_eq(login_input_wait(input, NO_WAIT_MS, &line), LOGIN_INPUT_NOTHING);
    cr_expect_null(line);
}

Test(login_input, lines_come_one_by_one_trimmed_and_never_empty)
{
    static const struct {
        const char *typed;
        const char *lines[4];
    } rows[] = {
        {"http://a?code=1\n", {"http://a?code=1"}},
        {"  a b\t \r\n", {"a b"}},
        {"\n\n  \t\na\n\n", {"a"}},
        {"a\nb\nc\n", {"a", "b", "c"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int typing = type_into_stdin();
        AUTO(login_input) input = login_input_create();
        login_input_begin_reading(input);
        type(typing, rows[i].typed);
        for (size_t line = 0; rows[i].lines[line]; line++)
            expect_line(input, rows[i].lines[line]);
        expect_nothing(input);
        close(typing);
    }
}

Test(login_input, a_line_may_come_in_pieces)
{
    int typing = type_into_stdin();
    AUTO(login_input) input = login_input_create();
    login_input_begin_reading(input);
    type(typing, "http://a");
    expect_nothing(input);
    type(typing, "?code=1\nnext");
    expect_line(input, "http://a?code=1");
    expect_nothing(input);
}

Test(login_input, the_end_of_the_input_ends_the_last_line)
{
    int typing = type_into_stdin();
    AUTO(login_input) input = login_input_create();
    login_input_begin_reading(input);
    type(typing, "last");
    expect_nothing(input);
    close(typing);
    expect_line(input, "last");
    expect_nothing(input);
}

Test(login_input, nothing_is_read_before_it_counts)
{
    int typing = type_into_stdin();
    AUTO(login_input) input = login_input_create();
    type(typing, "early\n");
    expect_nothing(input);
    login_input_begin_reading(input);
    expect_line(input, "early");
}

static char *long_line(size_t length)
{
    char *line = malloc(length + 2);
    memset(line, 'x', length);
    memcpy(line + length, "\n", 2);
    return line;
}

Test(login_input, a_line_that_is_too_long_is_dropped_as_a_whole)
{
    int typing = type_into_stdin();
    AUTO(login_input) input = login_input_create();
    login_input_begin_reading(input);
    AUTO_TEXT fits = long_line(LOGIN_LINE_MAX - 1);
    AUTO_TEXT too_long = long_line(LOGIN_LINE_MAX + 100);
    type(typing, fits);
    const char *line;
    cr_expect_eq(login_input_wait(input, WAIT_MS, &line), LOGIN_INPUT_LINE);
    cr_expect_eq(strlen(line), LOGIN_LINE_MAX - 1);
    type(typing, too_long);
    type(typing, "next\n");
    expect_nothing(input);
    expect_line(input, "next");
}

Test(login_input, a_line_with_a_nul_is_no_line)
{
    int typing = type_into_stdin();
    AUTO(login_input) input = login_input_create();
    login_input_begin_reading(input);
    cr_assert_eq(write(typing, "a\0b\nc\n", 6), 6);
    expect_line(input, "c");
}

Test(login_input, signals_interrupt_and_come_before_lines)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    int typing = type_into_stdin();
    AUTO(login_input) input = login_input_create();
    login_input_begin_reading(input);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        const char *line;
        type(typing, "a\n");
        cr_assert_eq(raise(signals[i]), 0);
        cr_expect_eq(login_input_wait(input, WAIT_MS, &line), LOGIN_INPUT_INTERRUPTED, "signal %d", signals[i]);
        expect_line(input, "a");
    }
}

Test(login_input, the_former_signal_mask_comes_back)
{
    sigset_t before, during, after;
    sigprocmask(SIG_SETMASK, NULL, &before);
    struct login_input *input = login_input_create();
    sigprocmask(SIG_SETMASK, NULL, &during);
    login_input_destroy(input);
    sigprocmask(SIG_SETMASK, NULL, &after);
    cr_assert(sigismember(&during, SIGINT) == 1 && sigismember(&before, SIGINT) == 0);
    cr_assert_eq(sigismember(&after, SIGINT), 0);
}
