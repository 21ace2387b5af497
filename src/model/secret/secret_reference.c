#include "model/secret/secret_reference.h"

#include <string.h>

static const struct {
    const char *kind;
    enum secret_source source;
} kinds[] = {
    {"$file", SECRET_FROM_FILE},
    {"$credential", SECRET_FROM_CREDENTIAL},
    {"$env", SECRET_FROM_ENVIRONMENT},
};

/* The only member of an object; NULL when value is none, or has more or fewer. */
static const char *only_member(const json_t *value, const json_t **ret_member)
{
    if (!json_is_object(value) || json_object_size(value) != 1)
        return NULL;
    void *at = json_object_iter((json_t *)value);
    *ret_member = json_object_iter_value(at);
    return json_object_iter_key(at);
}

bool secret_reference_is(const json_t *value)
{
    const json_t *member;
    const char *kind = only_member(value, &member);
    return kind && kind[0] == '$';
}

enum status secret_reference_parse(const json_t *value, enum secret_source *ret_source, const char **ret_name,
                                   struct error *ret_error)
{
    const json_t *member = NULL;
    const char *kind = only_member(value, &member);
    for (size_t i = 0; kind && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) != 0)
            continue;
        const char *name = json_string_value(member);
        if (!name || name[0] == '\0')
            return error_set(ret_error, ERR_INVALID, "%s must name its source in a non-empty string", kinds[i].kind);
        *ret_source = kinds[i].source;
        *ret_name = name;
        return OK;
    }
    return error_set(ret_error, ERR_INVALID, "a secret is a string, or an object with one of $file, $credential, $env");
}
