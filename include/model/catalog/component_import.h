#ifndef MODEL_CATALOG_COMPONENT_IMPORT_H
#define MODEL_CATALOG_COMPONENT_IMPORT_H

#include <jansson.h>

#include "base/error.h"
#include "base/fault_list.h"

/*
 * An iClient from the definition of an integration component (component.json): its "oauth2" block (at the top or in
 * "credentials") and the client id and secret among its "envVars".
 *
 *   component                                     iClient
 *   title, description                            name, component, description
 *   oauth2.auth_uri, token_uri, refresh_uri,      oauth2.auth.uri, token.uri, refresh.uri, revoke.uri; a
 * {{placeholder}} revoke_uri                                  becomes one of iClient.settings (a variable) or
 * connection.settings oauth2.scopes or scope                        oauth2.scope oauth2.additional_params
 * oauth2.authParams oauth2.client_id, client_secret, or envVars   oauth2.clientId; oauth2.clientSecret as {"$env":
 * NAME} OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET,
 *     *_CLIENT_ID and *_CLIENT_SECRET, *_KEY and *_SECRET
 *   no auth_uri                                   oauth2.grantType clientcredentials; else authorizecode
 */
struct component_import_options {
    const char *name;   /* NULL: made of the title */
    const char *tenant; /* NULL: not said */
    /* The value of a variable, NULL when it is not set: a client id is no secret, and no reference can stand for it. */
    const char *(*find_variable)(const char *name);
};

/*
 * What cannot be mapped, or was assumed, becomes a warning in notes, at its place in the component; notes never quote a
 * secret. ERR_INVALID: there is no usable oauth2 block (said in notes). The iClient may have faults all the same: check
 * it. ret_iclient: new reference.
 */
enum status component_import(const json_t *component, const char *file, const struct component_import_options *options,
                             struct fault_list *notes, json_t **ret_iclient);

#endif
