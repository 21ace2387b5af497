/* The first half of an edit: what is to become of iClients and connections, judged and with all memory at hand. */
#include "model/catalog/catalog_edit.h"

#include <string.h>

#include "base/json/json_read.h"
#include "model/catalog/catalog_edit_record.h"

/* After so many connections that could not go on, the rest would say the same. */
enum { BROKEN_CONNECTIONS_MAX = 20 };

/* A document that comes over the network must not make the daemon read files for whoever sent it. */
static enum status refuse_reference(void *context, const char *file, enum secret_source source, const char *name,
                                    struct secret **ret_secret, struct error *ret_error)
{
    (void)context;
    (void)file;
    (void)source;
    (void)name;
    (void)ret_secret;
    return error_set(ret_error, ERR_DENIED,
                     "references are for documents in files; through the API write the secret itself");
}
static const struct secret_resolver literals_only = {.read = refuse_reference};

static struct catalog_edit *edit_create(struct catalog *catalog)
{
    struct catalog_edit *edit = calloc(1, sizeof *edit);
    if (edit)
        edit->catalog = catalog;
    catalog->hint_candidates = 0;
    return edit;
}

static enum status no_memory(struct error *ret_error)
{
    return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
}

static enum status check_writable(const char *what, const char *name, const char *file, struct error *ret_error)
{
    if (*file == '\0')
        return OK;
    return error_set(ret_error, ERR_DENIED, "%s %s comes from the file %s: change it there and reload", what, name,
                     file);
}

/* ---- planned connections ---- */

/* Consumes take_after. iclient: that it will refer to; NULL for an implicit one and one that goes. */
static enum status plan(struct catalog_edit *edit, struct connection_entry *entry, struct iclient_entry *iclient,
                        struct connection *take_after)
{
    AUTO(connection) after = take_after;
    if (!catalog_reserve((void **)&edit->connections, edit->connection_count + 1, &edit->connection_capacity,
                         sizeof *edit->connections))
        return ERR_NO_MEMORY;
    edit->connections[edit->connection_count++] = (struct planned_connection){
        .entry = entry, .iclient = iclient, .before = entry->connection, .after = TAKE(after)};
    return OK;
}

/*
 * The document that is edited is the first change, and the only one that another rule may have a say in. NULL when it
 * is not this entry.
 */
static struct planned_connection *planned_first(struct catalog_edit *edit, const struct connection_entry *entry)
{
    bool is_first = entry && !edit->iclient.entry && edit->connection_count > 0 && edit->connections[0].entry == entry;
    return is_first ? &edit->connections[0] : NULL;
}

/* The place of a connection's name, made when there is none. A new one has to be planned next, or it is lost. */
static struct connection_entry *ensure_place(struct catalog_edit *edit, const char *name)
{
    struct connection_entry *entry = catalog_connection_entry(edit->tenant, name);
    if (entry || !(entry = calloc(1, sizeof *entry)))
        return entry;
    HASH_ADD_KEYPTR(hh, edit->tenant->connections, name, strlen(name), entry);
    if (entry->hh.tbl)
        return entry;
    free(entry);
    return NULL;
}

/* Plans a connection at the place of its own name. */
static enum status plan_at_name(struct catalog_edit *edit, struct iclient_entry *iclient,
                                struct connection *take_connection)
{
    AUTO(connection) connection = take_connection;
    /* Room first: a place that is there but not planned would never be given back. */
    if (!connection || !catalog_reserve((void **)&edit->connections, edit->connection_count + 1,
                                        &edit->connection_capacity, sizeof *edit->connections))
        return ERR_NO_MEMORY;
    struct connection_entry *entry = ensure_place(edit, connection_name(connection));
    return entry ? plan(edit, entry, iclient, TAKE(connection)) : ERR_NO_MEMORY;
}

static bool is_explicit(const struct connection_entry *entry)
{
    return entry && entry->connection && !connection_is_implicit(entry->connection);
}

/* ---- implicit connections ---- */

/* Whether an iClient's name will stand for a connection that is none of its own. */
static bool will_be_taken(struct catalog_edit *edit, const struct connection_entry *entry)
{
    const struct planned_connection *planned = planned_first(edit, entry);
    return planned ? planned->after != NULL : is_explicit(entry);
}

static enum status plan_implicit_of(struct catalog_edit *edit, const struct iclient *meant, struct fault_list *faults)
{
    AUTO(connection) connection = connection_implicit_sharing(meant, edit->catalog->default_access);
    if (!connection)
        return ERR_NO_MEMORY;
    struct document_faults own = {.list = faults, .file = iclient_file(meant)};
    if (faults)
        catalog_warn_of_missing_values(connection, &own);
    struct planned_connection *planned =
        planned_first(edit, catalog_connection_entry(edit->tenant, iclient_name(meant)));
    if (!planned)
        return plan_at_name(edit, NULL, TAKE(connection));
    planned->after = TAKE(connection);
    return OK;
}

/*
 * What is to become of the implicit connection of a name: meant is the iClient that the name will stand for (NULL:
 * none), is_named whether a connection will refer to that.
 */
static enum status plan_implicit(struct catalog_edit *edit, const struct iclient_name *name,
                                 const struct iclient *meant, bool is_named, struct fault_list *faults)
{
    struct connection_entry *old = name->implicit;
    struct connection_entry *place = meant ? catalog_connection_entry(edit->tenant, iclient_name(meant)) : NULL;
    bool is_wanted = meant && !is_named && !will_be_taken(edit, place);
    bool stays = old && is_wanted && place == old;
    if (stays && connection_iclient(old->connection) == meant)
        return OK;
    enum status status = is_wanted ? plan_implicit_of(edit, meant, faults) : OK;
    if (status == OK && old && !stays && !planned_first(edit, old))
        status = plan(edit, old, NULL, NULL);
    return status;
}

/* ---- iClients ---- */

static struct iclient_entry *highest_version(const struct catalog_edit *edit)
{
    const struct planned_iclient *planned = &edit->iclient;
    struct iclient_entry *first = planned->name->versions;
    if (first == planned->entry)
        first = first->lower_version;
    if (!planned->after)
        return first;
    bool is_lower = first && strverscmp(iclient_text(first->iclient, ICLIENT_VERSION),
                                        iclient_text(planned->after, ICLIENT_VERSION)) > 0;
    return is_lower ? first : planned->entry;
}

static const struct iclient *iclient_after(const struct catalog_edit *edit, const struct iclient_entry *entry)
{
    return entry && entry == edit->iclient.entry ? edit->iclient.after : entry ? entry->iclient : NULL;
}

static void tell_broken(const struct connection *connection, const struct fault_list *own, struct fault_list *faults)
{
    for (size_t i = 0; i < fault_list_count(own); i++) {
        const struct fault *fault = fault_list_at(own, i);
        if (!fault->warning)
            fault_list_add(faults, "", "", fault->hint, "connection \"%s\" (%s) could not go on: %s %s",
                           connection_name(connection), catalog_origin(connection_file(connection)), fault->pointer,
                           fault->message);
    }
}

static enum status plan_rebind(struct catalog_edit *edit, struct connection_entry *entry, struct iclient_entry *target,
                               struct fault_list *faults)
{
    AUTO(fault_list) own = fault_list_create();
    struct connection *after = NULL;
    if (!own)
        return ERR_NO_MEMORY;
    enum status status = connection_rebind(entry->connection, iclient_after(edit, target), own, &after);
    if (status == ERR_INVALID)
        tell_broken(entry->connection, own, faults);
    return status == OK ? plan(edit, entry, target, after) : status;
}

/* The connections of every version of the edited name, and the implicit one. */
static enum status plan_connections(struct catalog_edit *edit, struct fault_list *faults)
{
    struct iclient_entry *meant = highest_version(edit);
    bool is_named = false;
    size_t broken = 0;
    for (struct iclient_entry *version = edit->iclient.name->versions; version; version = version->lower_version) {
        for (struct connection_entry *at = version->connections; at; at = at->next) {
            struct iclient_entry *target = at->connection->refers_by_id ? version : meant;
            is_named |= target == meant;
            if (target == version && version != edit->iclient.entry)
                continue;
            enum status status = plan_rebind(edit, at, target, faults);
            if (status != OK && status != ERR_INVALID)
                return status;
            broken += status == ERR_INVALID;
            if (broken == BROKEN_CONNECTIONS_MAX)
                return ERR_INVALID;
        }
    }
    if (broken > 0)
        return ERR_INVALID;
    return plan_implicit(edit, edit->iclient.name, iclient_after(edit, meant), is_named, faults);
}

static enum status reserve_arrays(struct catalog_edit *edit)
{
    struct catalog *catalog = edit->catalog;
    bool has_room = catalog_reserve((void **)&catalog->iclients, catalog->iclient_count + 1, &catalog->iclient_capacity,
                                    sizeof *catalog->iclients) &&
                    catalog_reserve((void **)&catalog->connections, catalog->connection_count + edit->connection_count,
                                    &catalog->connection_capacity, sizeof *catalog->connections);
    return has_room ? OK : ERR_NO_MEMORY;
}

/* What a replacement has to keep: connections, what is on disk and the connector that made it know it by these. */
static void check_same_identity(const struct iclient *before, const struct iclient *after,
                                struct document_faults *faults)
{
    if (strcmp(iclient_name(before), iclient_name(after)) != 0)
        document_fault(faults, "/name", NULL, "is \"%s\" for good: a new name is a new iClient", iclient_name(before));
    if (strcmp(iclient_tenant(before), iclient_tenant(after)) != 0)
        document_fault(faults, "/tenant", NULL, "is \"%s\" for good: another tenant has an iClient of its own",
                       iclient_tenant(before));
    const char *connector = iclient_text(before, ICLIENT_HTTP_CONNECTOR_ID);
    const char *replaced = iclient_text(after, ICLIENT_HTTP_CONNECTOR_ID);
    if (connector && (!replaced || strcasecmp(connector, replaced) != 0))
        document_fault(faults, "/_httpConnectorId", NULL, "is \"%s\" and cannot be changed once it is set", connector);
}

static enum status read_iclient(struct catalog_edit *edit, const json_t *document, struct fault_list *faults,
                                struct error *ret_error)
{
    struct catalog *catalog = edit->catalog;
    struct document_faults own = {.list = faults, .file = ""};
    struct provider_preset *preset = catalog_choose_preset(catalog, document, &own);
    if (!preset)
        return no_memory(ret_error);
    enum status status = iclient_from_json(document, preset, "", &catalog->options.iclient, &literals_only, faults,
                                           &edit->iclient.after);
    if (status != OK)
        return status == ERR_NO_MEMORY ? no_memory(ret_error) : status;
    const struct iclient *after = edit->iclient.after;
    struct iclient_entry *entry = catalog_iclient_entry(catalog, iclient_id(after));
    if (entry) {
        status = check_writable("iClient", iclient_name(entry->iclient), iclient_file(entry->iclient), ret_error);
        check_same_identity(entry->iclient, after, &own);
    }
    if (status == OK)
        catalog_check_unique(catalog, catalog_tenant(catalog, iclient_tenant(after)), after, entry, &own);
    return status == OK && own.has_errors ? ERR_INVALID : status;
}

static bool make_component_place(struct catalog_edit *edit)
{
    const char *name = iclient_text(edit->iclient.after, ICLIENT_COMPONENT);
    if (!name || (edit->iclient.component = catalog_component_entry(edit->tenant, name)))
        return true;
    struct component_entry *component = calloc(1, sizeof *component);
    if (!component)
        return false;
    HASH_ADD_KEYPTR(hh, edit->tenant->components, name, strlen(name), component);
    if (component->hh.tbl)
        edit->iclient.component = component;
    else
        free(component);
    return edit->iclient.component != NULL;
}

static bool make_iclient_places(struct catalog_edit *edit)
{
    struct catalog *catalog = edit->catalog;
    const struct iclient *after = edit->iclient.after;
    edit->tenant = catalog_make_tenant(catalog, iclient_tenant(after));
    edit->iclient.name = edit->tenant ? catalog_make_iclient_name(edit->tenant, iclient_name(after)) : NULL;
    if (!edit->iclient.name || !make_component_place(edit))
        return false;
    struct iclient_entry *entry = catalog_iclient_entry(catalog, iclient_id(after));
    if (!entry) {
        if (!(entry = calloc(1, sizeof *entry)))
            return false;
        HASH_ADD_KEYPTR(hh, catalog->ids, iclient_id(after), ICLIENT_ID_SIZE - 1, entry);
        if (!entry->hh.tbl) {
            free(entry);
            return false;
        }
    }
    edit->iclient.entry = entry;
    edit->iclient.before = entry->iclient;
    return true;
}

enum status catalog_edit_put_iclient(struct catalog *catalog, const json_t *document, struct fault_list *faults,
                                     struct catalog_edit **ret_edit, struct error *ret_error)
{
    AUTO(catalog_edit) edit = edit_create(catalog);
    if (!edit)
        return no_memory(ret_error);
    enum status status = read_iclient(edit, document, faults, ret_error);
    if (status != OK)
        return status;
    if (!make_iclient_places(edit))
        return no_memory(ret_error);
    status = plan_connections(edit, faults);
    if (status == OK)
        status = reserve_arrays(edit);
    if (status == ERR_NO_MEMORY)
        return no_memory(ret_error);
    if (status == OK)
        *ret_edit = TAKE(edit);
    return status;
}

enum status catalog_edit_remove_iclient(struct catalog *catalog, const char *id, struct catalog_edit **ret_edit,
                                        struct error *ret_error)
{
    struct iclient_entry *entry = catalog_iclient_entry(catalog, id);
    if (!entry)
        return error_set(ret_error, ERR_NOT_FOUND, "there is no iClient of this _id");
    const struct iclient *iclient = entry->iclient;
    /* First: who uses it has to be dealt with wherever it comes from. */
    if (entry->connections) {
        const struct connection *user = entry->connections->connection;
        return error_set(ret_error, ERR_CONFLICT, "iClient %s is used by connection \"%s\" (%s)%s",
                         iclient_name(iclient), connection_name(user), catalog_origin(connection_file(user)),
                         entry->connections->next ? " and by others" : "");
    }
    enum status status = check_writable("iClient", iclient_name(iclient), iclient_file(iclient), ret_error);
    if (status != OK)
        return status;
    AUTO(catalog_edit) edit = edit_create(catalog);
    if (!edit)
        return no_memory(ret_error);
    edit->tenant = catalog_tenant(catalog, iclient_tenant(iclient));
    edit->iclient = (struct planned_iclient){
        .entry = entry, .name = catalog_iclient_name(edit->tenant, iclient_name(iclient)), .before = entry->iclient};
    if (plan_connections(edit, NULL) != OK || reserve_arrays(edit) != OK)
        return no_memory(ret_error);
    *ret_edit = TAKE(edit);
    return OK;
}

/* ---- connections ---- */

/* Whether a connection will refer to an iClient, once the first change is done. */
static bool is_named_after(const struct catalog_edit *edit, const struct iclient_entry *iclient)
{
    const struct planned_connection *first = &edit->connections[0];
    const struct connection_entry *at = iclient->connections;
    if (at == first->entry)
        at = at->next;
    return at || first->iclient == iclient;
}

static enum status plan_implicit_of_name(struct catalog_edit *edit, const char *name, struct fault_list *faults)
{
    const struct iclient_name *record = catalog_iclient_name(edit->tenant, name);
    if (!record || !record->versions)
        return OK;
    return plan_implicit(edit, record, record->versions->iclient, is_named_after(edit, record->versions), faults);
}

/* The iClient that it left, the one that it came to, and the one whose name it has. */
static enum status plan_neighbours(struct catalog_edit *edit, struct fault_list *faults)
{
    const struct iclient_entry *left = edit->connections[0].entry->iclient;
    const struct iclient_entry *entered = edit->connections[0].iclient;
    const char *own_name =
        connection_name(edit->connections[0].after ? edit->connections[0].after : edit->connections[0].before);
    enum status status = left ? plan_implicit_of_name(edit, iclient_name(left->iclient), faults) : OK;
    bool is_other = entered && !(left && strcasecmp(iclient_name(left->iclient), iclient_name(entered->iclient)) == 0);
    if (status == OK && is_other)
        status = plan_implicit_of_name(edit, iclient_name(entered->iclient), faults);
    bool is_third = !(left && strcasecmp(iclient_name(left->iclient), own_name) == 0) &&
                    !(entered && strcasecmp(iclient_name(entered->iclient), own_name) == 0);
    if (status == OK && is_third)
        status = plan_implicit_of_name(edit, own_name, faults);
    return status == OK ? reserve_arrays(edit) : status;
}

/* iclient NULL: there is none, and that is told. */
static enum status read_connection(struct catalog_edit *edit, const json_t *document, struct iclient_entry *iclient,
                                   struct fault_list *faults, struct error *ret_error)
{
    const struct catalog_options *options = &edit->catalog->options;
    AUTO(connection) connection = NULL;
    enum status status =
        connection_from_json_sharing(document, iclient ? iclient->iclient : NULL, "", &literals_only,
                                     options->resolve_ids, edit->catalog->default_access, NULL, faults, &connection);
    if (status != OK)
        return status;
    const struct connection_entry *taken = catalog_connection_entry(edit->tenant, connection_name(connection));
    if (is_explicit(taken))
        status =
            check_writable("connection", connection_name(connection), connection_file(taken->connection), ret_error);
    return status == OK ? plan_at_name(edit, iclient, TAKE(connection)) : status;
}

enum status catalog_edit_put_connection(struct catalog *catalog, const json_t *document, struct fault_list *faults,
                                        struct catalog_edit **ret_edit, struct error *ret_error)
{
    AUTO(catalog_edit) edit = edit_create(catalog);
    if (!edit)
        return no_memory(ret_error);
    struct document_faults own = {.list = faults, .file = ""};
    struct iclient_entry *iclient = catalog_resolve_iclient(catalog, document, &own);
    if (iclient)
        edit->tenant = catalog_tenant(catalog, iclient_tenant(iclient->iclient));
    enum status status = read_connection(edit, document, iclient, faults, ret_error);
    if (status == OK)
        status = plan_neighbours(edit, NULL);
    if (status == ERR_NO_MEMORY)
        return no_memory(ret_error);
    if (status == OK)
        *ret_edit = TAKE(edit);
    return status;
}

enum status catalog_edit_remove_connection(struct catalog *catalog, const char *tenant, const char *name,
                                           struct catalog_edit **ret_edit, struct error *ret_error)
{
    struct tenant *within = catalog_tenant(catalog, tenant);
    struct connection_entry *entry = catalog_connection_entry(within, name);
    if (!entry)
        return error_set(ret_error, ERR_NOT_FOUND, "no connection has this name");
    if (!is_explicit(entry))
        return error_set(ret_error, ERR_CONFLICT,
                         "connection %s is the iClient's own, which no document stands for: it goes with its iClient",
                         name);
    enum status status = check_writable("connection", name, connection_file(entry->connection), ret_error);
    if (status != OK)
        return status;
    AUTO(catalog_edit) edit = edit_create(catalog);
    if (!edit)
        return no_memory(ret_error);
    edit->tenant = within;
    status = plan(edit, entry, NULL, NULL);
    if (status == OK)
        status = plan_neighbours(edit, NULL);
    if (status != OK)
        return no_memory(ret_error);
    *ret_edit = TAKE(edit);
    return OK;
}
