#ifndef MODEL_ICLIENT_ICLIENT_H
#define MODEL_ICLIENT_ICLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "model/rule/failure_rule.h"
#include "model/iclient/iclient_field.h"
#include "model/iclient/provider_preset.h"
#include "model/reply/reply_path.h"
#include "model/secret/secret_reference.h"
#include "model/rule/url_policy.h"

/*
 * An application registered at a provider: the merged view of one document over its preset over the defaults.
 * Immutable and reference counted, so that an exchange in flight keeps its own while a reload swaps the rest.
 *
 * Masked by construction: at load every secret field is taken out of the document and kept as a struct secret;
 * the document keeps "******" in its place. The preset is shared: an iClient holds only what its own document says.
 */
struct iclient;

enum grant_type {
    GRANT_NONE, /* the provider has no OAuth 2.0 grant (netsuite token-based authentication, MWS signatures) */
    GRANT_AUTHORIZATION_CODE,
    GRANT_PASSWORD,
    GRANT_CLIENT_CREDENTIALS,
    GRANT_JWT_BEARER, /* RFC 7523 §2.1 */
    GRANT_JWT_TOKEN,  /* jwt.use accessToken: the JWT is the token, nobody is asked */
};

enum client_authentication {
    CLIENT_AUTH_BASIC, /* RFC 6749 §2.3.1, id and secret form-encoded first */
    CLIENT_AUTH_BODY,
    CLIENT_AUTH_NONE, /* public client: client_id in the body */
    CLIENT_AUTH_SECRET_JWT,
    CLIENT_AUTH_PRIVATE_KEY_JWT,
};

enum pkce_method { PKCE_NONE, PKCE_S256, PKCE_PLAIN };

struct iclient_options {
    bool allow_loopback_http; /* http.allowLoopbackHttp of the daemon */
    /* redirect.baseUri + "/callback": an iClient's own is below it, "/NAME" or "/TENANT/NAME"; copied; may be NULL. */
    const char *default_redirect_uri;
    /* Whether a key fits a signature method (protocol's jwt_key_check()); NULL: not asked. */
    enum status (*check_jwt_key)(const char *method, const struct secret *key, const struct secret *passphrase,
                                 struct error *ret_error);
};

/*
 * Reads, merges and validates one document.
 *   document   borrowed, unchanged; preset: held; file: for faults, "" through the API
 *   resolve    turns secret references into bytes (io); NULL: references are left unread (`iclientctl check`)
 *   faults     gets every fault of the document, unknown fields with the nearest known one, contradictions included
 *              (a public client with a secret, failValues without failPath, a JWT grant without a key, a key that does
 *              not fit its method, a URI outside validDomainNames, a template that cannot resolve …)
 * Returns ERR_INVALID when errors were added to faults, ERR_NO_MEMORY.
 */
enum status iclient_from_json(const json_t *document, struct provider_preset *preset, const char *file,
                              const struct iclient_options *options, const struct secret_resolver *resolve,
                              struct fault_list *faults, struct iclient **ret_iclient);
struct iclient *iclient_hold(const struct iclient *iclient);
void iclient_destroy(struct iclient *iclient); /* drops one hold */
AUTO_DEFINE(iclient);

/*
 * ---- fields: the document's value, else the preset's, else the default. All borrowed. ----
 * OBJECT, PARAMS and HEADERS of the document lie over the preset's member by member; a null in PARAMS takes the
 * preset's member away.
 */

/* TEXT, TEMPLATE, URI, CHOICE (in the table's spelling), ID. NULL when absent or null. */
const char *iclient_text(const struct iclient *iclient, enum iclient_field field);
/* NUMBER and LIFETIME ("never" gives 0); fallback when absent. */
/* A PATH field, or the element of STRINGS that are paths (index; else 0). Borrowed; NULL when absent. */
const struct reply_path *iclient_reply_path(const struct iclient *iclient, enum iclient_field field, size_t index);
int64_t iclient_number(const struct iclient *iclient, enum iclient_field field, int64_t fallback);
bool iclient_flag(const struct iclient *iclient, enum iclient_field field);
/* Any kind as JSON, secrets masked; NULL when absent. A CHOICE that was set to null gives json_null(). */
const json_t *iclient_json(const struct iclient *iclient, enum iclient_field field);
/* SECRET. NULL when absent. */
const struct secret *iclient_secret(const struct iclient *iclient, enum iclient_field field);

/*
 * A BODY as an object of name -> value (strings are templates; nested only where the wire format is JSON), or a
 * HEADERS field as an array of {"name","value"}; parsed from whatever spelling was used. New reference; NULL when
 * the field is absent.
 */
json_t *iclient_body(const struct iclient *iclient, enum iclient_field field);
json_t *iclient_headers(const struct iclient *iclient, enum iclient_field field);

/*
 * The value at a template's path below "iClient." ("oauth2.unencrypted.audience", "settings.region"), secrets
 * included, appended to value as json_read_as_text() writes it; "oauth2." may be left out ("unencrypted.audience").
 * Scopes come joined by the delimiter, client id and secret from where iclient_client_id() has them.
 * ERR_NOT_FOUND when there is none. "jwt.token" is not here: protocol makes it.
 */
enum status iclient_lookup(const struct iclient *iclient, const char *path, struct text_buffer *value);

/* ---- what follows from the fields ---- */

const char *iclient_name(const struct iclient *iclient);
const char *iclient_tenant(const struct iclient *iclient);
const char *iclient_id(const struct iclient *iclient);   /* 24 hex digits; derived when the document has none */
const char *iclient_file(const struct iclient *iclient); /* "" when it came through the API */
enum grant_type iclient_grant(const struct iclient *iclient);
/* "authorizecode", "password", "clientcredentials", "jwtbearer", "jwttoken"; NULL for GRANT_NONE. */
const char *grant_type_name(enum grant_type grant);
/* Why GRANT_NONE: a sentence for a person ("NetSuite's token-based authentication is OAuth 1.0a…"). NULL otherwise. */
const char *iclient_no_grant_reason(const struct iclient *iclient);
enum client_authentication iclient_client_authentication(const struct iclient *iclient);
enum pkce_method iclient_pkce(const struct iclient *iclient);
/*
 * oauth2.clientId, or salesforce.clientId, ebay.appId where that is missing. NULL when none. The same for the secret.
 */
const char *iclient_client_id(const struct iclient *iclient);
const struct secret *iclient_client_secret(const struct iclient *iclient);
/* jwt.privateKey or jwt.secret by method, or salesforce.privateKey. NULL when none. */
const struct secret *iclient_jwt_key(const struct iclient *iclient);
/*
 * The redirect URI to register and send: the n-th of redirectUris, oauth2.redirectUri, ebay.ruName, the daemon's own.
 */
const char *iclient_redirect_uri(const struct iclient *iclient);
/* True when uri is one that this iClient may use at a login (redirectUris, redirectUri, the default). */
bool iclient_has_redirect_uri(const struct iclient *iclient, const char *uri);
/*
 * oauth2.issuer, with its templates. NULL: none. A preset's is that of its own authorization URI: it does not stand
 * beside another one that the document says.
 */
const char *iclient_issuer(const struct iclient *iclient);
const struct url_policy *iclient_url_policy(const struct iclient *iclient);
/*
 * Rules for token, refresh and revoke replies (tokenFailures and the flat fields), and for API replies that services
 * report.
 */
const struct failure_rules *iclient_token_failures(const struct iclient *iclient);
const struct failure_rules *iclient_api_failures(const struct iclient *iclient);

/*
 * The document as the API gives it back: own fields only, secrets "******", computed fields and the defaults of _id,
 * formType and published added. New reference.
 */
json_t *iclient_to_json(const struct iclient *iclient);

#endif
