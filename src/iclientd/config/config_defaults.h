#ifndef ICLIENTD_CONFIG_CONFIG_DEFAULTS_H
#define ICLIENTD_CONFIG_CONFIG_DEFAULTS_H

#include "iclientd/config/config.h"

/* Where things are when the configuration does not say: the system's places for root, else the user's (XDG). */

/* Absolute path of the file that is read without --config. ERR_INVALID: there is no home directory; ERR_NO_MEMORY. */
enum status config_default_file(char **ret_file, struct error *ret_error);
/* Numbers and flags, before a file is read. */
void config_set_default_numbers(struct config *config);
/* Every text that is still NULL, after it was read. folder: the file's. Faults for what has no default here. */
enum status config_fill_default_texts(struct config *config, const char *folder, struct fault_list *faults);

/* folder "/" path, or path when that is absolute. Caller frees; NULL when out of memory. */
char *config_join_path(const char *folder, const char *path);

#endif
