#ifndef MODEL_ICLIENT_PROVIDER_PRESET_FIELDS_H
#define MODEL_ICLIENT_PROVIDER_PRESET_FIELDS_H

#include "model/iclient/iclient_field.h"
#include "model/iclient/provider_preset.h"
#include "model/reply/reply_path.h"

/* The preset's value in its normal form (see field_set.h), else the field's default. Borrowed; NULL when neither. */
json_t *provider_preset_value(const struct provider_preset *preset, enum iclient_field field);
/*
 * The reply path of a PATH field, or of an element of STRINGS (index); the field's default where the preset has none.
 */
const struct reply_path *provider_preset_path(const struct provider_preset *preset, enum iclient_field field,
                                              size_t index);
/* The preset's own value alone. */
json_t *provider_preset_own_value(const struct provider_preset *preset, enum iclient_field field);

#endif
