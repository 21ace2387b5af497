#ifndef ICLIENTD_STATE_FILES_H
#define ICLIENTD_STATE_FILES_H

#include <stdbool.h>

#include "iclientd/config/config.h"
#include "io/store/store_crypto.h"

/* The store and the key that opens it: where they are, and that they belong together. */
enum { STATE_PATH_MAX = 4096 };

/* ERR_INVALID: the state directory's path is too long. */
enum status state_files_store_path(const struct config *config, char ret_path[STATE_PATH_MAX], struct error *ret_error);
/*
 * Reads the key, or keys. Where there is neither a key nor a store, make decides whether one is made; without one that
 * was to be made, OK with NULL. A store without its key is an error, because a new key would lock out every token in
 * it. Errors of store_key_load().
 */
enum status state_files_load_key(const struct config *config, bool make, struct store_crypto **ret_crypto,
                                 struct error *ret_error);
/*
 * The directory that the key file stands in, links resolved, where nothing else stands there: then the daemon may be
 * let write into it, which a change of the key takes, without the configuration's being open to it as well. False: it
 * is none of its own.
 */
bool state_files_key_directory(const struct config *config, char ret_path[STATE_PATH_MAX]);

#endif
