#include "model/iclient/field_view.h"

#include <string.h>

#include "model/iclient/provider_preset_fields.h"

json_t *field_view_get(const struct field_view *view, enum iclient_field field)
{
    /* What the document says with a fault is not known; the preset's is not what was meant. */
    if (!view->preset || field_set_has(view->own, field))
        return field_set_get(view->own, field);
    return provider_preset_value(view->preset, field);
}

const char *field_view_text(const struct field_view *view, enum iclient_field field)
{
    return json_string_value(field_view_get(view, field));
}

bool field_view_is_own(const struct field_view *view, enum iclient_field field)
{
    return field_set_has(view->own, field);
}

bool field_view_lacks(const struct field_view *view, enum iclient_field field)
{
    return !field_view_get(view, field) && !field_set_has(view->own, field);
}

bool field_view_is(const struct field_view *view, enum iclient_field field, const char *text)
{
    const char *found = field_view_text(view, field);
    return found && strcmp(found, text) == 0;
}
