#ifndef MODEL_ICLIENT_RESERVED_PARAM_H
#define MODEL_ICLIENT_RESERVED_PARAM_H

#include <jansson.h>

#include "model/catalog/document_faults.h"
#include "model/iclient/field_view.h"

/* Whether the daemon sets this one itself in an authorization request. */
bool reserved_param_is_of_login(const char *name);
/*
 * Parameters that the daemon sets itself cannot be overridden (docs/CONFIGURATION.md, What is sent): faults for
 * authParams, tokenParams, refreshParams.
 */
void reserved_param_check(const struct field_view *view, struct document_faults *faults);
/* The same for a connection's params, which go into every token request. */
void reserved_param_check_connection(const json_t *params, const char *pointer, struct document_faults *faults);

#endif
