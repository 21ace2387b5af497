#ifndef ICLIENTCTL_CHECK_CHECK_CATALOG_H
#define ICLIENTCTL_CHECK_CHECK_CATALOG_H

#include "base/fault_list.h"
#include "iclientctl/check/check_settings.h"
#include "iclientctl/terminal/document_list.h"
#include "model/catalog/catalog.h"

/*
 * The documents that `check` was given, as the daemon would hold them.
 *   resolve NULL: secrets that are references are not read, for whoever checks a document need not be allowed to (the
 *   daemon's own --check reads them), and keys are checked as far as they stand in the document. Else it gives
 *   the secrets, and keys are not checked. NULL when out of memory.
 */
struct catalog *check_catalog_create(const struct check_settings *settings, const struct secret_resolver *resolve);

/* Presets, then all documents, then the end. What is wrong is in faults. ERR_NO_MEMORY. */
enum status check_catalog_fill(struct catalog *catalog, const struct check_settings *settings,
                               const struct document_list *documents, struct fault_list *faults);

#endif
