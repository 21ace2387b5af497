#ifndef MODEL_ICLIENT_PROVIDER_PRESET_H
#define MODEL_ICLIENT_PROVIDER_PRESET_H

#include <jansson.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"

/*
 * Provider defaults that lie under an iClient: a document of the iClient's own format without name and without
 * secrets, plus "noGrant" (a sentence) for providers that have no OAuth 2.0 grant and "notes" (array of sentences).
 * Its URIs may have a template for a host without validDomainNames: then the iClient must have them.
 * Immutable, reference counted, shared by every iClient of the provider.
 */
struct provider_preset;

/* name: the file's name without .json. document: borrowed. Faults as in iclient_from_json(). */
enum status provider_preset_from_json(const char *name, const json_t *document, const char *file,
                                      struct fault_list *faults, struct provider_preset **ret_preset);
/* The preset of a provider that needs everything in the iClient ("custom_oauth2" without a file). */
struct provider_preset *provider_preset_create_empty(const char *name);
struct provider_preset *provider_preset_hold(const struct provider_preset *preset);
void provider_preset_destroy(struct provider_preset *preset);
AUTO_DEFINE(provider_preset);

const char *provider_preset_name(const struct provider_preset *preset);
const json_t *provider_preset_document(const struct provider_preset *preset);
const char *provider_preset_no_grant(const struct provider_preset *preset); /* NULL when there are grants */

#endif
