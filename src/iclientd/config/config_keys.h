#ifndef ICLIENTD_CONFIG_CONFIG_KEYS_H
#define ICLIENTD_CONFIG_CONFIG_KEYS_H

#include <jansson.h>

#include "iclientd/config/config.h"

/*
 * Reads every key of the document into the configuration. Faults: unknown keys with the nearest known one, wrong
 * types, values out of bounds. OK even then, so that what follows can add its own; ERR_NO_MEMORY.
 */
enum status config_keys_read(struct config *config, const json_t *document, const char *folder,
                             struct fault_list *faults);

#endif
