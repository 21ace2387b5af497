#ifndef MODEL_CATALOG_DOCUMENT_PATCH_H
#define MODEL_CATALOG_DOCUMENT_PATCH_H

#include <jansson.h>

#include "base/error.h"
#include "base/fault_list.h"

/*
 * A JSON Patch (RFC 6902) of an iClient, as far as integrator.io's API has it: replace, add and remove of
 * /oauth2/failPath. Kinder than the RFC in one thing: replace sets what is not there, and remove of what is not there
 * changes nothing. A patch that leaves no failPath removes failValues. Changes document, or adds what is wrong to
 * faults and returns ERR_INVALID; ERR_NO_MEMORY.
 */
enum status document_patch_apply(json_t *document, const json_t *patch, struct fault_list *faults);

#endif
