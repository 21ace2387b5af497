#ifndef MODEL_SECRET_SECRET_REFERENCE_H
#define MODEL_SECRET_SECRET_REFERENCE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"

/*
 * In a document a secret is a literal string or {"$file": path}, {"$credential": name} (systemd credentials),
 * {"$env": name}. Reading one is I/O, so whoever loads documents hands in the reader.
 */
enum secret_source { SECRET_FROM_FILE, SECRET_FROM_CREDENTIAL, SECRET_FROM_ENVIRONMENT };

struct secret_resolver {
    /*
     * file: the document's path, against whose folder a relative $file is taken. One trailing newline is dropped.
     * Errors as the system gives them; the message names the source, never its content.
     */
    enum status (*read)(void *context, const char *file, enum secret_source source, const char *name,
                        struct secret **ret_secret, struct error *ret_error);
    void *context;
};

/* True when value has the shape of a reference: an object with exactly one member whose name starts with '$'. */
bool secret_reference_is(const json_t *value);
/* ERR_INVALID when it is one of an unknown kind, or its value is no non-empty string. ret_name is borrowed. */
enum status secret_reference_parse(const json_t *value, enum secret_source *ret_source, const char **ret_name,
                                   struct error *ret_error);

#endif
