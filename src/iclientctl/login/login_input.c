#include "iclientctl/login/login_input.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/secret.h"
#include "iclientctl/terminal/terminal_text.h"

struct login_input {
    int signals;
    sigset_t former;
    bool reads;
    bool too_long;   /* the line at hand is dropped up to its newline */
    size_t consumed; /* of bytes, by the line handed out last */
    size_t length;
    char bytes[LOGIN_LINE_MAX];
};

struct login_input *login_input_create(void)
{
    struct login_input *input = calloc(1, sizeof *input);
    if (!input)
        return NULL;
    static const int ends[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    sigset_t taken;
    sigemptyset(&taken);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sigaddset(&taken, ends[i]);
    input->signals = signalfd(-1, &taken, SFD_CLOEXEC);
    if (input->signals < 0 || sigprocmask(SIG_BLOCK, &taken, &input->former) != 0) {
        if (input->signals >= 0)
            close(input->signals);
        free(input);
        return NULL;
    }
    return input;
}

void login_input_destroy(struct login_input *input)
{
    if (!input)
        return;
    sigprocmask(SIG_SETMASK, &input->former, NULL);
    close(input->signals);
    secret_wipe(input, sizeof *input);
    free(input);
}

void login_input_begin_reading(struct login_input *input)
{
    input->reads = true;
}

static void drop(struct login_input *input, size_t count)
{
    memmove(input->bytes, input->bytes + count, input->length - count);
    secret_wipe(input->bytes + input->length - count, count);
    input->length -= count;
}

static char *trim(char *line, size_t length)
{
    static const char blanks[] = " \t\r";
    while (length > 0 && strchr(blanks, line[length - 1]))
        length--;
    line[length] = '\0';
    return line + strspn(line, blanks);
}

/* The next whole line that is not blank; NULL when there is none yet. */
static const char *take_line(struct login_input *input)
{
    char *newline;
    while ((newline = memchr(input->bytes, '\n', input->length))) {
        size_t length = (size_t)(newline - input->bytes);
        bool whole = !input->too_long && !memchr(input->bytes, '\0', length);
        input->too_long = false;
        char *line = trim(input->bytes, length);
        if (whole && *line) {
            input->consumed = length + 1;
            return line;
        }
        drop(input, length + 1);
    }
    if (input->length == sizeof input->bytes) {
        terminal_say("this line is too long");
        input->too_long = true;
        drop(input, input->length);
    }
    return NULL;
}

static void read_more(struct login_input *input)
{
    ssize_t count = read(STDIN_FILENO, input->bytes + input->length, sizeof input->bytes - input->length);
    if (count > 0) {
        input->length += (size_t)count;
        return;
    }
    if (count < 0 && errno == EINTR)
        return;
    /* The end: what was pasted without a newline counts as a line, and nothing more will come. */
    input->reads = false;
    if (input->length > 0 && input->length < sizeof input->bytes)
        input->bytes[input->length++] = '\n';
}

/* Else it would still be pending when signals are let through again, and end us before we have cleaned up. */
static void take_signal(struct login_input *input)
{
    struct signalfd_siginfo taken;
    ssize_t count = read(input->signals, &taken, sizeof taken);
    (void)count;
}

enum login_event login_input_wait(struct login_input *input, int milliseconds, const char **ret_line)
{
    drop(input, input->consumed);
    input->consumed = 0;
    *ret_line = take_line(input);
    if (*ret_line)
        return LOGIN_INPUT_LINE;

    struct pollfd watched[] = {{.fd = input->signals, .events = POLLIN},
                               {.fd = input->reads ? STDIN_FILENO : -1, .events = POLLIN}};
    if (poll(watched, sizeof watched / sizeof watched[0], milliseconds) <= 0)
        return LOGIN_INPUT_NOTHING;
    if (watched[0].revents) {
        take_signal(input);
        return LOGIN_INPUT_INTERRUPTED;
    }
    read_more(input);
    *ret_line = take_line(input);
    return *ret_line ? LOGIN_INPUT_LINE : LOGIN_INPUT_NOTHING;
}
