#ifndef ICLIENTD_CONFIG_DIRECTORIES_H
#define ICLIENTD_CONFIG_DIRECTORIES_H

#include "base/error.h"
#include "iclientd/config/config.h"

/*
 * Makes the directories that the daemon writes to where they are missing: the state directory (0700), the token
 * socket's (0755) and the admin socket's (0750, the admin socket's group). Those that are there are left as they are.
 * ERR_INVALID: anybody may write into the state directory.
 */
enum status directories_prepare(const struct config *config, struct error *ret_error);

#endif
