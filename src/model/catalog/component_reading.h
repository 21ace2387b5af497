#ifndef MODEL_CATALOG_COMPONENT_READING_H
#define MODEL_CATALOG_COMPONENT_READING_H

#include <stdbool.h>

#include "model/catalog/component_import.h"

/* One component that is being turned into an iClient. Everything is borrowed. */
struct component_reading {
    const json_t *component;
    const json_t *block; /* its oauth2 */
    const char *place;   /* where that stands */
    const char *file;
    const struct component_import_options *options;
    struct fault_list *notes;
    json_t *iclient;
    json_t *oauth2;   /* of the iClient */
    json_t *settings; /* of the iClient */
};

/* at: a pointer that begins with '/', else a member of the block, "" for the block itself. */
void component_note(const struct component_reading *reading, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A member of the block that is a text and not empty; NULL. Borrowed. */
const char *component_text(const struct component_reading *reading, const char *name);
/* False when out of memory. */
bool component_set(json_t *object, const char *name, json_t *take_value);

#endif
