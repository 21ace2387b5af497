#ifndef MODEL_CATALOG_DOCUMENT_SECRETS_H
#define MODEL_CATALOG_DOCUMENT_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

/* What stands in a document where a secret was. */
#define SECRET_MASK "******"

/*
 * What a document that replaces another says about secrets: one that is left out, or stands there as the mask, stays
 * what it was; a null takes it away. Of an object of secrets ("encrypted") what is left out as a whole stays, and so
 * does each member that is the mask; a member that is left out goes. Headers, bodies and parameters that are left out
 * go; a value that is the mask stays what it was under its name. previous: with its secrets; NULL for a new document,
 * in which a null means the same as nothing. Changes document. False: out of memory.
 */
bool document_secrets_keep_iclient(json_t *document, const json_t *previous);
bool document_secrets_keep_connection(json_t *document, const json_t *previous);
/* Takes the masks out of the headers, bodies and parameters of an iClient's document: it becomes another's. */
void document_secrets_drop_literals(json_t *document);

#endif
