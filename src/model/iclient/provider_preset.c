#include "model/iclient/provider_preset.h"

#include <string.h>

#include "model/iclient/provider_preset_fields.h"
#include "model/iclient/provider_preset_record.h"

bool provider_preset_read_defaults(struct provider_preset *preset)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const char *fallback = iclient_field_row(field)->fallback;
        if (!fallback || field_set_has(&preset->fields, field))
            continue;
        preset->defaults[field] = json_loads(fallback, JSON_DECODE_ANY, NULL);
        if (!preset->defaults[field])
            return false;
        const char *text = json_string_value(preset->defaults[field]);
        if (iclient_field_row(field)->kind == FIELD_PATH &&
            reply_path_compile(text, &preset->default_paths[field], NULL) != OK)
            return false;
    }
    return true;
}

struct provider_preset *provider_preset_create_empty(const char *name)
{
    AUTO(provider_preset) preset = calloc(1, sizeof *preset);
    if (!preset)
        return NULL;
    preset->holds = 1;
    preset->name = strdup(name);
    preset->fields.document = json_object();
    if (!preset->name || !preset->fields.document || !provider_preset_read_defaults(preset))
        return NULL;
    return TAKE(preset);
}

struct provider_preset *provider_preset_hold(const struct provider_preset *preset)
{
    struct provider_preset *held = (struct provider_preset *)preset;
    if (held)
        held->holds++;
    return held;
}

void provider_preset_destroy(struct provider_preset *preset)
{
    if (!preset || (preset->holds > 0 && --preset->holds > 0))
        return;
    field_set_finish(&preset->fields);
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        json_decref(preset->defaults[field]);
        reply_path_destroy(preset->default_paths[field]);
    }
    free(preset->no_grant);
    free(preset->name);
    free(preset);
}

const char *provider_preset_name(const struct provider_preset *preset)
{
    return preset->name;
}

const json_t *provider_preset_document(const struct provider_preset *preset)
{
    return preset->fields.document;
}

const char *provider_preset_no_grant(const struct provider_preset *preset)
{
    return preset->no_grant;
}

json_t *provider_preset_own_value(const struct provider_preset *preset, enum iclient_field field)
{
    return field_set_get(&preset->fields, field);
}

json_t *provider_preset_value(const struct provider_preset *preset, enum iclient_field field)
{
    json_t *own = provider_preset_own_value(preset, field);
    return own ? own : preset->defaults[field];
}

const struct reply_path *provider_preset_path(const struct provider_preset *preset, enum iclient_field field,
                                              size_t index)
{
    if (field_set_has(&preset->fields, field))
        return field_set_path(&preset->fields, field, index);
    return index == 0 ? preset->default_paths[field] : NULL;
}
