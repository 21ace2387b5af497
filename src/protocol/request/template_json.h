#ifndef PROTOCOL_REQUEST_TEMPLATE_JSON_H
#define PROTOCOL_REQUEST_TEMPLATE_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "model/template/template.h"

/*
 * A copy of value with the templates in its strings rendered, however deep; member names, numbers and flags stay.
 * Errors of template_render(), and ERR_INVALID when a rendered text is not UTF-8 (RFC 6749 appendix B wants it).
 */
enum status template_json_render(const json_t *value, template_lookup *lookup, const void *context,
                                 json_t **ret_rendered, struct error *ret_error);

#endif
