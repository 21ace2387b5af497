#ifndef MODEL_RULE_URI_ORIGIN_H
#define MODEL_RULE_URI_ORIGIN_H

#include "base/error.h"

/*
 * Scheme, host and port of a URI as one text (RFC 6454 §6.1): "https://as.example.com", with the port where it is not
 * the scheme's. The URI is taken apart as it is when it is sent. ERR_INVALID, ERR_NO_MEMORY. Caller frees.
 */
enum status uri_origin(const char *uri, char **ret_origin, struct error *ret_error);

#endif
