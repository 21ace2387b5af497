#ifndef MODEL_SECRET_WIRE_SECRET_H
#define MODEL_SECRET_WIRE_SECRET_H

#include <jansson.h>
#include <stdbool.h>

#include "model/iclient/iclient_field.h"

/*
 * Secrets that stand as literals among headers, bodies and parameters ("X-Api-Key: 4711"), where a template would name
 * one that is kept apart. They are known by their name, by that of the object or list that they are in, or by an
 * authentication scheme before them. All of it works on the normal form: an array of {"name","value"} for HEADERS, an
 * object for BODY and PARAMS.
 */

/* Whether a kind may have such secrets. */
bool wire_secret_has_kind(enum iclient_field_kind kind);
/* normal with the mask in the place of every such secret; NULL with *ret_done true: it has none. New reference. */
json_t *wire_secret_mask(const json_t *normal, bool *ret_done);
/* Whether a value is the mask, anywhere. */
bool wire_secret_has_mask(const json_t *normal);
/* For each mask of normal what previous has under the same name, in a list at the same place. False: out of memory. */
bool wire_secret_keep(json_t *normal, const json_t *previous);
/* Takes away every member that is the mask. */
void wire_secret_drop_masked(json_t *normal);

/* normal as JSON text where the value was written as text, else itself. New reference; NULL: out of memory. */
json_t *wire_secret_spell(const json_t *written, json_t *normal);

#endif
