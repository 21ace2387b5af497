#ifndef ICLIENTCTL_CHECK_CHECK_SETTINGS_H
#define ICLIENTCTL_CHECK_CHECK_SETTINGS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "iclientctl/arguments.h"

/*
 * What `check` takes from the daemon's configuration file: --config, else the one that a daemon of this user would
 * read. The file as a whole is the daemon's to check (iclientd --check).
 */
struct check_settings {
    char *file;     /* the configuration's path, there or not */
    char *iclients; /* folders; iclients.d, connections.d and the installed presets where the file does not say */
    char *connections;
    char *presets;
    char *redirect_uri;
    bool allow_loopback_http;
};

/* A missing file is no settings, unless --config named it. ERR_NOT_FOUND, ERR_IO, ERR_INVALID. */
enum status check_settings_init(struct check_settings *settings, const struct arguments *arguments,
                                struct error *ret_error);
void check_settings_finish(struct check_settings *settings);

#endif
