#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/log/log_output.h"

enum { LINE_SIZE = 1000, WRITTEN_MAX = 1024 * 1024 };

static int reader = -1;
static char written[WRITTEN_MAX];
static size_t written_length;

static void become_stderr(int fd)
{
    cr_assert_geq(dup2(fd, STDERR_FILENO), 0);
    close(fd);
    setenv("JOURNAL_STREAM", "8:1", 1);
}

static void make_pipe(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    reader = ends[0];
    become_stderr(ends[1]);
}

static void make_socket(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    reader = ends[0];
    become_stderr(ends[1]);
}

/* One whose owner lets nobody open it: it has to be polled. */
static void make_closed_pipe(void)
{
    make_pipe();
    cr_assert_eq(fchmod(STDERR_FILENO, 0), 0);
    cr_assert_eq(setresuid(4242, 4242, 4242), 0, "the test runs as root");
}

static void make_terminal(void)
{
    reader = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(reader >= 0 && grantpt(reader) == 0 && unlockpt(reader) == 0);
    become_stderr(open(ptsname(reader), O_RDWR | O_NOCTTY));
}

/* What can be read now, appended to written. */
static void read_some(void)
{
    fcntl(reader, F_SETFL, O_NONBLOCK);
    ssize_t length;
    while ((length = read(reader, written + written_length, WRITTEN_MAX - 1 - written_length)) > 0)
        written_length += (size_t)length;
    written[written_length] = '\0';
}

static void log_lines(unsigned first, unsigned count)
{
    char filler[LINE_SIZE];
    memset(filler, '.', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (unsigned i = 0; i < count; i++)
        log_info("line %u %s", first + i, filler);
}

/* The reader and the daemon's loop take turns. */
static void drain(void)
{
    enum log_flush result;
    do {
        result = log_output_flush(4);
        read_some();
    } while (result == LOG_FLUSH_BLOCKED);
}

struct kind {
    const char *name;
    void (*make)(void);
};
static const struct kind kinds[] = {{"a pipe", make_pipe},
                                    {"a socket", make_socket},
                                    {"a terminal", make_terminal},
                                    {"a pipe that cannot be opened", make_closed_pipe}};

/* Each kind in a process of its own, by its number: the address of a function is another one there. */
#define FOR_EACH_KIND(name)                                                                                            \
    ParameterizedTestParameters(log_output, name)                                                                      \
    {                                                                                                                  \
        static unsigned numbers[] = {0, 1, 2, 3};                                                                      \
        return cr_make_param_array(unsigned, numbers, sizeof kinds / sizeof *kinds);                                   \
    }                                                                                                                  \
    ParameterizedTest(unsigned *number, log_output, name)

static const struct kind *begin(unsigned number)
{
    kinds[number].make();
    log_output_begin();
    return &kinds[number];
}

FOR_EACH_KIND(lines_wait_for_the_reader)
{
    const struct kind *kind = begin(*number);
    log_lines(0, 100);
    drain();
    cr_expect_eq(log_output_dropped(), 0);
    char *at = written;
    for (unsigned i = 0; i < 100; i++) {
        char start[32];
        snprintf(start, sizeof start, "<6>line %u .", i);
        at = strstr(at, start);
        cr_assert_not_null(at, "line %u is missing from %s", i, kind->name);
    }
}

/* The sum of all reports: a short one may fit where a line does not. */
static uint64_t count_reported(void)
{
    uint64_t sum = 0;
    const char *at = written;
    while ((at = strstr(at, "<4>"))) {
        unsigned count;
        cr_assert_eq(sscanf(at, "<4>%u log lines were dropped", &count), 1);
        sum += count;
        at++;
    }
    return sum;
}

FOR_EACH_KIND(what_does_not_fit_is_dropped_and_reported)
{
    const struct kind *kind = begin(*number);
    log_lines(0, 2000); /* 2 MB */
    cr_assert_gt(log_output_dropped(), 1000);
    drain();
    cr_expect_eq(count_reported(), log_output_dropped(), "%s", kind->name);
    cr_expect_not_null(strstr(written, "<6>line 1999 "), "the newest lines are kept");
    log_lines(2000, 1);
    drain();
    cr_expect_not_null(strstr(written, "<6>line 2000 "), "the log goes on");
    cr_expect_eq(count_reported(), log_output_dropped(), "nothing is told twice");
}

FOR_EACH_KIND(the_flags_that_others_share_stay)
{
    const struct kind *kind = begin(*number);
    log_lines(0, 2000);
    cr_expect_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0, "%s", kind->name);
}

FOR_EACH_KIND(the_end_waits_for_a_bounded_time)
{
    begin(*number);
    log_lines(0, 2000);
    log_output_finish(10);
    log_output_finish(0);
    read_some();
    cr_expect_gt(written_length, 0);
}

Test(log_output, a_reader_that_went_away_costs_lines_and_nothing_else)
{
    signal(SIGPIPE, SIG_IGN);
    make_pipe();
    log_output_begin();
    close(reader);
    log_lines(0, 100);
    cr_expect_eq(log_output_dropped(), 0, "the ring holds them");
    cr_expect_eq(log_output_flush(1), LOG_FLUSH_FAILED);
    log_lines(0, 1000);
    cr_expect_gt(log_output_dropped(), 0);
    log_output_finish(1000 * 1000);
}

/* As on a full disk. */
Test(log_output, what_could_not_be_written_for_a_while_is_written_later)
{
    make_pipe();
    int whole = dup(STDERR_FILENO);
    int refusing = open("/dev/full", O_WRONLY);
    become_stderr(refusing);
    log_output_begin();
    log_lines(0, 3);
    cr_expect_eq(log_output_flush(10), LOG_FLUSH_FAILED);
    cr_assert_geq(dup2(whole, log_output_descriptor()), 0);
    log_lines(3, 1);
    read_some();
    cr_expect_eq(log_output_dropped(), 0);
    for (unsigned i = 0; i < 4; i++) {
        char start[32];
        snprintf(start, sizeof start, "<6>line %u .", i);
        cr_expect_not_null(strstr(written, start), "line %u", i);
    }
}

Test(log_output, a_file_takes_every_line_at_once)
{
    char path[] = "/tmp/test_log_output-XXXXXX";
    reader = mkstemp(path);
    cr_assert_geq(reader, 0);
    become_stderr(open(path, O_WRONLY | O_APPEND));
    unlink(path);
    log_output_begin();
    log_lines(0, 500);
    read_some();
    cr_expect_eq(log_output_dropped(), 0);
    cr_expect_not_null(strstr(written, "<6>line 499 "));
}

static void count_wait(void *context)
{
    ++*(unsigned *)context;
}

Test(log_output, whoever_drains_it_is_called_only_when_a_line_waits)
{
    unsigned waits = 0;
    make_pipe();
    log_output_begin();
    log_output_on_wait(count_wait, &waits);
    log_lines(0, 3);
    cr_expect_eq(waits, 0);
    log_lines(3, 10);
    cr_expect_gt(waits, 0);
    drain();
    unsigned before = waits;
    log_lines(13, 1);
    cr_expect_eq(waits, before);
}

Test(log_output, before_the_beginning_lines_are_written_at_once)
{
    make_pipe();
    log_info("early");
    read_some();
    cr_expect_str_eq(written, "<6>early\n");
}
