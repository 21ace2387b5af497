#include "model/catalog/document_patch.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json/json_read.h"

static const char invalid_text[] = "invalid patch data";
static const char group[] = "oauth2";
static const char member[] = "failPath";
static const char values_member[] = "failValues";
static const char whitelisted[] = "/oauth2/failPath";

static bool is(const char *text, const char *expected)
{
    return text && strcmp(text, expected) == 0;
}

static enum status set_member(json_t *document, json_t *value)
{
    if (!json_object_get(document, group) && json_object_set_new(document, group, json_object()) < 0)
        return ERR_NO_MEMORY;
    return json_object_set(json_object_get(document, group), member, value) == 0 ? OK : ERR_NO_MEMORY;
}

static enum status apply_operation(json_t *document, const json_t *operation, const char *pointer,
                                   struct fault_list *faults)
{
    const char *word = json_read_string(operation, "op");
    const char *path = json_read_string(operation, "path");
    json_t *value = json_object_get(operation, "value");
    if (path && !is(path, whitelisted)) {
        fault_list_add(faults, "", path, NULL, "%s is not a whitelisted property", path);
        return ERR_INVALID;
    }
    if (path && (is(word, "replace") || is(word, "add")) && json_is_string(value))
        return set_member(document, value);
    if (path && is(word, "remove")) {
        json_object_del(json_object_get(document, group), member);
        return OK;
    }
    fault_list_add(faults, "", pointer, NULL, "%s", invalid_text);
    return ERR_INVALID;
}

/* Values say nothing without the path that they are compared at. The patch as a whole counts: it may set another. */
static void drop_lonely_values(json_t *document)
{
    json_t *level = json_object_get(document, group);
    if (!json_object_get(level, member))
        json_object_del(level, values_member);
}

enum status document_patch_apply(json_t *document, const json_t *patch, struct fault_list *faults)
{
    if (!json_is_array(patch)) {
        fault_list_add(faults, "", "", NULL, "%s", invalid_text);
        return ERR_INVALID;
    }
    enum status result = OK;
    for (size_t i = 0; i < json_array_size(patch); i++) {
        char pointer[32];
        snprintf(pointer, sizeof pointer, "/%zu", i);
        enum status status = apply_operation(document, json_array_get(patch, i), pointer, faults);
        if (status == ERR_NO_MEMORY)
            return status;
        if (status != OK)
            result = status;
    }
    if (result == OK && json_array_size(patch) > 0)
        drop_lonely_values(document);
    return result;
}
