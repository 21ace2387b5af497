#ifndef ICLIENTD_CONFINEMENT_H
#define ICLIENTD_CONFINEMENT_H

#include "base/error.h"
#include "iclientd/config/config.h"

/*
 * The two steps of io/host/sandbox.h for this daemon, unless "sandbox" is false. What the kernel does not offer is a
 * warning in the log; any other failure is an error, as a daemon that was to be confined must not run as if it were.
 */

/* When the key and the directories are made, and no thread is. */
enum status confinement_limit_files(const struct config *config, struct error *ret_error);
/* When the sockets listen. */
enum status confinement_limit_calls(const struct config *config, struct error *ret_error);

#endif
