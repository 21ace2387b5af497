#include <string.h>
#include <strings.h>

#include "base/json/json_read.h"
#include "model/catalog/catalog_record.h"
#include "model/catalog/document_faults.h"
#include "model/catalog/tenant.h"

/* Nearest names are looked for among so many candidates in all; a catalog full of faults must not take minutes. */
enum { HINT_CANDIDATES_MAX = 2000000 };

bool catalog_reserve(void **array, size_t count, size_t *capacity, size_t size)
{
    if (count <= *capacity)
        return true;
    size_t wanted = *capacity ? *capacity : 16;
    while (wanted < count)
        wanted *= 2;
    void *grown = reallocarray(*array, wanted, size);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

/* ---- hints ---- */

static bool may_search(struct catalog *catalog, size_t candidates)
{
    if (candidates > HINT_CANDIDATES_MAX - catalog->hint_candidates)
        return false;
    catalog->hint_candidates += candidates;
    return true;
}

static const struct preset_entry *nearest_preset(struct catalog *catalog, const char *name)
{
    size_t count = HASH_COUNT(catalog->presets);
    const char **names = may_search(catalog, count) ? calloc(count + 1, sizeof *names) : NULL;
    if (!names)
        return NULL;
    size_t filled = 0;
    struct preset_entry *entry, *next;
    HASH_ITER (hh, catalog->presets, entry, next)
        names[filled++] = provider_preset_name(entry->preset);
    const char *nearest = nearest_name(name, names, filled);
    free(names);
    return nearest ? catalog_preset_entry(catalog, nearest) : NULL;
}

static const char *nearest_iclient(struct catalog *catalog, const struct tenant *tenant, const char *name)
{
    size_t count = tenant ? HASH_COUNT(tenant->iclients) : 0;
    const char **names = may_search(catalog, count) ? calloc(count + 1, sizeof *names) : NULL;
    if (!names)
        return NULL;
    size_t filled = 0;
    struct iclient_name *entry, *next;
    if (tenant)
        HASH_ITER (hh, tenant->iclients, entry, next)
            names[filled++] = entry->versions ? iclient_name(entry->versions->iclient) : entry->lower_name;
    const char *nearest = nearest_name(name, names, filled);
    free(names);
    return nearest;
}

/* ---- presets ---- */

static enum status take_preset(struct catalog *catalog, struct provider_preset *take_preset)
{
    AUTO(provider_preset) preset = take_preset;
    struct preset_entry *entry = preset ? calloc(1, sizeof *entry) : NULL;
    if (!entry)
        return ERR_NO_MEMORY;
    const char *name = provider_preset_name(preset);
    HASH_ADD_KEYPTR(hh, catalog->presets, name, strlen(name), entry);
    if (!entry->hh.tbl) {
        free(entry);
        return ERR_NO_MEMORY;
    }
    entry->preset = TAKE(preset);
    return OK;
}

enum status catalog_add_preset(struct catalog *catalog, const char *name, const json_t *document, const char *file,
                               struct fault_list *faults)
{
    if (catalog_preset_entry(catalog, name)) {
        fault_list_add(faults, file, "", NULL, "there is a preset \"%s\" already", name);
        return ERR_INVALID;
    }
    struct provider_preset *preset = NULL;
    enum status status = provider_preset_from_json(name, document, file, faults, &preset);
    return status == OK ? take_preset(catalog, preset) : status;
}

/*
 * The preset that a document asks for. When there is none of that name, a fault, and the nearest one, so that the
 * document's other faults are told against what was most likely meant.
 */
struct provider_preset *catalog_choose_preset(struct catalog *catalog, const json_t *document,
                                              struct document_faults *faults)
{
    static const char custom[] = "custom_oauth2";
    const char *name = json_read_string(document, "provider");
    const struct preset_entry *entry = catalog_preset_entry(catalog, name ? name : custom);
    if (!entry && name && strcmp(name, custom) != 0) {
        entry = nearest_preset(catalog, name);
        document_fault_nearest(faults, "/provider", entry ? provider_preset_name(entry->preset) : NULL,
                               "there is no provider \"%.64s\"; for any other use custom_oauth2", name);
    }
    if (!entry && !(entry = catalog_preset_entry(catalog, custom)) &&
        take_preset(catalog, provider_preset_create_empty(custom)) == OK)
        entry = catalog_preset_entry(catalog, custom);
    return entry ? entry->preset : NULL;
}

/* ---- iClients ---- */

void catalog_check_unique(const struct catalog *catalog, const struct tenant *tenant, const struct iclient *iclient,
                          const struct iclient_entry *except, struct document_faults *faults)
{
    const struct iclient_name *same_name = catalog_iclient_name(tenant, iclient_name(iclient));
    const char *version = iclient_text(iclient, ICLIENT_VERSION);
    const struct iclient_entry *entry = same_name ? same_name->versions : NULL;
    while (entry && (entry == except || strcasecmp(iclient_text(entry->iclient, ICLIENT_VERSION), version) != 0))
        entry = entry->lower_version;
    if (entry)
        document_fault(faults, "/name", NULL, "name and version are taken within the tenant (%s)",
                       catalog_origin(iclient_file(entry->iclient)));
    const struct iclient_entry *same_id = entry ? NULL : catalog_iclient_entry(catalog, iclient_id(iclient));
    if (same_id && same_id != except)
        document_fault(faults, "/_id", NULL, "is taken (%s)", catalog_origin(iclient_file(same_id->iclient)));
    const char *component = iclient_text(iclient, ICLIENT_COMPONENT);
    const struct component_entry *same_component = component ? catalog_component_entry(tenant, component) : NULL;
    if (same_component && !(except && same_component->iclient == except->iclient))
        document_fault(faults, "/component", NULL, "has an iClient already within the tenant (%s)",
                       catalog_origin(iclient_file(same_component->iclient)));
}

static bool add_component(struct tenant *tenant, const struct iclient *iclient)
{
    const char *component = iclient_text(iclient, ICLIENT_COMPONENT);
    if (!component)
        return true;
    struct component_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return false;
    entry->iclient = iclient;
    HASH_ADD_KEYPTR(hh, tenant->components, component, strlen(component), entry);
    if (entry->hh.tbl)
        return true;
    free(entry);
    return false;
}

/* Highest version first ("10" over "9"), and of equal ones the last added. */
void catalog_add_version(struct iclient_name *name, struct iclient_entry *entry)
{
    const char *version = iclient_text(entry->iclient, ICLIENT_VERSION);
    struct iclient_entry **at = &name->versions;
    while (*at && strverscmp(iclient_text((*at)->iclient, ICLIENT_VERSION), version) > 0)
        at = &(*at)->lower_version;
    entry->lower_version = *at;
    *at = entry;
}

static enum status take_iclient(struct catalog *catalog, struct tenant *tenant, struct iclient *take_iclient)
{
    AUTO(iclient) iclient = take_iclient;
    struct iclient_name *name = catalog_make_iclient_name(tenant, iclient_name(iclient));
    if (!name || !catalog_reserve((void **)&catalog->iclients, catalog->iclient_count + 1, &catalog->iclient_capacity,
                                  sizeof(struct iclient_entry *)))
        return ERR_NO_MEMORY;
    struct iclient_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return ERR_NO_MEMORY;
    HASH_ADD_KEYPTR(hh, catalog->ids, iclient_id(iclient), ICLIENT_ID_SIZE - 1, entry);
    if (!entry->hh.tbl) {
        free(entry);
        return ERR_NO_MEMORY;
    }
    entry->iclient = TAKE(iclient);
    catalog_add_version(name, entry);
    entry->index = catalog->iclient_count;
    catalog->iclients[catalog->iclient_count++] = entry;
    return add_component(tenant, entry->iclient) ? OK : ERR_NO_MEMORY;
}

/* So that its connections are told that it has faults, not that it does not exist. */
static void remember_faulty(struct catalog *catalog, const json_t *document)
{
    const char *name = json_read_string(document, "name");
    const char *tenant_name = json_read_string(document, "tenant");
    struct tenant *tenant = name ? catalog_make_tenant(catalog, tenant_name ? tenant_name : TENANT_DEFAULT) : NULL;
    struct iclient_name *entry = tenant ? catalog_make_iclient_name(tenant, name) : NULL;
    if (entry)
        entry->has_faults = true;
}

enum status catalog_add_iclient(struct catalog *catalog, const json_t *document, const char *file,
                                struct fault_list *faults)
{
    struct document_faults own = {.list = faults, .file = file};
    struct provider_preset *preset = catalog_choose_preset(catalog, document, &own);
    AUTO(iclient) iclient = NULL;
    if (!preset)
        return ERR_NO_MEMORY;
    enum status status = iclient_from_json(document, preset, file, &catalog->options.iclient,
                                           catalog->options.resolve_secrets, faults, &iclient);
    if (status == OK)
        catalog_check_unique(catalog, catalog_tenant(catalog, iclient_tenant(iclient)), iclient, NULL, &own);
    if (status == OK && own.has_errors)
        status = ERR_INVALID;
    if (status == ERR_INVALID)
        remember_faulty(catalog, document);
    if (status != OK)
        return status;
    struct tenant *tenant = catalog_make_tenant(catalog, iclient_tenant(iclient));
    return tenant ? take_iclient(catalog, tenant, TAKE(iclient)) : ERR_NO_MEMORY;
}

/* ---- connections ---- */

static void no_such_iclient(struct catalog *catalog, struct tenant *tenant, const char *tenant_name,
                            const char *reference, struct document_faults *faults)
{
    struct iclient_name *faulty = catalog_iclient_name(tenant, reference);
    if (faulty && faulty->has_faults) {
        faults->has_errors = true;
        if (!faulty->faults_told)
            document_fault(faults, "/iClient", NULL, "iClient \"%.64s\" has faults of its own", reference);
        faulty->faults_told = true;
        return;
    }
    document_fault_nearest(faults, "/iClient", nearest_iclient(catalog, tenant, reference),
                           "there is no iClient \"%.64s\" in tenant \"%.64s\"", reference, tenant_name);
}

/* By name, else by _id within the tenant. */
struct iclient_entry *catalog_resolve_iclient(struct catalog *catalog, const json_t *document,
                                              struct document_faults *faults)
{
    const char *reference = connection_iclient_reference(document);
    const char *tenant_name = json_read_string(document, "tenant");
    if (!tenant_name)
        tenant_name = TENANT_DEFAULT;
    if (!reference) {
        /* What is no object has another fault. */
        if (json_is_object(document))
            document_fault(faults, "/iClient", NULL, "is required: the name or _id of an iClient");
        return NULL;
    }
    struct tenant *tenant = catalog_tenant(catalog, tenant_name);
    struct iclient_name *name = catalog_iclient_name(tenant, reference);
    struct iclient_entry *entry = name ? name->versions : catalog_iclient_entry(catalog, reference);
    if (entry && strcmp(iclient_tenant(entry->iclient), tenant_name) == 0)
        return entry;
    no_such_iclient(catalog, tenant, tenant_name, reference, faults);
    return NULL;
}

static bool make_default_access(struct catalog *catalog)
{
    if (catalog->default_access)
        return true;
    struct access_rule *rule = NULL;
    if (access_rule_from_json(NULL, catalog->options.resolve_ids, &rule, NULL) != OK)
        return false;
    catalog->default_access = shared_access_create(rule);
    return catalog->default_access != NULL;
}

/* iclient: which it refers to; NULL for an implicit one. */
static enum status take_connection(struct catalog *catalog, struct tenant *tenant, struct iclient_entry *iclient,
                                   struct connection *take_connection, struct connection_entry **ret_entry)
{
    AUTO(connection) connection = take_connection;
    if (!catalog_reserve((void **)&catalog->connections, catalog->connection_count + 1, &catalog->connection_capacity,
                         sizeof(struct connection_entry *)))
        return ERR_NO_MEMORY;
    struct connection_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return ERR_NO_MEMORY;
    const char *name = connection_name(connection);
    HASH_ADD_KEYPTR(hh, tenant->connections, name, strlen(name), entry);
    if (!entry->hh.tbl) {
        free(entry);
        return ERR_NO_MEMORY;
    }
    entry->index = catalog->connection_count;
    catalog->connections[catalog->connection_count++] = entry;
    entry->connection = TAKE(connection);
    entry->iclient = iclient;
    if (iclient)
        DL_APPEND(iclient->connections, entry);
    *ret_entry = entry;
    return OK;
}

enum status catalog_add_connection(struct catalog *catalog, const json_t *document, const char *file,
                                   struct fault_list *faults)
{
    struct document_faults own = {.list = faults, .file = file};
    struct iclient_entry *entry = catalog_resolve_iclient(catalog, document, &own);
    if (!make_default_access(catalog))
        return ERR_NO_MEMORY;
    AUTO(connection) connection = NULL;
    if (!entry)
        return connection_from_json_sharing(document, NULL, file, catalog->options.resolve_secrets,
                                            catalog->options.resolve_ids, catalog->default_access,
                                            &catalog->access_share, faults, &connection);
    entry->named = true;
    struct tenant *tenant = catalog_tenant(catalog, iclient_tenant(entry->iclient));
    const char *name = json_read_string(document, "name");
    const struct connection_entry *taken = name ? catalog_connection_entry(tenant, name) : NULL;
    if (taken)
        document_fault(&own, "/name", NULL, "is taken within the tenant (%s)",
                       catalog_origin(connection_file(taken->connection)));
    enum status status = connection_from_json_sharing(document, entry->iclient, file, catalog->options.resolve_secrets,
                                                      catalog->options.resolve_ids, catalog->default_access,
                                                      &catalog->access_share, faults, &connection);
    if (status == OK && own.has_errors)
        status = ERR_INVALID;
    struct connection_entry *added;
    return status == OK ? take_connection(catalog, tenant, entry, TAKE(connection), &added) : status;
}

/* ---- implicit connections ---- */

void catalog_warn_of_missing_values(const struct connection *connection, struct document_faults *faults)
{
    const struct iclient *iclient = connection_iclient(connection);
    static const char hint[] = "add a connection that has it, or set it in the iClient";
    for (size_t i = 0; i < iclient->connection_path_count; i++)
        if (!connection_has_path(connection, NULL, iclient->connection_paths[i]))
            document_warning(faults, "", hint, "no connection names this iClient, and its own lacks connection.%s",
                             iclient->connection_paths[i]);
    if (iclient_grant(iclient) == GRANT_PASSWORD &&
        (!connection_username(connection) || !connection_has_password(connection)))
        document_warning(faults, "", hint, "no connection names this iClient, and its own lacks username or password");
    connection_check_uris(connection, NULL, faults);
}

static enum status add_implicit(struct catalog *catalog, const struct iclient *iclient, struct fault_list *faults)
{
    struct document_faults own = {.list = faults, .file = iclient_file(iclient)};
    struct tenant *tenant = catalog_tenant(catalog, iclient_tenant(iclient));
    const struct connection_entry *taken = catalog_connection_entry(tenant, iclient_name(iclient));
    const struct iclient *meant = catalog_find_iclient(catalog, iclient_tenant(iclient), iclient_name(iclient));
    if (taken || meant != iclient) {
        document_warning(&own, "/name", "add a connection that names it by _id",
                         "no connection names this iClient, and its own name is taken (%s)",
                         catalog_origin(taken ? connection_file(taken->connection) : iclient_file(meant)));
        return OK;
    }
    AUTO(connection) connection = connection_implicit_sharing(iclient, catalog->default_access);
    if (!connection)
        return ERR_NO_MEMORY;
    catalog_warn_of_missing_values(connection, &own);
    struct iclient_name *name = catalog_iclient_name(tenant, iclient_name(iclient));
    return take_connection(catalog, tenant, NULL, TAKE(connection), &name->implicit);
}

enum status catalog_finish(struct catalog *catalog, struct fault_list *faults)
{
    access_share_finish(&catalog->access_share);
    if (!make_default_access(catalog))
        return ERR_NO_MEMORY;
    /* An edit is judged by itself, and its author is there to be told. */
    catalog->identities.is_silent = NULL;
    catalog->identities.keeps_unknown = false;
    for (size_t i = 0; i < catalog->iclient_count; i++) {
        const struct iclient_entry *entry = catalog->iclients[i];
        if (entry->named)
            continue;
        enum status status = add_implicit(catalog, entry->iclient, faults);
        if (status != OK)
            return status;
    }
    return OK;
}
