#include "model/catalog/document_secrets.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "model/iclient/iclient_field.h"
#include "model/secret/secret_value.h"
#include "model/secret/wire_secret.h"
#include "model/template/wire_text.h"

enum { STEP_MAX = 64, PARENT_MAX = 128 };

static bool is_mask(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), SECRET_MASK) == 0;
}

/* The masks within an object of secrets. A mask that stands for nothing stays, and is a fault when it is read. */
static bool fill_masks(json_t *value, const json_t *previous)
{
    const char *name;
    json_t *member;
    bool done = true;
    json_object_foreach (value, name, member) {
        json_t *old = json_object_get(previous, name);
        if (is_mask(member) && old)
            done &= json_object_set(value, name, old) == 0;
        else
            done &= fill_masks(member, old);
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        json_t *old = json_array_get(previous, i);
        if (is_mask(json_array_get(value, i)) && old)
            done &= json_array_set(value, i, old) == 0;
        else
            done &= fill_masks(json_array_get(value, i), old);
    }
    return done;
}

/* One member of the level that it stands in. */
static bool keep_member(json_t *level, const json_t *previous, const char *name, bool is_object)
{
    json_t *value = json_object_get(level, name);
    json_t *old = json_object_get(previous, name);
    if (json_is_null(value)) {
        json_object_del(level, name);
        return true;
    }
    bool is_kept = old && (!value || is_mask(value));
    if (is_kept)
        return json_object_set(level, name, old) == 0;
    return !is_object || !value || fill_masks(value, old);
}

/* The group that pointer begins with ("/oauth2/clientSecret"); *ret_name the member's name in it. */
static bool split(const char *pointer, char group[STEP_MAX], const char **ret_name)
{
    const char *slash = strchr(pointer + 1, '/');
    size_t length = slash ? (size_t)(slash - pointer - 1) : 0;
    if (!slash || length >= STEP_MAX)
        return false;
    memcpy(group, pointer + 1, length);
    group[length] = '\0';
    *ret_name = slash + 1;
    return true;
}

/* A group that is left out is made where it has a secret to keep; a null takes the group's secrets away. */
static bool keep_field(json_t *document, const json_t *previous, const struct iclient_field_row *row)
{
    char group[STEP_MAX];
    const char *name;
    if (!split(row->pointer, group, &name))
        return true;
    const json_t *old = json_object_get(previous, group);
    json_t *level = json_object_get(document, group);
    if (!level && json_object_get(old, name)) {
        if (json_object_set_new(document, group, json_object()) < 0)
            return false;
        level = json_object_get(document, group);
    }
    return !json_is_object(level) || keep_member(level, old, name, row->kind == FIELD_SECRET_OBJECT);
}

static bool is_secret(const struct iclient_field_row *row)
{
    return row->kind == FIELD_SECRET || row->kind == FIELD_SECRET_OBJECT;
}

/* ---- literals among headers, bodies and parameters ---- */

/* NULL also when it is not written as its kind is: that is a fault when it is read. */
static json_t *read_normal(enum iclient_field_kind kind, const json_t *value)
{
    json_t *normal = NULL;
    if (!value)
        return NULL;
    if (kind == FIELD_HEADERS)
        headers_read(value, &normal, NULL);
    else if (kind == FIELD_BODY)
        body_read(value, &normal, NULL);
    else
        normal = json_deep_copy(value);
    return normal;
}

/* The object that a field stands in, and its name there; NULL when the document has no such object. */
static json_t *find_level(const json_t *document, const struct iclient_field_row *row, const char **ret_name)
{
    char parent[PARENT_MAX];
    const char *name = strrchr(row->pointer, '/');
    snprintf(parent, sizeof parent, "%.*s", (int)(name - row->pointer), row->pointer);
    *ret_name = name + 1;
    return json_read_pointer(document, parent);
}

/* They have no group of their own to be left out of: what is left out goes, and only a mask keeps what there was. */
static bool keep_literals(json_t *document, const json_t *previous, const struct iclient_field_row *row)
{
    const char *name;
    json_t *level = find_level(document, row, &name);
    AUTO_JSON normal = read_normal(row->kind, json_object_get(level, name));
    if (!normal || !wire_secret_has_mask(normal))
        return true;
    AUTO_JSON old = read_normal(row->kind, json_read_pointer(previous, row->pointer));
    return wire_secret_keep(normal, old) &&
           json_object_set_new(level, name, wire_secret_spell(json_object_get(level, name), normal)) == 0;
}

/* Once all of its secrets have been looked at. */
static void drop_null_groups(json_t *document)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        char group[STEP_MAX];
        const char *name;
        const struct iclient_field_row *row = iclient_field_row(field);
        if (is_secret(row) && split(row->pointer, group, &name) && json_is_null(json_object_get(document, group)))
            json_object_del(document, group);
    }
}

bool document_secrets_keep_iclient(json_t *document, const json_t *previous)
{
    bool done = true;
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        if (is_secret(row))
            done &= keep_field(document, previous, row);
        else if (wire_secret_has_kind(row->kind))
            done &= keep_literals(document, previous, row);
    }
    drop_null_groups(document);
    return done;
}

bool document_secrets_keep_connection(json_t *document, const json_t *previous)
{
    return keep_member(document, previous, "password", false) && keep_member(document, previous, "encrypted", true);
}

static void drop_literals(json_t *document, const struct iclient_field_row *row)
{
    const char *name;
    json_t *level = find_level(document, row, &name);
    AUTO_JSON normal = read_normal(row->kind, json_object_get(level, name));
    if (!normal || !wire_secret_has_mask(normal))
        return;
    wire_secret_drop_masked(normal);
    /* Without memory the mask stays, and is a fault when the document is read. */
    json_object_set_new(level, name, wire_secret_spell(json_object_get(level, name), normal));
}

void document_secrets_drop_literals(json_t *document)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        if (wire_secret_has_kind(row->kind))
            drop_literals(document, row);
    }
}
