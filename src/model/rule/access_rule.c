#include "model/rule/access_rule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LOGIN_NAME_MAX, and the longest name of a systemd unit. */
enum { ID_NAME_MAX = 255, UNIT_NAME_MAX = 255 };

static const char default_group[] = "iclientd";

struct id_list {
    size_t count;
    unsigned *ids; /* uid_t and gid_t are unsigned on Linux; as many as there are entries, unknown names included */
};

struct unknown_name {
    char *name;
    bool is_group;
};

struct access_rule {
    bool knows_own_uid;
    uid_t own_uid;
    struct id_list users;
    struct id_list groups;
    size_t unknown_count;
    struct unknown_name *unknown;
    size_t unit_count;
    char **units;
};

/* One rule being read. resolve NULL: names are checked and left out. */
struct rule_reading {
    struct access_rule *rule;
    const struct identity_resolver *resolve;
};

void access_rule_destroy(struct access_rule *rule)
{
    if (!rule)
        return;
    for (size_t i = 0; i < rule->unit_count; i++)
        free(rule->units[i]);
    for (size_t i = 0; i < rule->unknown_count; i++)
        free(rule->unknown[i].name);
    free(rule->unknown);
    free(rule->units);
    free(rule->users.ids);
    free(rule->groups.ids);
    free(rule);
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* useradd(8)'s rules, with the dots and domains of directories; a name of digits alone would pass for an id. */
static bool is_id_name(const char *name)
{
    size_t length = strlen(name);
    bool only_digits = strspn(name, "0123456789") == length;
    if (length == 0 || length > ID_NAME_MAX || only_digits || name[0] == '-' || name[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        bool last_dollar = name[i] == '$' && i > 0 && i + 1 == length;
        if (!is_alphanumeric(name[i]) && !strchr("_.-@", name[i]) && !last_dollar)
            return false;
    }
    return true;
}

/* systemd.unit(5). What a process runs in is a service or a scope; a bare "web" or a pattern would never match. */
static bool is_unit_name(const char *name)
{
    static const char *const kinds[] = {".service", ".scope"};
    size_t length = strlen(name);
    if (length > UNIT_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_alphanumeric(name[i]) && !strchr(":-_.\\@", name[i]))
            return false;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t kind_length = strlen(kinds[i]);
        if (length > kind_length && strcmp(name + length - kind_length, kinds[i]) == 0)
            return true;
    }
    return false;
}

enum status identity_resolver_find(const struct identity_resolver *resolve, const struct identity_name *name,
                                   unsigned *ret_id)
{
    if (resolve->is_silent && *resolve->is_silent)
        return ERR_TIMEOUT;
    enum status status = resolve->find(resolve->context, name, ret_id);
    if (resolve->is_silent)
        *resolve->is_silent = status == ERR_TIMEOUT;
    return status;
}

static enum status keep_unknown(struct access_rule *rule, const struct identity_name *name, struct error *ret_error)
{
    struct unknown_name *grown = reallocarray(rule->unknown, rule->unknown_count + 1, sizeof *grown);
    if (grown)
        rule->unknown = grown;
    char *copy = grown ? strdup(name->name) : NULL;
    if (!copy)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    grown[rule->unknown_count++] = (struct unknown_name){.name = copy, .is_group = name->is_group};
    return OK;
}

static enum status refuse_name(enum status reason, const char *name, struct error *ret_error)
{
    switch (reason) {
    case ERR_NO_MEMORY:
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    case ERR_NOT_FOUND:
        return error_set(ret_error, ERR_INVALID, "\"%s\" does not exist", name);
    case ERR_TIMEOUT:
        return error_set(ret_error, ERR_INVALID, "\"%s\": the host's user database does not answer", name);
    default:
        return error_set(ret_error, ERR_INVALID, "\"%s\": the host's user database cannot be asked", name);
    }
}

static enum status read_name(struct rule_reading *reading, const struct identity_name *name, struct id_list *ids,
                             struct error *ret_error)
{
    if (!is_id_name(name->name))
        return error_set(ret_error, ERR_INVALID, "\"%.64s\" is no name (write an id as a number)", name->name);
    if (!reading->resolve)
        return OK;
    unsigned id;
    enum status status = identity_resolver_find(reading->resolve, name, &id);
    if (status == OK)
        ids->ids[ids->count++] = id;
    else if (status != ERR_NO_MEMORY && reading->resolve->keeps_unknown)
        return keep_unknown(reading->rule, name, ret_error);
    return status == OK ? OK : refuse_name(status, name->name, ret_error);
}

/* One user or group: a number, or a name. */
static enum status read_id(struct rule_reading *reading, const json_t *entry, bool is_group, struct id_list *ids,
                           struct error *ret_error)
{
    if (json_is_integer(entry)) {
        json_int_t number = json_integer_value(entry);
        /* The highest id stands for "no id" in the kernel's calls. */
        if (number < 0 || number >= UINT32_MAX)
            return error_set(ret_error, ERR_INVALID, "a number that is no id");
        ids->ids[ids->count++] = (unsigned)number;
        return OK;
    }
    struct identity_name name = {.name = json_string_value(entry), .is_group = is_group};
    if (!name.name)
        return error_set(ret_error, ERR_INVALID, "neither a name nor a number");
    return read_name(reading, &name, ids, ret_error);
}

static enum status read_ids(struct rule_reading *reading, const json_t *entries, bool is_group, struct error *ret_error)
{
    struct id_list *ids = is_group ? &reading->rule->groups : &reading->rule->users;
    size_t size = json_array_size(entries);
    if (size == 0)
        return OK;
    ids->ids = calloc(size, sizeof *ids->ids);
    if (!ids->ids)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    for (size_t i = 0; i < size; i++) {
        struct error cause;
        enum status status = read_id(reading, json_array_get(entries, i), is_group, ids, &cause);
        if (status != OK)
            return error_set(ret_error, status, "[%zu]: %s", i, cause.message);
    }
    return OK;
}

static enum status read_users(struct rule_reading *reading, const json_t *entries, struct error *ret_error)
{
    return read_ids(reading, entries, false, ret_error);
}

static enum status read_groups(struct rule_reading *reading, const json_t *entries, struct error *ret_error)
{
    return read_ids(reading, entries, true, ret_error);
}

static enum status read_units(struct rule_reading *reading, const json_t *entries, struct error *ret_error)
{
    struct access_rule *rule = reading->rule;
    size_t size = json_array_size(entries);
    if (size == 0)
        return OK;
    rule->units = calloc(size, sizeof *rule->units);
    if (!rule->units)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    for (; rule->unit_count < size; rule->unit_count++) {
        const char *name = json_string_value(json_array_get(entries, rule->unit_count));
        if (!name || !is_unit_name(name))
            return error_set(ret_error, ERR_INVALID, "[%zu]: no unit name such as \"web.service\"", rule->unit_count);
        rule->units[rule->unit_count] = strdup(name);
        if (!rule->units[rule->unit_count])
            return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    }
    return OK;
}

static const struct allow_member {
    const char *name;
    enum status (*read)(struct rule_reading *reading, const json_t *entries, struct error *ret_error);
} allow_members[] = {
    {"users", read_users},
    {"groups", read_groups},
    {"units", read_units},
};

static const struct allow_member *find_member(const char *name)
{
    for (size_t i = 0; i < sizeof allow_members / sizeof allow_members[0]; i++) {
        if (strcmp(allow_members[i].name, name) == 0)
            return &allow_members[i];
    }
    return NULL;
}

static enum status read_allow(struct rule_reading *reading, const json_t *allow, struct error *ret_error)
{
    if (!json_is_object(allow))
        return error_set(ret_error, ERR_INVALID, "allow is no object");
    size_t entry_count = 0;
    const char *name;
    json_t *entries;
    /* jansson iterates over a mutable object only; nothing is changed. */
    json_object_foreach ((json_t *)(uintptr_t)allow, name, entries) {
        const struct allow_member *member = find_member(name);
        if (!member)
            return error_set(ret_error, ERR_INVALID, "allow has no member \"%.64s\"", name);
        if (!json_is_array(entries))
            return error_set(ret_error, ERR_INVALID, "allow.%s is no array", name);
        entry_count += json_array_size(entries);
        if (entry_count > ACCESS_ENTRIES_MAX)
            return error_set(ret_error, ERR_INVALID, "allow.%s: more than %d entries in all", name, ACCESS_ENTRIES_MAX);
        struct error cause;
        enum status status = member->read(reading, entries, &cause);
        if (status != OK)
            return error_set(ret_error, status, "allow.%s%s", name, cause.message);
    }
    return OK;
}

/* A group that does not exist is nothing to wait for: most hosts that run the daemon as a user have none. */
static enum status allow_default_group(struct rule_reading *reading, struct error *ret_error)
{
    static const struct identity_name name = {.name = default_group, .is_group = true};
    struct id_list *groups = &reading->rule->groups;
    if (!reading->resolve)
        return OK;
    groups->ids = malloc(sizeof *groups->ids);
    if (!groups->ids)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    enum status status = identity_resolver_find(reading->resolve, &name, groups->ids);
    groups->count = status == OK;
    if (status == ERR_NO_MEMORY)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    bool is_kept = status != OK && status != ERR_NOT_FOUND && reading->resolve->keeps_unknown;
    return is_kept ? keep_unknown(reading->rule, &name, ret_error) : OK;
}

enum status access_rule_from_json(const json_t *allow, const struct identity_resolver *resolve,
                                  struct access_rule **ret_rule, struct error *ret_error)
{
    AUTO(access_rule) rule = calloc(1, sizeof *rule);
    if (!rule)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    bool is_silent = false;
    struct identity_resolver own;
    struct rule_reading reading = {.rule = rule};
    if (resolve) {
        own = *resolve;
        if (!own.is_silent)
            own.is_silent = &is_silent;
        reading.resolve = &own;
        rule->knows_own_uid = true;
        rule->own_uid = own.own_uid;
    }
    enum status status = allow ? read_allow(&reading, allow, ret_error) : allow_default_group(&reading, ret_error);
    if (status == OK)
        *ret_rule = TAKE(rule);
    return status;
}

size_t access_rule_unknown_count(const struct access_rule *rule)
{
    return rule->unknown_count;
}

struct identity_name access_rule_unknown_at(const struct access_rule *rule, size_t index)
{
    const struct unknown_name *unknown = &rule->unknown[index];
    return (struct identity_name){.name = unknown->name, .is_group = unknown->is_group};
}

void access_rule_learn(struct access_rule *rule, const struct identity_name *name, unsigned id)
{
    struct id_list *ids = name->is_group ? &rule->groups : &rule->users;
    for (size_t i = 0; i < rule->unknown_count;) {
        struct unknown_name *unknown = &rule->unknown[i];
        if (unknown->is_group != name->is_group || strcmp(unknown->name, name->name) != 0) {
            i++;
            continue;
        }
        ids->ids[ids->count++] = id;
        free(unknown->name);
        *unknown = rule->unknown[--rule->unknown_count];
    }
}

static bool id_list_has(const struct id_list *ids, unsigned id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->ids[i] == id)
            return true;
    }
    return false;
}

static bool allows_a_group(const struct access_rule *rule, const struct peer *peer)
{
    if (rule->groups.count == 0)
        return false;
    if (id_list_has(&rule->groups, peer->gid))
        return true;
    for (size_t i = 0; i < peer->group_count; i++) {
        if (id_list_has(&rule->groups, peer->groups[i]))
            return true;
    }
    return false;
}

static bool allows_unit(const struct access_rule *rule, const char *unit)
{
    for (size_t i = 0; unit && i < rule->unit_count; i++) {
        if (strcmp(rule->units[i], unit) == 0)
            return true;
    }
    return false;
}

bool access_rule_allows_user(const struct access_rule *rule, const struct peer *peer)
{
    if (peer->uid == 0 || (rule->knows_own_uid && peer->uid == rule->own_uid))
        return true;
    return id_list_has(&rule->users, peer->uid) || allows_a_group(rule, peer);
}

bool access_rule_allows(const struct access_rule *rule, const struct peer *peer)
{
    return access_rule_allows_user(rule, peer) || allows_unit(rule, peer->unit);
}

bool access_rule_needs_unit(const struct access_rule *rule)
{
    return rule->unit_count > 0;
}
