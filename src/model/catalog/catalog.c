#include "model/catalog/catalog.h"

#include <ctype.h>
#include <string.h>

#include "model/catalog/catalog_record.h"

/* ---- life ---- */

struct catalog *catalog_create(const struct catalog_options *options)
{
    AUTO(catalog) catalog = calloc(1, sizeof *catalog);
    if (!catalog || !options)
        return TAKE(catalog);
    catalog->options = *options;
    if (options->resolve_secrets) {
        catalog->secrets = *options->resolve_secrets;
        catalog->options.resolve_secrets = &catalog->secrets;
    }
    if (options->resolve_ids) {
        catalog->identities = *options->resolve_ids;
        catalog->identities.is_silent = &catalog->are_identities_silent;
        catalog->options.resolve_ids = &catalog->identities;
    }
    if (options->iclient.default_redirect_uri) {
        catalog->default_redirect_uri = strdup(options->iclient.default_redirect_uri);
        catalog->options.iclient.default_redirect_uri = catalog->default_redirect_uri;
        if (!catalog->default_redirect_uri)
            return NULL;
    }
    return TAKE(catalog);
}

static void tenant_destroy(struct tenant *tenant)
{
    struct iclient_name *name, *next_name;
    HASH_ITER (hh, tenant->iclients, name, next_name) {
        HASH_DEL(tenant->iclients, name);
        free(name);
    }
    struct connection_entry *connection, *next_connection;
    HASH_ITER (hh, tenant->connections, connection, next_connection) {
        HASH_DEL(tenant->connections, connection);
        connection_destroy(connection->connection);
        free(connection);
    }
    struct component_entry *component, *next_component;
    HASH_ITER (hh, tenant->components, component, next_component) {
        HASH_DEL(tenant->components, component);
        free(component);
    }
    free(tenant->name);
    free(tenant);
}

void catalog_destroy(struct catalog *catalog)
{
    if (!catalog)
        return;
    struct tenant *tenant, *next_tenant;
    HASH_ITER (hh, catalog->tenants, tenant, next_tenant) {
        HASH_DEL(catalog->tenants, tenant);
        tenant_destroy(tenant);
    }
    struct iclient_entry *entry, *next_entry;
    HASH_ITER (hh, catalog->ids, entry, next_entry) {
        HASH_DEL(catalog->ids, entry);
        iclient_destroy(entry->iclient);
        free(entry);
    }
    struct preset_entry *preset, *next_preset;
    HASH_ITER (hh, catalog->presets, preset, next_preset) {
        HASH_DEL(catalog->presets, preset);
        provider_preset_destroy(preset->preset);
        free(preset);
    }
    access_share_finish(&catalog->access_share);
    shared_access_destroy(catalog->default_access);
    free(catalog->default_redirect_uri);
    free(catalog->iclients);
    free(catalog->connections);
    free(catalog);
}

/* ---- look-up ---- */

struct tenant *catalog_tenant(const struct catalog *catalog, const char *name)
{
    struct tenant *tenant = NULL;
    HASH_FIND(hh, catalog->tenants, name, strlen(name), tenant);
    return tenant;
}

struct tenant *catalog_make_tenant(struct catalog *catalog, const char *name)
{
    struct tenant *tenant = catalog_tenant(catalog, name);
    if (tenant || !(tenant = calloc(1, sizeof *tenant)))
        return tenant;
    tenant->name = strdup(name);
    if (tenant->name)
        HASH_ADD_KEYPTR(hh, catalog->tenants, tenant->name, strlen(tenant->name), tenant);
    if (tenant->hh.tbl)
        return tenant;
    free(tenant->name);
    free(tenant);
    return NULL;
}

static void lower_case(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

struct iclient_name *catalog_iclient_name(const struct tenant *tenant, const char *name)
{
    struct iclient_name *found = NULL;
    char lower[NAME_SIZE];
    if (!tenant || strlen(name) >= sizeof lower)
        return NULL;
    strcpy(lower, name);
    lower_case(lower);
    HASH_FIND(hh, tenant->iclients, lower, strlen(lower), found);
    return found;
}

struct iclient_name *catalog_make_iclient_name(struct tenant *tenant, const char *name)
{
    struct iclient_name *made = catalog_iclient_name(tenant, name);
    if (made || strlen(name) >= sizeof made->lower_name || !(made = calloc(1, sizeof *made)))
        return made;
    strcpy(made->lower_name, name);
    lower_case(made->lower_name);
    HASH_ADD_KEYPTR(hh, tenant->iclients, made->lower_name, strlen(made->lower_name), made);
    if (made->hh.tbl)
        return made;
    free(made);
    return NULL;
}

struct iclient_entry *catalog_iclient_entry(const struct catalog *catalog, const char *id)
{
    struct iclient_entry *entry = NULL;
    char lower[ICLIENT_ID_SIZE];
    if (strlen(id) != ICLIENT_ID_SIZE - 1)
        return NULL;
    memcpy(lower, id, sizeof lower);
    lower_case(lower);
    HASH_FIND(hh, catalog->ids, lower, ICLIENT_ID_SIZE - 1, entry);
    return entry;
}

struct preset_entry *catalog_preset_entry(const struct catalog *catalog, const char *name)
{
    struct preset_entry *entry = NULL;
    HASH_FIND(hh, catalog->presets, name, strlen(name), entry);
    return entry;
}

struct connection_entry *catalog_connection_entry(const struct tenant *tenant, const char *name)
{
    struct connection_entry *entry = NULL;
    if (tenant)
        HASH_FIND(hh, tenant->connections, name, strlen(name), entry);
    return entry;
}

struct component_entry *catalog_component_entry(const struct tenant *tenant, const char *component)
{
    struct component_entry *entry = NULL;
    if (tenant)
        HASH_FIND(hh, tenant->components, component, strlen(component), entry);
    return entry;
}

const struct provider_preset *catalog_find_preset(const struct catalog *catalog, const char *name)
{
    const struct preset_entry *entry = catalog_preset_entry(catalog, name);
    return entry ? entry->preset : NULL;
}

const struct iclient *catalog_find_iclient(const struct catalog *catalog, const char *tenant, const char *name)
{
    const struct iclient_name *found = catalog_iclient_name(catalog_tenant(catalog, tenant), name);
    return found && found->versions ? found->versions->iclient : NULL;
}

const struct iclient *catalog_find_iclient_by_id(const struct catalog *catalog, const char *id)
{
    const struct iclient_entry *entry = catalog_iclient_entry(catalog, id);
    return entry ? entry->iclient : NULL;
}

const struct connection *catalog_find_connection(const struct catalog *catalog, const char *tenant, const char *name)
{
    const struct connection_entry *entry = catalog_connection_entry(catalog_tenant(catalog, tenant), name);
    return entry ? entry->connection : NULL;
}

size_t catalog_iclient_count(const struct catalog *catalog)
{
    return catalog->iclient_count;
}

const struct iclient *catalog_iclient_at(const struct catalog *catalog, size_t index)
{
    return index < catalog->iclient_count ? catalog->iclients[index]->iclient : NULL;
}

size_t catalog_connection_count(const struct catalog *catalog)
{
    return catalog->connection_count;
}

const struct connection *catalog_connection_at(const struct catalog *catalog, size_t index)
{
    return index < catalog->connection_count ? catalog->connections[index]->connection : NULL;
}

void catalog_visit_rules(const struct catalog *catalog, access_rule_visit *visit, void *context)
{
    /* Connections that an edit adds share it, too. */
    if (catalog->default_access)
        visit(context, catalog->default_access->rule);
    for (size_t i = 0; i < catalog->connection_count; i++) {
        const struct shared_access *access = catalog->connections[i]->connection->access;
        if (access != catalog->default_access)
            visit(context, access->rule);
    }
}

void catalog_for_each_connection_of(const struct catalog *catalog, const struct iclient *iclient,
                                    catalog_each_connection *each, void *context)
{
    const struct iclient_entry *entry = catalog_iclient_entry(catalog, iclient_id(iclient));
    for (const struct connection_entry *at = entry ? entry->connections : NULL; at; at = at->next)
        if (!each(context, at->connection))
            return;
}
