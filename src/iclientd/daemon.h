#ifndef ICLIENTD_DAEMON_H
#define ICLIENTD_DAEMON_H

#include "base/error.h"

/*
 * Runs until SIGTERM or SIGINT. config_file: NULL for the default. Everything that ends it early is in the log already.
 * Returns OK, or why it could not start or go on.
 */
enum status daemon_run(const char *config_file);

#endif
