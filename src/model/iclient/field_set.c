#include "model/iclient/field_set.h"

#include <string.h>

static struct field_value *find_value(const struct field_set *set, enum iclient_field field)
{
    for (size_t i = 0; i < set->value_count; i++)
        if (set->values[i].field == field)
            return &set->values[i];
    return NULL;
}

json_t *field_set_get(const struct field_set *set, enum iclient_field field)
{
    const struct field_value *found = find_value(set, field);
    return found ? found->value : NULL;
}

bool field_set_has(const struct field_set *set, enum iclient_field field)
{
    return find_value(set, field) != NULL;
}

const struct secret *field_set_secret(const struct field_set *set, enum iclient_field field)
{
    for (size_t i = 0; i < set->secret_count; i++)
        if (set->secrets[i].field == field)
            return set->secrets[i].secret;
    return NULL;
}

const struct reply_path *field_set_path(const struct field_set *set, enum iclient_field field, size_t index)
{
    for (size_t i = 0; i < set->path_count; i++)
        if (set->paths[i].field == field && set->paths[i].index == index)
            return set->paths[i].path;
    return NULL;
}

bool field_set_add_path(struct field_set *set, enum iclient_field field, size_t index, struct reply_path *take_path)
{
    AUTO(reply_path) path = take_path;
    struct field_path *grown = reallocarray(set->paths, set->path_count + 1, sizeof *grown);
    if (!grown)
        return false;
    set->paths = grown;
    grown[set->path_count++] = (struct field_path){.field = field, .index = index, .path = TAKE(path)};
    return true;
}

void field_set_replace(struct field_set *set, enum iclient_field field, json_t *take_value)
{
    struct field_value *found = find_value(set, field);
    if (!found) {
        json_decref(take_value);
        return;
    }
    json_decref(found->value);
    found->value = take_value;
}

void field_set_finish(struct field_set *set)
{
    for (size_t i = 0; i < set->value_count; i++)
        json_decref(set->values[i].value);
    for (size_t i = 0; i < set->secret_count; i++)
        secret_destroy(set->secrets[i].secret);
    for (size_t i = 0; i < set->path_count; i++)
        reply_path_destroy(set->paths[i].path);
    free(set->paths);
    free(set->values);
    free(set->secrets);
    secret_object_destroy(set->encrypted);
    json_decref(set->document);
    memset(set, 0, sizeof *set);
}
