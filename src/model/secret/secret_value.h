#ifndef MODEL_SECRET_SECRET_VALUE_H
#define MODEL_SECRET_SECRET_VALUE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/secret.h"
#include "model/catalog/document_faults.h"
#include "model/catalog/document_secrets.h"
#include "model/secret/secret_reference.h"

/*
 * Takes secrets out of a document while it is read. Faults go to faults; none of them quotes a value.
 * resolve NULL: references are checked for form and left unread.
 */
struct secret_reader {
    struct document_faults *faults;
    const struct secret_resolver *resolve;
};

/*
 * One secret: a literal or a reference. False when it has a fault (or memory ran out: faults->no_memory);
 * *ret_secret NULL when it was left unread. pem: literal "\n" in it is repaired with a warning.
 */
bool secret_value_read(const struct secret_reader *reader, const json_t *value, const char *pointer, bool pem,
                       struct secret **ret_secret);

/* A free object ("encrypted") whose leaves are secrets, found by dotted path. */
struct secret_object;

enum { SECRET_OBJECT_MAX = 256, SECRET_OBJECT_DEPTH_MAX = 16 };

/* *ret_masked: the object with SECRET_MASK for each leaf, new reference. False as above. */
bool secret_object_read(const struct secret_reader *reader, const json_t *object, const char *pointer,
                        json_t **ret_masked, struct secret_object **ret_secrets);
/* One more hold; NULL gives NULL. */
struct secret_object *secret_object_hold(struct secret_object *secrets);
void secret_object_destroy(struct secret_object *secrets);
AUTO_DEFINE(secret_object);

/* True when there is a leaf at path; *ret_secret is borrowed and NULL when it was left unread. Takes NULL. */
bool secret_object_find(const struct secret_object *secrets, const char *path, const struct secret **ret_secret);
/* The leaves in their order; the secret is borrowed and NULL when it was left unread. Takes NULL. */
size_t secret_object_count(const struct secret_object *secrets);
const struct secret *secret_object_at(const struct secret_object *secrets, size_t index);

#endif
