#ifndef MODEL_ICLIENT_PROVIDER_PRESET_RECORD_H
#define MODEL_ICLIENT_PROVIDER_PRESET_RECORD_H

#include "model/iclient/field_set.h"
#include "model/iclient/provider_preset.h"

struct provider_preset {
    unsigned holds;
    char *name;
    struct field_set fields;
    json_t *defaults[ICLIENT_FIELD_COUNT]; /* of the fields that the preset lacks */
    struct reply_path *default_paths[ICLIENT_FIELD_COUNT];
    char *no_grant;
};

/* Gives each field that the preset lacks its default. False: no memory. */
bool provider_preset_read_defaults(struct provider_preset *preset);

#endif
