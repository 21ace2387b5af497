#ifndef ICLIENTD_CONFIG_CONFIGURATION_H
#define ICLIENTD_CONFIG_CONFIGURATION_H

#include "base/fault_list.h"
#include "iclientd/config/config.h"
#include "io/files/file_load.h"
#include "model/catalog/catalog.h"

/*
 * All that the daemon works by: its own file, and the presets, iClients and connections that it names. ERR_INVALID:
 * faults says everything that is wrong. file: NULL for the default.
 */

/* For --check: also that the key opens with the store that is there. */
enum status configuration_check(const char *file, struct fault_list *faults, struct config **ret_config,
                                struct catalog **ret_catalog);
/*
 * For a reload. What needs a restart is judged as it runs: documents are read for the redirect endpoint and the HTTP
 * client that there are. A directory that was there at the start and is gone is a fault, or a moved folder would take
 * every connection away. beside: the documents of the store.
 */
enum status configuration_reload(const char *file, const struct config *running, const struct catalog_source *beside,
                                 struct fault_list *faults, struct config **ret_config, struct catalog **ret_catalog);
/* For the start, which reads the catalog later, because what is beside the files lies in the store. */
enum status configuration_load_catalog(const struct config *config, const struct catalog_source *beside,
                                       struct fault_list *faults, struct catalog **ret_catalog);

/* Logs which settings a reload read but cannot put to work without a restart (sockets, store, HTTP client, limits). */
void configuration_warn_of_restart(const struct config *running, const struct config *loaded);

#endif
