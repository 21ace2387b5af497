/* The second half of an edit: everything is there, nothing can fail. */
#include <string.h>

#include "model/catalog/catalog_edit_record.h"

/* ---- iClients ---- */

static void unlink_version(struct iclient_name *name, const struct iclient_entry *entry)
{
    struct iclient_entry **at = &name->versions;
    while (*at && *at != entry)
        at = &(*at)->lower_version;
    if (*at)
        *at = entry->lower_version;
}

static struct component_entry *component_of(const struct tenant *tenant, const struct iclient *iclient)
{
    const char *component = iclient_text(iclient, ICLIENT_COMPONENT);
    return component ? catalog_component_entry(tenant, component) : NULL;
}

static void remove_component(struct tenant *tenant, struct component_entry *component)
{
    HASH_DEL(tenant->components, component);
    free(component);
}

/* Hash keys lie in the objects that they belong to: an entry that gets a new object gets its key. */
static void set_component(struct component_entry *component, const struct iclient *iclient)
{
    component->iclient = iclient;
    component->hh.key = iclient_text(iclient, ICLIENT_COMPONENT);
}

static void add_iclient_to_array(struct catalog *catalog, struct iclient_entry *entry)
{
    entry->index = catalog->iclient_count;
    catalog->iclients[catalog->iclient_count++] = entry;
}

/* The last one moves into the gap. */
static void remove_iclient_from_array(struct catalog *catalog, const struct iclient_entry *entry)
{
    struct iclient_entry *last = catalog->iclients[--catalog->iclient_count];
    last->index = entry->index;
    catalog->iclients[last->index] = last;
}

static void apply_iclient(struct catalog_edit *edit)
{
    struct planned_iclient *planned = &edit->iclient;
    struct iclient_entry *entry = planned->entry;
    if (!entry)
        return;
    if (planned->before) {
        struct component_entry *component = component_of(edit->tenant, planned->before);
        if (component && component != planned->component)
            remove_component(edit->tenant, component);
        unlink_version(planned->name, entry);
    }
    entry->iclient = planned->after;
    if (planned->component)
        set_component(planned->component, planned->after);
    if (!planned->before)
        add_iclient_to_array(edit->catalog, entry);
    if (planned->after) {
        entry->hh.key = iclient_id(planned->after);
        catalog_add_version(planned->name, entry);
        return;
    }
    remove_iclient_from_array(edit->catalog, entry);
    HASH_DEL(edit->catalog->ids, entry);
    free(entry);
    planned->entry = NULL;
}

/* ---- connections ---- */

static void add_connection_to_array(struct catalog *catalog, struct connection_entry *entry)
{
    entry->index = catalog->connection_count;
    catalog->connections[catalog->connection_count++] = entry;
}

static void remove_connection_from_array(struct catalog *catalog, const struct connection_entry *entry)
{
    struct connection_entry *last = catalog->connections[--catalog->connection_count];
    last->index = entry->index;
    catalog->connections[last->index] = last;
}

static struct connection_entry **implicit_place(const struct tenant *tenant, const struct connection *connection)
{
    return &catalog_iclient_name(tenant, iclient_name(connection_iclient(connection)))->implicit;
}

static void take_out(struct catalog_edit *edit, struct planned_connection *planned)
{
    struct connection_entry *entry = planned->entry;
    if (entry->iclient)
        DL_DELETE(entry->iclient->connections, entry);
    entry->iclient = NULL;
    if (planned->before && connection_is_implicit(planned->before))
        *implicit_place(edit->tenant, planned->before) = NULL;
}

static void put_in(struct catalog_edit *edit, struct planned_connection *planned)
{
    struct connection_entry *entry = planned->entry;
    entry->connection = planned->after;
    if (!planned->before)
        add_connection_to_array(edit->catalog, entry);
    if (!planned->after) {
        remove_connection_from_array(edit->catalog, entry);
        HASH_DEL(edit->tenant->connections, entry);
        free(entry);
        planned->entry = NULL;
        return;
    }
    entry->hh.key = connection_name(planned->after);
    entry->iclient = planned->iclient;
    if (planned->iclient)
        DL_APPEND(planned->iclient->connections, entry);
    else
        *implicit_place(edit->tenant, planned->after) = entry;
}

/* ---- what is left over ---- */

static void prune_name(struct tenant *tenant, struct iclient_name *name)
{
    if (!name || name->versions || name->implicit)
        return;
    HASH_DEL(tenant->iclients, name);
    free(name);
}

static void prune_tenant(struct catalog_edit *edit)
{
    struct tenant *tenant = edit->tenant;
    if (!tenant || tenant->iclients || tenant->connections || tenant->components)
        return;
    HASH_DEL(edit->catalog->tenants, tenant);
    free(tenant->name);
    free(tenant);
    edit->tenant = NULL;
}

void catalog_edit_apply(struct catalog_edit *edit)
{
    /* Connections leave their lists while the iClients that these hang on are still there. */
    for (size_t i = 0; i < edit->connection_count; i++)
        take_out(edit, &edit->connections[i]);
    apply_iclient(edit);
    for (size_t i = 0; i < edit->connection_count; i++)
        put_in(edit, &edit->connections[i]);
    edit->is_applied = true;
    prune_name(edit->tenant, edit->iclient.name);
    edit->iclient.name = NULL;
    prune_tenant(edit);
}

/* The places that were kept for what was not added after all. */
static void give_back_places(struct catalog_edit *edit)
{
    struct tenant *tenant = edit->tenant;
    for (size_t i = 0; i < edit->connection_count; i++) {
        struct connection_entry *entry = edit->connections[i].entry;
        if (!entry || entry->connection)
            continue;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an entry stands in its tenant's table. */
        HASH_DEL(tenant->connections, entry);
        free(entry);
    }
    struct planned_iclient *planned = &edit->iclient;
    if (planned->component && !planned->component->iclient)
        remove_component(tenant, planned->component);
    if (planned->entry && !planned->entry->iclient) {
        HASH_DEL(edit->catalog->ids, planned->entry);
        free(planned->entry);
    }
    prune_name(tenant, planned->name);
    prune_tenant(edit);
}

void catalog_edit_destroy(struct catalog_edit *edit)
{
    if (!edit)
        return;
    if (!edit->is_applied)
        give_back_places(edit);
    for (size_t i = 0; i < edit->connection_count; i++)
        connection_destroy(edit->is_applied ? edit->connections[i].before : edit->connections[i].after);
    iclient_destroy(edit->is_applied ? edit->iclient.before : edit->iclient.after);
    free(edit->connections);
    free(edit);
}

size_t catalog_edit_change_count(const struct catalog_edit *edit)
{
    return edit->connection_count;
}

struct catalog_change catalog_edit_change_at(const struct catalog_edit *edit, size_t index)
{
    const struct planned_connection *planned = &edit->connections[index];
    return (struct catalog_change){.before = planned->before, .after = planned->after};
}

const struct iclient *catalog_edit_iclient(const struct catalog_edit *edit)
{
    return edit->iclient.after;
}
