#ifndef TEST_STANDARD_STREAMS_H
#define TEST_STANDARD_STREAMS_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

/* What a test writes to stdout or stderr; each test is its own process, which ends with the descriptor replaced. */

enum { CAUGHT_MAX = 16 * 1024 };

/* The reading end of the pipe that descriptor becomes. */
static inline int stream_catch(int descriptor)
{
    int pipes[2];
    cr_assert_eq(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    cr_assert_eq(dup2(pipes[1], descriptor), descriptor);
    close(pipes[1]);
    return pipes[0];
}

/* All that was written since the last call, in text. */
static inline const char *stream_read(int reading, char text[CAUGHT_MAX])
{
    ssize_t length = read(reading, text, CAUGHT_MAX - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

#endif
