#ifndef ICLIENTD_CONFIGURATION_H
#define ICLIENTD_CONFIGURATION_H

#include "base/fault_list.h"
#include "config.h"
#include "io/file_load.h"
#include "model/catalog.h"

/*
 * Reads all that the daemon works by: its own file and the presets, iClients and connections that it names. For
 * --check and every reload; the start reads the catalog later, because what is beside it lies in the store.
 * ERR_INVALID: faults says everything that is wrong. file: NULL for the default. beside: NULL for the files alone.
 */
enum status configuration_load(const char *file, const struct catalog_source *beside, struct fault_list *faults,
                               struct config **ret_config, struct catalog **ret_catalog);
enum status configuration_load_catalog(const struct config *config, const struct catalog_source *beside,
                                       struct fault_list *faults, struct catalog **ret_catalog);

/* Logs which settings a reload read but cannot put to work without a restart (sockets, store, HTTP client, limits). */
void configuration_warn_of_restart(const struct config *running, const struct config *loaded);

#endif
