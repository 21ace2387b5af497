#ifndef MODEL_ICLIENT_ICLIENT_FIELD_H
#define MODEL_ICLIENT_ICLIENT_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Every field of the iClient, one row each: symbol, RFC 6901 pointer, kind, default (JSON text or NULL).
 * Parsing, hints for unknown fields, masking and the documentation (docs/CONFIGURATION.md, iClient fields) derive from
 * this table. Its first part has the names of integrator.io's OpenAPI schema.
 *
 * Kinds
 *   TEXT      a string                          SECRET         a string, or {"$file"|"$credential"|"$env": "…"}; masked
 *   TEMPLATE  a string with templates           SECRET_OBJECT  a free object, masked as a whole
 *   URI       an absolute URI with templates    OBJECT         a free object, templates in its strings
 *   FLAG      true or false                     PARAMS         an object of name -> string template, number or flag
 *   NUMBER    a whole number >= 0               STRINGS        an array of strings; a string becomes one element
 *   ID        24 hex digits                     HEADERS        lines, JSON text, an object or [{name,value}]; templates
 *   TIME      read-only UTC time                BODY           JSON text, form text or an object; templates
 *   LIFETIME  seconds, 0 or "never"             RULES          an array of {statusCode, path, values}
 *   PATH      a reply path (reply_path.h)     JSON_OBJECT    an object, or JSON text of one; templates in its strings
 *   CHOICE    one of a fixed set (case ignored; may be null where the set says so)
 *   COMPUTED  given back, ignored on write
 */
#define ICLIENT_FIELD_TABLE(X)                                                                                         \
    X(ID, "/_id", ID, NULL)                                                                                            \
    X(INTEGRATION_ID, "/_integrationId", ID, NULL)                                                                     \
    X(CONNECTOR_ID, "/_connectorId", ID, NULL)                                                                         \
    X(HTTP_CONNECTOR_ID, "/_httpConnectorId", ID, NULL)                                                                \
    X(HTTP_CONNECTOR_API_ID, "/_httpConnectorApiId", ID, NULL)                                                         \
    X(ENABLE_ICLIENT_REFERENCES, "/enableIClientReferences", FLAG, NULL)                                               \
    X(FORM_TYPE, "/formType", CHOICE, NULL)                                                                            \
    X(SETTINGS, "/settings", OBJECT, NULL)                                                                             \
    X(SETTINGS_FORM, "/settingsForm", OBJECT, NULL)                                                                    \
    X(LAST_MODIFIED, "/lastModified", TIME, NULL)                                                                      \
    X(NAME, "/name", TEXT, NULL)                                                                                       \
    X(PROVIDER, "/provider", TEXT, NULL)                                                                               \
    X(PUBLISHED, "/published", FLAG, "false")                                                                          \
    X(VERSION, "/version", TEXT, "\"1\"")                                                                              \
    X(DESCRIPTION, "/description", TEXT, NULL)                                                                         \
    X(TYPE, "/type", CHOICE, "\"confidential\"")                                                                       \
    X(REDIRECT_URIS, "/redirectUris", STRINGS, NULL)                                                                   \
    X(ALLOWED_GRANTS, "/allowedGrants", STRINGS, NULL)                                                                 \
    X(ACCESS_TOKEN_LIFETIME, "/accessTokenLifetime", LIFETIME, "3600")                                                 \
    X(REFRESH_COUNT, "/refreshCount", NUMBER, NULL)                                                                    \
    X(ACTIVE, "/active", FLAG, "true")                                                                                 \
    X(TENANT, "/tenant", TEXT, "\"default\"")                                                                          \
    X(COMPONENT, "/component", TEXT, NULL)                                                                             \
    X(ENABLE_JWT, "/enableJWT", FLAG, "false")                                                                         \
    X(JWT_SIGNATURE_METHOD, "/jwt/signatureMethod", CHOICE, NULL)                                                      \
    X(JWT_SECRET, "/jwt/secret", SECRET, NULL)                                                                         \
    X(JWT_PRIVATE_KEY, "/jwt/privateKey", SECRET, NULL)                                                                \
    X(JWT_PASSPHRASE, "/jwt/passphrase", SECRET, NULL)                                                                 \
    X(JWT_SECRET_IS_BASE64, "/jwt/isSecretBase64Encoded", FLAG, "false")                                               \
    X(JWT_HEADER, "/jwt/header", JSON_OBJECT, NULL)                                                                    \
    X(JWT_PAYLOAD, "/jwt/payload", JSON_OBJECT, NULL)                                                                  \
    X(JWT_LIFETIME, "/jwt/lifetime", NUMBER, "300")                                                                    \
    X(JWT_TOKEN, "/jwt/token", SECRET, NULL)                                                                           \
    X(JWT_USE, "/jwt/use", CHOICE, "\"assertion\"")                                                                    \
    X(CLIENT_ID, "/oauth2/clientId", TEXT, NULL)                                                                       \
    X(CLIENT_SECRET, "/oauth2/clientSecret", SECRET, NULL)                                                             \
    X(GRANT_TYPE, "/oauth2/grantType", CHOICE, NULL)                                                                   \
    X(PKCE, "/oauth2/pkceCodeChallengeMethod", CHOICE, "\"s256\"")                                                     \
    X(SCOPE, "/oauth2/scope", STRINGS, NULL)                                                                           \
    X(SCOPE_DELIMITER, "/oauth2/scopeDelimiter", TEXT, "\" \"")                                                        \
    X(REDIRECT_URI, "/oauth2/redirectUri", TEXT, NULL)                                                                 \
    X(ISSUER, "/oauth2/issuer", URI, NULL)                                                                             \
    X(CLIENT_CREDENTIALS_LOCATION, "/oauth2/clientCredentialsLocation", CHOICE, "\"basicauthheader\"")                 \
    X(CLIENT_CREDENTIALS_ENCODING, "/oauth2/clientCredentialsEncoding", CHOICE, "\"form\"")                            \
    X(TOKEN_AUTH_METHOD, "/oauth2/tokenAuthMethod", CHOICE, NULL)                                                      \
    X(AUTH_URI, "/oauth2/auth/uri", URI, NULL)                                                                         \
    X(TOKEN_URI, "/oauth2/token/uri", URI, NULL)                                                                       \
    X(TOKEN_METHOD, "/oauth2/token/method", CHOICE, "\"POST\"")                                                        \
    X(TOKEN_BODY, "/oauth2/token/body", BODY, NULL)                                                                    \
    X(TOKEN_HEADERS, "/oauth2/token/headers", HEADERS, NULL)                                                           \
    X(REFRESH_URI, "/oauth2/refresh/uri", URI, NULL)                                                                   \
    X(REFRESH_METHOD, "/oauth2/refresh/method", CHOICE, "\"POST\"")                                                    \
    X(REFRESH_BODY, "/oauth2/refresh/body", BODY, NULL)                                                                \
    X(REFRESH_HEADERS, "/oauth2/refresh/headers", HEADERS, NULL)                                                       \
    X(REVOKE_URI, "/oauth2/revoke/uri", URI, NULL)                                                                     \
    X(REVOKE_METHOD, "/oauth2/revoke/method", CHOICE, "\"POST\"")                                                      \
    X(REVOKE_BODY, "/oauth2/revoke/body", BODY, NULL)                                                                  \
    X(REVOKE_HEADERS, "/oauth2/revoke/headers", HEADERS, NULL)                                                         \
    X(AUTH_PARAMS, "/oauth2/authParams", PARAMS, NULL)                                                                 \
    X(TOKEN_PARAMS, "/oauth2/tokenParams", PARAMS, NULL)                                                               \
    X(REFRESH_PARAMS, "/oauth2/refreshParams", PARAMS, NULL)                                                           \
    X(BODY_FORMAT, "/oauth2/bodyFormat", CHOICE, "\"form\"")                                                           \
    X(ACCESS_TOKEN_PATH, "/oauth2/accessTokenPath", PATH, "\"access_token\"")                                          \
    X(REFRESH_TOKEN_PATH, "/oauth2/refreshTokenPath", PATH, "\"refresh_token\"")                                       \
    X(REFRESH_ACCESS_TOKEN_PATH, "/oauth2/refreshAccessTokenPath", PATH, NULL)                                         \
    X(REFRESH_REFRESH_TOKEN_PATH, "/oauth2/refreshRefreshTokenPath", PATH, NULL)                                       \
    X(EXPIRES_IN_PATH, "/oauth2/expiresInPath", PATH, "\"expires_in\"")                                                \
    X(EXPIRES_AT_PATH, "/oauth2/expiresAtPath", PATH, NULL)                                                            \
    X(EXPIRES_IN_UNIT, "/oauth2/expiresInUnit", CHOICE, "\"seconds\"")                                                 \
    X(REFRESH_EXPIRES_IN_PATH, "/oauth2/refreshExpiresInPath", PATH, NULL)                                             \
    X(SCOPE_PATH, "/oauth2/scopePath", PATH, "\"scope\"")                                                              \
    X(TOKEN_TYPE_PATH, "/oauth2/tokenTypePath", PATH, "\"token_type\"")                                                \
    X(RESPONSE_METADATA, "/oauth2/responseMetadata", STRINGS, NULL)                                                    \
    X(CALLBACK_METADATA, "/oauth2/callbackMetadata", STRINGS, NULL)                                                    \
    X(CODE_PARAM, "/oauth2/codeParam", TEXT, "\"code\"")                                                               \
    X(FAIL_PATH, "/oauth2/failPath", PATH, NULL)                                                                       \
    X(FAIL_VALUES, "/oauth2/failValues", STRINGS, NULL)                                                                \
    X(FAIL_STATUS_CODE, "/oauth2/failStatusCode", NUMBER, NULL)                                                        \
    X(USE_NEW_AUTH_FAIL_SCHEMA, "/oauth2/useNewAuthFailSchema", COMPUTED, NULL)                                        \
    X(FAILURES, "/oauth2/failures", COMPUTED, NULL)                                                                    \
    X(TOKEN_FAILURES, "/oauth2/tokenFailures", RULES, NULL)                                                            \
    X(ACCESS_TOKEN_LOCATION, "/oauth2/accessTokenLocation", CHOICE, "\"header\"")                                      \
    X(ACCESS_TOKEN_HEADER_NAME, "/oauth2/accessTokenHeaderName", TEXT, "\"Authorization\"")                            \
    X(SCHEME, "/oauth2/scheme", TEXT, "\"Bearer\"")                                                                    \
    X(ACCESS_TOKEN_PARAM_NAME, "/oauth2/accessTokenParamName", TEXT, "\"access_token\"")                               \
    X(USERNAME, "/oauth2/username", TEXT, NULL)                                                                        \
    X(PASSWORD, "/oauth2/password", SECRET, NULL)                                                                      \
    X(UNENCRYPTED, "/oauth2/unencrypted", OBJECT, NULL)                                                                \
    X(ENCRYPTED, "/oauth2/encrypted", SECRET_OBJECT, NULL)                                                             \
    X(USE_ICLIENT_FIELDS, "/oauth2/useIClientFields", FLAG, "false")                                                   \
    X(VALID_DOMAIN_NAMES, "/oauth2/validDomainNames", STRINGS, NULL)                                                   \
    X(SALESFORCE_CLIENT_ID, "/salesforce/clientId", TEXT, NULL)                                                        \
    X(SALESFORCE_CLIENT_SECRET, "/salesforce/clientSecret", SECRET, NULL)                                              \
    X(SALESFORCE_API_TOKEN, "/salesforce/apiToken", SECRET, NULL)                                                      \
    X(SALESFORCE_PRIVATE_KEY, "/salesforce/privateKey", SECRET, NULL)                                                  \
    X(SALESFORCE_PUBLIC_KEY, "/salesforce/publicKey", TEXT, NULL)                                                      \
    X(EBAY_APP_ID, "/ebay/appId", TEXT, NULL)                                                                          \
    X(EBAY_DEV_ID, "/ebay/devId", TEXT, NULL)                                                                          \
    X(EBAY_CERT_ID, "/ebay/certId", SECRET, NULL)                                                                      \
    X(EBAY_RU_NAME, "/ebay/ruName", TEXT, NULL)                                                                        \
    X(NETSUITE_CONSUMER_KEY, "/netsuite/consumerKey", SECRET, NULL)                                                    \
    X(NETSUITE_CONSUMER_SECRET, "/netsuite/consumerSecret", SECRET, NULL)                                              \
    X(AMAZONMWS_ACCESS_KEY_ID, "/amazonmws/accessKeyId", TEXT, NULL)                                                   \
    X(AMAZONMWS_SECRET_KEY, "/amazonmws/secretKey", SECRET, NULL)

enum iclient_field_kind {
    FIELD_TEXT,
    FIELD_TEMPLATE,
    FIELD_URI,
    FIELD_FLAG,
    FIELD_NUMBER,
    FIELD_ID,
    FIELD_TIME,
    FIELD_LIFETIME,
    FIELD_CHOICE,
    FIELD_COMPUTED,
    FIELD_SECRET,
    FIELD_SECRET_OBJECT,
    FIELD_OBJECT,
    FIELD_PARAMS,
    FIELD_STRINGS,
    FIELD_HEADERS,
    FIELD_BODY,
    FIELD_RULES,
    FIELD_PATH,
    FIELD_JSON_OBJECT,
};

#define ICLIENT_FIELD_SYMBOL(symbol, pointer, kind, fallback) ICLIENT_##symbol,
enum iclient_field { ICLIENT_FIELD_TABLE(ICLIENT_FIELD_SYMBOL) ICLIENT_FIELD_COUNT };
#undef ICLIENT_FIELD_SYMBOL

/* Another word for one of a field's choices: the platform's hmac-sha256 for HS256. */
struct iclient_field_word {
    const char *word;
    const char *choice;
};

struct iclient_field_row {
    const char *pointer;
    enum iclient_field_kind kind;
    const char *fallback;       /* JSON text; NULL: none */
    const char *const *choices; /* NULL-terminated, for FIELD_CHOICE and for the elements of allowedGrants */
    const struct iclient_field_word *other_words; /* ended by a NULL word; NULL: none */
    bool choice_nullable; /* null is a value of its own: pkceCodeChallengeMethod; elsewhere it is the same as nothing */
    bool paths;           /* STRINGS: each is a reply path (responseMetadata) */
    bool comma_separated; /* STRINGS: a string is a list with commas (failValues, validDomainNames) */
};

const struct iclient_field_row *iclient_field_row(enum iclient_field field);

/* A field's second pointer: the platform's /jwt/headers for /jwt/header. index from 0; NULL: there are no more. */
const char *iclient_field_second_pointer(size_t index, enum iclient_field *ret_field);

/*
 * The field "name" of the level that pointer parent names ("", "/oauth2", "/oauth2/token"); ICLIENT_FIELD_COUNT when
 * none.
 */
enum iclient_field iclient_field_find(const char *parent, const char *name);
/* The pointer of the group of fields of this name on that level ("token" under "/oauth2"); NULL when there is none. */
const char *iclient_field_group(const char *parent, const char *name);
/*
 * What a person who wrote an unknown name there may have meant: the nearest name of that level, or the pointer of a
 * field of exactly that name elsewhere ("/oauth2/clientId"), or the nearest name elsewhere. NULL when there is none.
 */
const char *iclient_field_nearest(const char *parent, const char *name);
/* The field that a template's path below "iClient." begins with; *ret_rest is what follows ("" or "a.b"). */
enum iclient_field iclient_field_find_path(const char *path, const char **ret_rest);

#endif
