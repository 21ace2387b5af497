#include "model/iclient/iclient_description.h"

#define KEPT "Kept and given back unchanged."
#define FOR_TEMPLATES "Kept, for templates."

#define DESCRIPTION_TABLE(X)                                                                                           \
    X(ID, "24 hex digits. For a file derived from tenant, name and version; a connection may refer to it.")            \
    X(INTEGRATION_ID, KEPT)                                                                                            \
    X(CONNECTOR_ID, KEPT)                                                                                              \
    X(HTTP_CONNECTOR_ID, KEPT)                                                                                         \
    X(HTTP_CONNECTOR_API_ID, KEPT)                                                                                     \
    X(ENABLE_ICLIENT_REFERENCES, KEPT)                                                                                 \
    X(FORM_TYPE, KEPT)                                                                                                 \
    X(SETTINGS, "Your own values, for templates: {{{iClient.settings.region}}}.")                                      \
    X(SETTINGS_FORM, KEPT)                                                                                             \
    X(LAST_MODIFIED, "When the API changed it last. Read-only.")                                                       \
    X(NAME, "Its name; the connection that it has when none names it is called the same.")                             \
    X(PROVIDER, "The preset that lies under this document; custom_oauth2 says everything itself.")                     \
    X(PUBLISHED, KEPT)                                                                                                 \
    X(VERSION, "Name and version together are unique within a tenant; the highest version is taken.")                  \
    X(DESCRIPTION, "For people.")                                                                                      \
    X(TYPE, "A public client has no secret; its id goes into the body.")                                               \
    X(REDIRECT_URIS, "Several redirect URIs; a login takes the first unless it is asked for another.")                 \
    X(ALLOWED_GRANTS, "When set, any other grant is refused.")                                                         \
    X(ACCESS_TOKEN_LIFETIME, "Seconds that a token lasts when the provider does not say; 0 or \"never\".")             \
    X(REFRESH_COUNT, "How often one login may be refreshed; absent: without limit; 0: no refresh token is kept.")      \
    X(ACTIVE, "false: nothing is served; the tokens are revoked and dropped.")                                         \
    X(TENANT, "A namespace: a tenant's names are invisible to another's.")                                             \
    X(COMPONENT, "A second namespace: one iClient for each component of a tenant.")                                    \
    X(ENABLE_JWT, "With clientcredentials and no token.body: the JWT grant.")                                          \
    X(JWT_SIGNATURE_METHOD, "How the JWT is signed.")                                                                  \
    X(JWT_SECRET, "The key for HS methods.")                                                                           \
    X(JWT_PRIVATE_KEY, "The key for all other methods, PEM.")                                                          \
    X(JWT_PASSPHRASE, "Of an encrypted private key.")                                                                  \
    X(JWT_SECRET_IS_BASE64, "true: jwt.secret is Base64 of the key.")                                                  \
    X(JWT_HEADER, "More header members, with templates: {\"kid\": \"key-1\"}. Also called headers.")                   \
    X(JWT_PAYLOAD, "The claims, with templates. Only iat and exp are added where they are absent; null removes one.")  \
    X(JWT_LIFETIME, "Seconds from iat to exp.")                                                                        \
    X(JWT_TOKEN, "A JWT that was signed elsewhere, used as it is.")                                                    \
    X(JWT_USE, "assertion: the grant; clientAssertion: authenticates the client; accessToken: is itself the token.")   \
    X(CLIENT_ID, "The client id, from the provider.")                                                                  \
    X(CLIENT_SECRET, "The client secret, from the provider.")                                                          \
    X(GRANT_TYPE, "How tokens are obtained. Required unless the preset has one.")                                      \
    X(PKCE, "PKCE; null turns it off. A server that does not know it ignores it.")                                     \
    X(SCOPE, "What to ask for.")                                                                                       \
    X(SCOPE_DELIMITER, "Joins the scopes.")                                                                            \
    X(REDIRECT_URI, "As registered at the provider; absent: the daemon's own for this iClient. No templates.")         \
    X(ISSUER, "The authorization server's name for itself: an answer's iss has to be exactly this (RFC 9207).")        \
    X(CLIENT_CREDENTIALS_LOCATION, "Where client id and secret go. Never both.")                                       \
    X(CLIENT_CREDENTIALS_ENCODING, "none: for servers that do not decode what is in the Authorization header.")        \
    X(TOKEN_AUTH_METHOD, "How the client authenticates at the token endpoint.")                                        \
    X(AUTH_URI, "Where a person logs in. A query that is there already is kept.")                                      \
    X(TOKEN_URI, "Where tokens come from.")                                                                            \
    X(TOKEN_METHOD, "GET puts the parameters into the query.")                                                         \
    X(TOKEN_BODY, "Takes the place of the default parameters.")                                                        \
    X(TOKEN_HEADERS, "Added to the token request.")                                                                    \
    X(REFRESH_URI, "Where tokens are refreshed; absent: the token URI.")                                               \
    X(REFRESH_METHOD, "GET puts the parameters into the query.")                                                       \
    X(REFRESH_BODY, "Takes the place of the default parameters.")                                                      \
    X(REFRESH_HEADERS, "Added to the refresh request.")                                                                \
    X(REVOKE_URI, "Where tokens are revoked (RFC 7009).")                                                              \
    X(REVOKE_METHOD, "GET puts the parameters into the query.")                                                        \
    X(REVOKE_BODY, "Takes the place of the default parameters.")                                                       \
    X(REVOKE_HEADERS, "Added to the revoke request.")                                                                  \
    X(AUTH_PARAMS, "More parameters for the login: {\"access_type\": \"offline\"}.")                                   \
    X(TOKEN_PARAMS, "More parameters for the token request.")                                                          \
    X(REFRESH_PARAMS, "More parameters for the refresh.")                                                              \
    X(BODY_FORMAT, "How bodies are sent. A Content-Type in the headers decides too.")                                  \
    X(ACCESS_TOKEN_PATH, "Where the token stands in the answer, with dots: data.0.token.")                             \
    X(REFRESH_TOKEN_PATH, "Where the refresh token stands in the answer.")                                             \
    X(REFRESH_ACCESS_TOKEN_PATH, "Where the token stands in the answer to a refresh, if elsewhere.")                   \
    X(REFRESH_REFRESH_TOKEN_PATH, "Where the refresh token stands in the answer to a refresh, if elsewhere.")          \
    X(EXPIRES_IN_PATH, "Where the lifetime stands in the answer.")                                                     \
    X(EXPIRES_AT_PATH, "Where a point in time stands instead: Unix time or ISO 8601.")                                 \
    X(EXPIRES_IN_UNIT, "The unit of the lifetime.")                                                                    \
    X(REFRESH_EXPIRES_IN_PATH, "Where the lifetime of the refresh token stands.")                                      \
    X(SCOPE_PATH, "Where the granted scope stands.")                                                                   \
    X(TOKEN_TYPE_PATH, "Where the token's type stands.")                                                               \
    X(RESPONSE_METADATA, "Paths in the answer to keep; templates: {{{metadata.instance_url}}}.")                       \
    X(CALLBACK_METADATA, "Parameters of the login's answer to keep.")                                                  \
    X(CODE_PARAM, "What the login's answer calls the code.")                                                           \
    X(FAIL_PATH, "Where an answer says that the token was refused.")                                                   \
    X(FAIL_VALUES, "The values at failPath that say so; absent: any but null, false, 0 and \"\".")                     \
    X(FAIL_STATUS_CODE, "The status that says so; absent: 401.")                                                       \
    X(USE_NEW_AUTH_FAIL_SCHEMA, "Computed; ignored on write.")                                                         \
    X(FAILURES, "Computed; ignored on write.")                                                                         \
    X(TOKEN_FAILURES, "Failure rules for the token endpoint alone.")                                                   \
    X(ACCESS_TOKEN_LOCATION, "How the API wants the token.")                                                           \
    X(ACCESS_TOKEN_HEADER_NAME, "The header that the API wants the token in.")                                         \
    X(SCHEME, "The word before the token; empty: none.")                                                               \
    X(ACCESS_TOKEN_PARAM_NAME, "The parameter that the API wants the token in, for url and body.")                     \
    X(USERNAME, "For the password grant; a connection's own goes first.")                                              \
    X(PASSWORD, "For the password grant; a connection's own goes first.")                                              \
    X(UNENCRYPTED, "Your own values, for templates: {{{iClient.unencrypted.account}}}.")                               \
    X(ENCRYPTED, "Your own secrets, for templates: {{{iClient.encrypted.apiKey}}}.")                                   \
    X(USE_ICLIENT_FIELDS, "true: connections cannot set account, scope, audience or parameters of their own.")         \
    X(VALID_DOMAIN_NAMES, "The hosts, and all below them, that requests may go to; absent: the hosts of the URIs.")    \
    X(SALESFORCE_CLIENT_ID, "Used where oauth2.clientId is absent.")                                                   \
    X(SALESFORCE_CLIENT_SECRET, "Used where oauth2.clientSecret is absent.")                                           \
    X(SALESFORCE_API_TOKEN, "Appended to the password in the password grant.")                                         \
    X(SALESFORCE_PRIVATE_KEY, "Used where jwt.privateKey is absent.")                                                  \
    X(SALESFORCE_PUBLIC_KEY, KEPT)                                                                                     \
    X(EBAY_APP_ID, "The client id.")                                                                                   \
    X(EBAY_DEV_ID, KEPT)                                                                                               \
    X(EBAY_CERT_ID, "The client secret.")                                                                              \
    X(EBAY_RU_NAME, "eBay's name for the redirect URI.")                                                               \
    X(NETSUITE_CONSUMER_KEY, FOR_TEMPLATES)                                                                            \
    X(NETSUITE_CONSUMER_SECRET, FOR_TEMPLATES)                                                                         \
    X(AMAZONMWS_ACCESS_KEY_ID, FOR_TEMPLATES)                                                                          \
    X(AMAZONMWS_SECRET_KEY, FOR_TEMPLATES)

#define DESCRIBED(symbol, text) DESCRIBED_##symbol,
enum { DESCRIPTION_TABLE(DESCRIBED) DESCRIBED_COUNT };
#undef DESCRIBED

/* A field without a description, and a description without a field, do not compile. */
#define CHECK_DESCRIBED(symbol, pointer, kind, fallback)                                                               \
    _Static_assert(DESCRIBED_##symbol < (int)DESCRIBED_COUNT, "described once");
ICLIENT_FIELD_TABLE(CHECK_DESCRIBED)
#undef CHECK_DESCRIBED

#define DESCRIPTION(symbol, text) [ICLIENT_##symbol] = (text),
static const char *const descriptions[ICLIENT_FIELD_COUNT] = {DESCRIPTION_TABLE(DESCRIPTION)};
#undef DESCRIPTION

const char *iclient_field_description(enum iclient_field field)
{
    return descriptions[field];
}
