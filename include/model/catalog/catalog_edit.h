#ifndef MODEL_CATALOG_CATALOG_EDIT_H
#define MODEL_CATALOG_CATALOG_EDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"
#include "model/catalog/catalog.h"

/*
 * One document of a finished catalog put or taken away in place, for documents that come through the API (file ""). An
 * edit is made first: all is checked and all memory is there, but nobody sees a change yet. Then it is applied, which
 * cannot fail, or destroyed. One edit at a time; the catalog outlives it and is not touched by others in between.
 * It costs what the document and the connections of its iClient cost, however large the catalog is.
 */
struct catalog_edit;

/*
 * All of these: ERR_INVALID: faults says everything that is wrong. ERR_DENIED: the document comes from a file, which
 * ret_error names. ERR_NO_MEMORY.
 *
 * An iClient whose "_id" is there is replaced, name and tenant unchanged, and its connections go on with the new one;
 * any other is added. A connection that could not go on is a fault that names it. Connections that refer to a name are
 * moved to its highest version. Secrets are literals: references are for files.
 */
enum status catalog_edit_put_iclient(struct catalog *catalog, const json_t *document, struct fault_list *faults,
                                     struct catalog_edit **ret_edit, struct error *ret_error);
/* ERR_NOT_FOUND; ERR_CONFLICT: a connection refers to it. Its implicit connection goes with it. */
enum status catalog_edit_remove_iclient(struct catalog *catalog, const char *id, struct catalog_edit **ret_edit,
                                        struct error *ret_error);
/*
 * A connection whose name (within its tenant) is there is replaced, any other added. One of a name that an iClient's
 * implicit connection has takes its place.
 */
enum status catalog_edit_put_connection(struct catalog *catalog, const json_t *document, struct fault_list *faults,
                                        struct catalog_edit **ret_edit, struct error *ret_error);
/* ERR_NOT_FOUND; ERR_CONFLICT: it is an iClient's implicit one, which goes with its iClient alone. */
enum status catalog_edit_remove_connection(struct catalog *catalog, const char *tenant, const char *name,
                                           struct catalog_edit **ret_edit, struct error *ret_error);
void catalog_edit_apply(struct catalog_edit *edit);
/* Without effect on the catalog, whether it was applied or not. */
void catalog_edit_destroy(struct catalog_edit *edit);
AUTO_DEFINE(catalog_edit);

/* What becomes of connections. Borrowed until the edit is destroyed; good before and after it is applied. */
struct catalog_change {
    const struct connection *before; /* NULL: it is new */
    const struct connection *after;  /* NULL: it goes */
};
size_t catalog_edit_change_count(const struct catalog_edit *edit);
struct catalog_change catalog_edit_change_at(const struct catalog_edit *edit, size_t index);
/* The iClient that is put; NULL for another edit. */
const struct iclient *catalog_edit_iclient(const struct catalog_edit *edit);

#endif
