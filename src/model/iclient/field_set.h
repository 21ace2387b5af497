#ifndef MODEL_ICLIENT_FIELD_SET_H
#define MODEL_ICLIENT_FIELD_SET_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/secret.h"
#include "model/catalog/document_faults.h"
#include "model/iclient/iclient_field.h"
#include "model/reply/reply_path.h"
#include "model/secret/secret_reference.h"
#include "model/secret/secret_value.h"

/*
 * The fields that one document (an iClient or a preset) has, read and checked one by one, each in its normal form:
 * choices in the table's spelling, STRINGS as an array, HEADERS as [{name,value}], BODY as an object, secrets taken
 * out. What the fields say together is not judged here.
 */
struct field_value {
    enum iclient_field field;
    json_t *value; /* SECRET_MASK for secrets; NULL: it stands there, but has a fault */
};

struct field_secret {
    enum iclient_field field;
    struct secret *secret; /* NULL: a reference that was left unread */
};

/* A PATH, or one element of STRINGS that are paths. */
struct field_path {
    enum iclient_field field;
    size_t index;
    struct reply_path *path;
};

struct field_set {
    json_t *document; /* as it is given back: secrets masked, STRINGS as arrays, computed fields dropped */
    struct field_value *values;
    size_t value_count;
    struct field_secret *secrets;
    size_t secret_count;
    struct field_path *paths;
    size_t path_count;
    struct secret_object *encrypted;
};

struct field_reader {
    struct document_faults *faults;
    const struct secret_resolver *resolve;
    bool preset; /* no identity, no secrets; "noGrant" and "notes" beside the fields */
};

/* The caller's memory; finish it in any case. False when there were faults or no memory (reader->faults knows). */
bool field_set_read(struct field_set *set, const json_t *document, const struct field_reader *reader);
void field_set_finish(struct field_set *set);

/* Borrowed; NULL when the field is absent or has a fault. */
json_t *field_set_get(const struct field_set *set, enum iclient_field field);
/* True when the document has the field, be it with a fault. */
bool field_set_has(const struct field_set *set, enum iclient_field field);
/* index: of the element of STRINGS; 0 for a PATH. Borrowed; NULL when absent. */
const struct reply_path *field_set_path(const struct field_set *set, enum iclient_field field, size_t index);
/* Consumes the path, even on failure. False: no memory. */
bool field_set_add_path(struct field_set *set, enum iclient_field field, size_t index, struct reply_path *take_path);
const struct secret *field_set_secret(const struct field_set *set, enum iclient_field field);
/* Puts another value in place of the one that is there (consumed, even on failure). */
void field_set_replace(struct field_set *set, enum iclient_field field, json_t *take_value);

#endif
