#ifndef TEST_FUZZ_CANARY_H
#define TEST_FUZZ_CANARY_H

#include "fuzz.h"
#include "model/iclient/iclient_field.h"
#include "model/secret/secret_reference.h"

/* A word that the target itself puts where secrets stand, so that it can be looked for wherever it must not be. */
#define CANARY "Kanarienvogel-9f8a"

static inline bool canary_is_in(const char *text)
{
    return strstr(text, CANARY) != NULL;
}

/* Every string at and below the value; references stay what they are. */
static inline void canary_fill(json_t *parent, const char *name, json_t *value)
{
    const char *member;
    json_t *child;
    size_t index;
    void *next;
    if (json_is_string(value) && json_string_length(value) > 0) {
        json_object_set_new(parent, name, json_string(CANARY));
    } else if (json_is_object(value) && !secret_reference_is(value)) {
        json_object_foreach_safe (value, next, member, child) {
            canary_fill(value, member, child);
        }
    } else if (json_is_array(value)) {
        json_array_foreach (value, index, child) {
            if (json_is_string(child))
                json_array_set_new(value, index, json_string(CANARY));
            else
                canary_fill(value, NULL, child);
        }
    }
}

/* The field's value in the document, by its pointer. */
static inline void canary_put(json_t *document, const char *pointer)
{
    const char *name = strrchr(pointer, '/');
    AUTO_TEXT parent_pointer = strndup(pointer, (size_t)(name - pointer));
    json_t *parent = json_read_pointer(document, parent_pointer);
    if (json_is_object(parent))
        canary_fill(parent, name + 1, json_object_get(parent, name + 1));
}

static inline void canary_put_iclient(json_t *document)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        if (row->kind == FIELD_SECRET || row->kind == FIELD_SECRET_OBJECT)
            canary_put(document, row->pointer);
    }
}

#endif
