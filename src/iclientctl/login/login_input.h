#ifndef ICLIENTCTL_LOGIN_LOGIN_INPUT_H
#define ICLIENTCTL_LOGIN_LOGIN_INPUT_H

#include <stdbool.h>

#include "base/cleanup.h"

/* What a person does while a login runs: pastes an address, or presses Ctrl-C. */
enum { LOGIN_LINE_MAX = 16 * 1024 };

enum login_event { LOGIN_INPUT_NOTHING, LOGIN_INPUT_LINE, LOGIN_INPUT_INTERRUPTED };

struct login_input;

/* Takes over SIGHUP, SIGINT, SIGPIPE and SIGTERM until destroyed. NULL when the system refuses. */
struct login_input *login_input_create(void);
void login_input_destroy(struct login_input *input);
AUTO_DEFINE(login_input);

/* From now on lines of stdin count. */
void login_input_begin_reading(struct login_input *input);

/* Waits at most that long. ret_line: one line, trimmed, never empty; borrowed until the next call and wiped then. */
enum login_event login_input_wait(struct login_input *input, int milliseconds, const char **ret_line);

#endif
