#ifndef MODEL_CATALOG_CATALOG_H
#define MODEL_CATALOG_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"
#include "model/connection/connection.h"
#include "model/iclient/iclient.h"
#include "model/iclient/provider_preset.h"

/*
 * All presets, iClients and connections that hold together: built once by adding documents, finished, then read
 * only, but for the edits of catalog_edit.h. A reload builds a new one and swaps it, or keeps the old one.
 *
 * Order: presets, then iClients, then connections, then catalog_finish(). A document with faults is left out and its
 * faults are in the list; adding goes on, so that one run shows all of them. Returns OK, ERR_INVALID (faults were
 * added) or ERR_NO_MEMORY.
 */
struct catalog;

struct catalog_options {
    struct iclient_options iclient;
    const struct secret_resolver *resolve_secrets; /* copied, its context borrowed for life; may be NULL */
    /*
     * Likewise. Its is_silent is the catalog's own: who does not answer is asked once until catalog_finish(). What
     * keeps_unknown says ends there too: an edit with an unknown name is refused.
     */
    const struct identity_resolver *resolve_ids;
};

/* options: copied. */
struct catalog *catalog_create(const struct catalog_options *options);
void catalog_destroy(struct catalog *catalog);
AUTO_DEFINE(catalog);

enum status catalog_add_preset(struct catalog *catalog, const char *name, const json_t *document, const char *file,
                               struct fault_list *faults);
/* Also refused: name and version, ignoring case, taken within the tenant; a second iClient of one component. */
enum status catalog_add_iclient(struct catalog *catalog, const json_t *document, const char *file,
                                struct fault_list *faults);
/*
 * Also refused: a name taken within the tenant; an iClient that does not exist (with the nearest name) or of another
 * tenant.
 */
enum status catalog_add_connection(struct catalog *catalog, const json_t *document, const char *file,
                                   struct fault_list *faults);
/*
 * Gives every iClient that no connection names its implicit connection. What such a connection lacks (a value that a
 * template names, an account) and a name that is taken are warnings: the connections may come later.
 */
enum status catalog_finish(struct catalog *catalog, struct fault_list *faults);

/*
 * All borrowed; NULL when there is none. Names are exact for connections, case ignored for iClients (highest version
 * last added wins).
 */
const struct provider_preset *catalog_find_preset(const struct catalog *catalog, const char *name);
const struct iclient *catalog_find_iclient(const struct catalog *catalog, const char *tenant, const char *name);
const struct iclient *catalog_find_iclient_by_id(const struct catalog *catalog, const char *id);
const struct connection *catalog_find_connection(const struct catalog *catalog, const char *tenant, const char *name);

size_t catalog_iclient_count(const struct catalog *catalog);
const struct iclient *catalog_iclient_at(const struct catalog *catalog, size_t index);
size_t catalog_connection_count(const struct catalog *catalog);
const struct connection *catalog_connection_at(const struct catalog *catalog, size_t index);
/* Every access rule, one that several connections share several times. */
void catalog_visit_rules(const struct catalog *catalog, access_rule_visit *visit, void *context);

/* Every connection that refers to an iClient, until each returns false; its implicit one is none of them. */
typedef bool catalog_each_connection(void *context, const struct connection *connection);
void catalog_for_each_connection_of(const struct catalog *catalog, const struct iclient *iclient,
                                    catalog_each_connection *each, void *context);

#endif
