#ifndef MODEL_REPLY_REPLY_DOCUMENT_H
#define MODEL_REPLY_REPLY_DOCUMENT_H

#include <jansson.h>

#include "base/xml/xml_document.h"

/* What a provider or an API answered, parsed: JSON (form text is an object of strings), or XML. Both NULL: neither. */
struct reply_document {
    json_t *json;
    struct xml_document *xml;
};

void reply_document_finish(struct reply_document *document);

/*
 * The member of this name of a JSON object; of XML the text of the first element of this name below the root. New
 * reference; NULL when there is none.
 */
json_t *reply_document_member(const struct reply_document *document, const char *name);

#endif
