#include "model/catalog/tenant_access.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/rule/name_rule.h"

/* A tenant's name has 64 bytes at most. */
enum { POINTER_MAX = 512, TENANT_POINTER_MAX = 256 };

struct tenant {
    char *name;
    struct access_rule *rules[TENANT_PERMISSION_COUNT]; /* NULL: not said */
};

struct tenant_access {
    unsigned holds;
    size_t count;
    struct tenant tenants[];
};

#define PERMISSION_ROW(symbol, group_name, permission_name) {(group_name), (permission_name)},
static const struct {
    const char *group, *name;
} permissions[] = {TENANT_PERMISSION_TABLE(PERMISSION_ROW)};
#undef PERMISSION_ROW

/* One document being read. */
struct access_reading {
    const struct identity_resolver *resolve;
    struct fault_list *faults;
    const char *file;
    bool has_faults;
    bool no_memory;
};

/* ---- faults ---- */

static void add_fault(struct access_reading *reading, const char *parent, const char *name, const char *message)
{
    fault_list_add_member(reading->faults, reading->file, parent, name, NULL, message);
    reading->has_faults = true;
}

static void add_unknown(struct access_reading *reading, const char *parent, const char *name,
                        const char *const *candidates, size_t count)
{
    fault_list_add_unknown(reading->faults, reading->file, parent, name, candidates, count, "there is no such key");
    reading->has_faults = true;
}

static bool is_object(struct access_reading *reading, const char *parent, const char *name, const json_t *value)
{
    if (json_is_object(value))
        return true;
    add_fault(reading, parent, name, "must be an object");
    return false;
}

/* ---- reading ---- */

static void read_rule(struct access_reading *reading, const char *parent, const char *name, const json_t *value,
                      struct access_rule **rule)
{
    struct error error;
    if (!is_object(reading, parent, name, value))
        return;
    enum status status = access_rule_from_json(value, reading->resolve, rule, &error);
    if (status == ERR_NO_MEMORY)
        reading->no_memory = true;
    else if (status != OK)
        add_fault(reading, parent, name, error.message);
}

/* The permissions of one group. */
static void read_group(struct access_reading *reading, const char *parent, const char *group, const json_t *object,
                       struct tenant *tenant)
{
    const char *names[TENANT_PERMISSION_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < TENANT_PERMISSION_COUNT; i++) {
        if (strcmp(permissions[i].group, group) == 0)
            names[count++] = permissions[i].name;
    }
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        size_t i = 0;
        while (i < TENANT_PERMISSION_COUNT &&
               (strcmp(permissions[i].group, group) != 0 || strcmp(permissions[i].name, name) != 0))
            i++;
        if (i < TENANT_PERMISSION_COUNT)
            read_rule(reading, parent, name, value, &tenant->rules[i]);
        else
            add_unknown(reading, parent, name, names, count);
    }
}

static bool is_group(const char *name)
{
    for (size_t i = 0; i < TENANT_PERMISSION_COUNT; i++) {
        if (strcmp(permissions[i].group, name) == 0)
            return true;
    }
    return false;
}

static void read_tenant(struct access_reading *reading, const char *parent, const json_t *object, struct tenant *tenant)
{
    const char *groups[TENANT_PERMISSION_COUNT];
    for (size_t i = 0; i < TENANT_PERMISSION_COUNT; i++)
        groups[i] = permissions[i].group;
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        char pointer[POINTER_MAX];
        if (!is_group(name)) {
            add_unknown(reading, parent, name, groups, TENANT_PERMISSION_COUNT);
        } else if (is_object(reading, parent, name, value)) {
            snprintf(pointer, sizeof pointer, "%s/%s", parent, name);
            read_group(reading, pointer, name, value, tenant);
        }
    }
}

static void read_tenants(struct access_reading *reading, const char *parent, const json_t *object,
                         struct tenant_access *access)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        if (!name_is_valid(name)) {
            add_fault(reading, parent, name, "is no tenant's name: it " NAME_RULE_TEXT);
            continue;
        }
        if (!is_object(reading, parent, name, value))
            continue;
        struct tenant *tenant = &access->tenants[access->count++];
        tenant->name = strdup(name);
        reading->no_memory |= !tenant->name;
        char pointer[TENANT_POINTER_MAX];
        snprintf(pointer, sizeof pointer, "%s/%s", parent, name);
        read_tenant(reading, pointer, value, tenant);
    }
}

enum status tenant_access_from_json(const json_t *tenants, const char *file, const char *pointer,
                                    const struct identity_resolver *resolve, struct fault_list *faults,
                                    struct tenant_access **ret_access)
{
    struct access_reading reading = {.resolve = resolve, .faults = faults, .file = file};
    if (!is_object(&reading, pointer, NULL, tenants))
        return ERR_INVALID;
    size_t count = json_object_size(tenants);
    if (count > TENANT_ACCESS_TENANTS_MAX) {
        fault_list_add(faults, file, pointer, NULL, "has more than %d tenants", TENANT_ACCESS_TENANTS_MAX);
        return ERR_INVALID;
    }
    AUTO(tenant_access) access = calloc(1, sizeof *access + count * sizeof access->tenants[0]);
    if (!access)
        return ERR_NO_MEMORY;
    access->holds = 1;
    read_tenants(&reading, pointer, tenants, access);
    if (reading.no_memory || reading.has_faults)
        return reading.no_memory ? ERR_NO_MEMORY : ERR_INVALID;
    *ret_access = TAKE(access);
    return OK;
}

/* ---- life and use ---- */

struct tenant_access *tenant_access_hold(struct tenant_access *access)
{
    if (access)
        access->holds++;
    return access;
}

void tenant_access_destroy(struct tenant_access *access)
{
    if (!access || --access->holds > 0)
        return;
    for (size_t i = 0; i < access->count; i++) {
        for (size_t j = 0; j < TENANT_PERMISSION_COUNT; j++)
            access_rule_destroy(access->tenants[i].rules[j]);
        free(access->tenants[i].name);
    }
    free(access);
}

void tenant_access_visit_rules(const struct tenant_access *access, access_rule_visit *visit, void *context)
{
    for (size_t i = 0; access && i < access->count; i++) {
        for (size_t j = 0; j < TENANT_PERMISSION_COUNT; j++)
            if (access->tenants[i].rules[j])
                visit(context, access->tenants[i].rules[j]);
    }
}

const struct access_rule *tenant_access_rule(const struct tenant_access *access, const char *tenant,
                                             enum tenant_permission permission)
{
    for (size_t i = 0; access && i < access->count; i++) {
        if (strcmp(access->tenants[i].name, tenant) == 0)
            return access->tenants[i].rules[permission];
    }
    return NULL;
}
