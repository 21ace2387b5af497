#ifndef ICLIENTCTL_COMMAND_COMMAND_CHECK_EXPLAIN_H
#define ICLIENTCTL_COMMAND_COMMAND_CHECK_EXPLAIN_H

#include "iclientctl/arguments.h"
#include "iclientctl/check/check_settings.h"
#include "iclientctl/exit_code.h"

/*
 * `check --explain`: the requests that the connections of the given documents lead to, an iClient's implicit one
 * included, on stdout; what is wrong with the documents on stderr. Fails on faults and on a request that cannot be
 * made.
 */
enum exit_code check_explain(const struct arguments *arguments, const struct check_settings *settings);

#endif
