#ifndef ICLIENTCTL_EXIT_CODE_H
#define ICLIENTCTL_EXIT_CODE_H

#include "base/error.h"

/* What scripts may rely on; told by `iclientctl --help`. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_AUTHORIZATION_REQUIRED = 3,
    EXIT_NOT_ALLOWED = 4,
    EXIT_PROVIDER_UNAVAILABLE = 5,
    EXIT_NOT_REACHABLE = 6,
};

/* For the "code" of an error reply; EXIT_FAILED for one that is not known here. code may be NULL. */
enum exit_code exit_code_from_api(const char *code);
/* What a person can do about an error reply, with NAME where the connection's name belongs; NULL when unknown. */
const char *exit_code_advice(const char *code);
/* For a call that got no reply. */
enum exit_code exit_code_from_status(enum status status);

#endif
