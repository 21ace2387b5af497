#ifndef MODEL_ICLIENT_ICLIENT_SCHEMA_H
#define MODEL_ICLIENT_ICLIENT_SCHEMA_H

#include <jansson.h>

/*
 * A JSON Schema (2020-12) of the iClient document, for editors, made from the field table: what a field is, its
 * choices, its default and a sentence on it. It never refuses a document that iclient_from_json() takes. What fields
 * say together, and what stands within URIs and templates, only the latter judges. New reference; NULL when out of
 * memory.
 */
json_t *iclient_schema_create(void);

#endif
