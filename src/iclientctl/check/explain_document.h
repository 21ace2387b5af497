#ifndef ICLIENTCTL_CHECK_EXPLAIN_DOCUMENT_H
#define ICLIENTCTL_CHECK_EXPLAIN_DOCUMENT_H

#include <jansson.h>

#include "base/cleanup.h"
#include "iclientctl/terminal/placeholder.h"
#include "model/secret/secret_reference.h"

/*
 * Documents without their secrets: each is replaced by a reference of ours, which the resolver answers with a
 * placeholder, or with a key made for the occasion where a JWT has to be signed. So no secret can come out at the
 * other end, and one that is a reference need not be readable.
 */
struct secret_stand_ins;

/* placeholders: borrowed. NULL when out of memory. */
struct secret_stand_ins *secret_stand_ins_create(struct placeholders *placeholders);
void secret_stand_ins_destroy(struct secret_stand_ins *stand_ins);
AUTO_DEFINE(secret_stand_ins);

/* Borrowed from stand_ins. */
const struct secret_resolver *secret_stand_ins_resolver(const struct secret_stand_ins *stand_ins);

/* A copy without secrets; new reference, NULL when out of memory. method: of its private keys, may be NULL. */
json_t *explain_document_iclient(const json_t *document, const char *method);
json_t *explain_document_connection(const json_t *document);

#endif
