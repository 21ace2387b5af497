#ifndef MODEL_ICLIENT_FIELD_VIEW_H
#define MODEL_ICLIENT_FIELD_VIEW_H

#include "model/iclient/field_set.h"
#include "model/iclient/provider_preset.h"

/* A document's fields over its preset's over the defaults; preset NULL: the document's alone. All borrowed. */
struct field_view {
    const struct field_set *own;
    const struct provider_preset *preset;
};

/* NULL when absent, or when the document's has a fault. */
json_t *field_view_get(const struct field_view *view, enum iclient_field field);
const char *field_view_text(const struct field_view *view, enum iclient_field field);
bool field_view_is(const struct field_view *view, enum iclient_field field, const char *text);
/* True when the document itself, not its preset, has the field. */
bool field_view_is_own(const struct field_view *view, enum iclient_field field);
/* Neither the document (be it with a fault) nor the preset has it, and it has no default. */
bool field_view_lacks(const struct field_view *view, enum iclient_field field);

#endif
