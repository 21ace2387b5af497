#ifndef MODEL_CONNECTION_CONNECTION_H
#define MODEL_CONNECTION_CONNECTION_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/fault_list.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "model/rule/access_rule.h"
#include "model/iclient/iclient.h"
#include "model/secret/secret_reference.h"

/*
 * One authorization under an iClient: whose account, which scope, who may ask. Immutable, reference counted; the
 * tokens and the state it owns live in the broker. Secrets are kept out of the document as in struct iclient.
 *
 * Fields: name, iClient (name or _id), tenant, scope, audience, username, password (secret), settings, unencrypted,
 * encrypted (secret), params, allow {users, groups, units}, refresh ("ahead" default, "onDemand"), active, description.
 */
struct connection;

/*
 * Under the iClient's useIClientFields own username, password, scope, audience and params are faults, and so is a
 * member of settings, unencrypted or encrypted that the iClient has too. A value that a template of the iClient names
 * ("connection.settings.shop") is required, and for the password grant an account.
 */

/* The fields' pointers ("/username"), one after another; NULL behind the last. */
const char *connection_field_pointer(size_t index);

/* The "iClient" member of a document before the iClient is known; NULL when it is missing or no string. Borrowed. */
const char *connection_iclient_reference(const json_t *document);

/* iclient: held. Everything else as iclient_from_json(); resolve_ids: see access_rule.h. */
enum status connection_from_json(const json_t *document, const struct iclient *iclient, const char *file,
                                 const struct secret_resolver *resolve, const struct identity_resolver *resolve_ids,
                                 struct fault_list *faults, struct connection **ret_connection);
/*
 * The connection that an iClient has when none names it: the same name, nothing of its own, the default access of
 * access_rule_from_json() without a resolver. A catalog makes them with its own resolver.
 */
struct connection *connection_implicit(const struct iclient *iclient);
struct connection *connection_hold(const struct connection *connection);
void connection_destroy(struct connection *connection);
AUTO_DEFINE(connection);

/* All borrowed. */
const char *connection_name(const struct connection *connection);
const char *connection_tenant(const struct connection *connection);
const char *connection_file(const struct connection *connection); /* "" through the API; the iClient's when implicit */
bool connection_is_implicit(const struct connection *connection);
const struct iclient *connection_iclient(const struct connection *connection);
const struct access_rule *connection_access(const struct connection *connection);
bool connection_refreshes_ahead(const struct connection *connection);
/* False when it or its iClient says "active": false. */
bool connection_is_active(const struct connection *connection);

/* The connection's value, else the iClient's; the iClient's alone under useIClientFields. NULL when neither has one. */
const char *connection_username(const struct connection *connection);
const struct secret *connection_password(const struct connection *connection);
/* The scopes joined with the iClient's scopeDelimiter; NULL when there are none. */
const char *connection_scope(const struct connection *connection);
const char *connection_audience(const struct connection *connection);
/* PARAMS object: extra parameters for every token request of this connection; NULL. */
const json_t *connection_params(const struct connection *connection);

/*
 * The value at a template's path below "connection." (settings.…, unencrypted.…, encrypted.…, username, password,
 * scope, audience, name), appended to value. Members of settings, unencrypted and encrypted that it lacks are the
 * iClient's. ERR_NOT_FOUND.
 */
enum status connection_lookup(const struct connection *connection, const char *path, struct text_buffer *value);

/* As the API gives it back: own fields only, secrets masked. New reference. */
json_t *connection_to_json(const struct connection *connection);

#endif
