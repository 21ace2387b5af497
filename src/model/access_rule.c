#include "model/access_rule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LOGIN_NAME_MAX, and the longest name of a systemd unit. */
enum { ID_NAME_MAX = 255, UNIT_NAME_MAX = 255 };

static const char default_group[] = "iclientd";

struct id_list {
    size_t count;
    unsigned *ids; /* uid_t and gid_t are unsigned on Linux */
};

struct access_rule {
    bool knows_own_uid;
    uid_t own_uid;
    struct id_list users;
    struct id_list groups;
    size_t unit_count;
    char **units;
};

typedef bool id_lookup(void *context, const char *name, unsigned *ret_id);

void access_rule_destroy(struct access_rule *rule)
{
    if (!rule)
        return;
    for (size_t i = 0; i < rule->unit_count; i++)
        free(rule->units[i]);
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

/* One user or group: a number, or a name that lookup knows. Without lookup a name is checked and left out. */
static enum status read_id(const json_t *entry, id_lookup *lookup, void *context, unsigned *ret_id, bool *ret_known,
                           struct error *ret_error)
{
    *ret_known = true;
    if (json_is_integer(entry)) {
        json_int_t number = json_integer_value(entry);
        /* The highest id stands for "no id" in the kernel's calls. */
        if (number < 0 || number >= UINT32_MAX)
            return error_set(ret_error, ERR_INVALID, "a number that is no id");
        *ret_id = (unsigned)number;
        return OK;
    }
    const char *name = json_string_value(entry);
    if (!name)
        return error_set(ret_error, ERR_INVALID, "neither a name nor a number");
    if (!is_id_name(name))
        return error_set(ret_error, ERR_INVALID, "\"%.64s\" is no name (write an id as a number)", name);
    *ret_known = lookup != NULL;
    if (lookup && !lookup(context, name, ret_id))
        return error_set(ret_error, ERR_INVALID, "\"%s\" does not exist", name);
    return OK;
}

static enum status read_ids(const json_t *entries, id_lookup *lookup, void *context, struct id_list *ids,
                            struct error *ret_error)
{
    size_t size = json_array_size(entries);
    if (size == 0)
        return OK;
    ids->ids = calloc(size, sizeof *ids->ids);
    if (!ids->ids)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    for (size_t i = 0; i < size; i++) {
        bool known;
        struct error cause;
        enum status status =
            read_id(json_array_get(entries, i), lookup, context, &ids->ids[ids->count], &known, &cause);
        if (status != OK)
            return error_set(ret_error, status, "[%zu]: %s", i, cause.message);
        ids->count += known;
    }
    return OK;
}

static enum status read_users(const json_t *entries, const struct identity_resolver *resolve, struct access_rule *rule,
                              struct error *ret_error)
{
    return read_ids(entries, resolve ? resolve->user : NULL, resolve ? resolve->context : NULL, &rule->users,
                    ret_error);
}

static enum status read_groups(const json_t *entries, const struct identity_resolver *resolve, struct access_rule *rule,
                               struct error *ret_error)
{
    return read_ids(entries, resolve ? resolve->group : NULL, resolve ? resolve->context : NULL, &rule->groups,
                    ret_error);
}

static enum status read_units(const json_t *entries, const struct identity_resolver *resolve, struct access_rule *rule,
                              struct error *ret_error)
{
    (void)resolve;
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
    enum status (*read)(const json_t *entries, const struct identity_resolver *resolve, struct access_rule *rule,
                        struct error *ret_error);
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

static enum status read_allow(const json_t *allow, const struct identity_resolver *resolve, struct access_rule *rule,
                              struct error *ret_error)
{
    if (!json_is_object(allow))
        return error_set(ret_error, ERR_INVALID, "allow is no object");
    size_t entry_count = 0;
    const char *name;
    json_t *entries;
    /* jansson iterates over a mutable object only; nothing is changed. */
    json_object_foreach((json_t *)(uintptr_t)allow, name, entries)
    {
        const struct allow_member *member = find_member(name);
        if (!member)
            return error_set(ret_error, ERR_INVALID, "allow has no member \"%.64s\"", name);
        if (!json_is_array(entries))
            return error_set(ret_error, ERR_INVALID, "allow.%s is no array", name);
        entry_count += json_array_size(entries);
        if (entry_count > ACCESS_ENTRIES_MAX)
            return error_set(ret_error, ERR_INVALID, "allow.%s: more than %d entries in all", name, ACCESS_ENTRIES_MAX);
        struct error cause;
        enum status status = member->read(entries, resolve, rule, &cause);
        if (status != OK)
            return error_set(ret_error, status, "allow.%s%s", name, cause.message);
    }
    return OK;
}

static enum status allow_default_group(const struct identity_resolver *resolve, struct access_rule *rule,
                                       struct error *ret_error)
{
    gid_t group;
    if (!resolve || !resolve->group(resolve->context, default_group, &group))
        return OK;
    rule->groups.ids = malloc(sizeof *rule->groups.ids);
    if (!rule->groups.ids)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    rule->groups.ids[0] = group;
    rule->groups.count = 1;
    return OK;
}

enum status access_rule_from_json(const json_t *allow, const struct identity_resolver *resolve,
                                  struct access_rule **ret_rule, struct error *ret_error)
{
    AUTO(access_rule) rule = calloc(1, sizeof *rule);
    if (!rule)
        return error_set(ret_error, ERR_NO_MEMORY, "access rule");
    if (resolve) {
        rule->knows_own_uid = true;
        rule->own_uid = resolve->own_uid;
    }
    enum status status =
        allow ? read_allow(allow, resolve, rule, ret_error) : allow_default_group(resolve, rule, ret_error);
    if (status == OK)
        *ret_rule = TAKE(rule);
    return status;
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
