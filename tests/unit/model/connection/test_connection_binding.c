/*
 * What a change of each field means for a token set: every field of the iClient, of a preset and of a connection has a
 * row here, and a new field without one fails the test.
 */
#include "model/fixture.h"

#include "model/connection/connection_binding.h"
#include "model/connection/connection_digest.h"

enum outcome {
    NO_ROW,
    KEPT,        /* served, and the next refresh uses the new values */
    NARROWER,    /* kept; the next refresh asks for less */
    OTHER,       /* kept; only a new grant brings what is asked for now */
    ASIDE,       /* another client, server, account or grant: served and sent to nobody */
    NOT_WRITTEN, /* no document can change it */
};
static const char *const outcome_names[] = {"no row", "kept", "narrower", "other", "aside", "not written"};

struct row {
    enum outcome outcome;
    const char *base;   /* laid over the fixture's iClient; NULL: nothing */
    const char *change; /* laid over that */
};

#define PASSWORD_GRANT "{'oauth2':{'grantType':'password','username':'u','password':'p','scope':['a','b']}}"
#define CLIENT_CREDENTIALS "{'oauth2':{'grantType':'clientcredentials'}}"
#define JWT_SECRET "'secret':'0123456789abcdef0123456789abcdef'"
#define JWT_GRANT                                                                                                      \
    "{'enableJWT':true,'jwt':{'signatureMethod':'HS256'," JWT_SECRET ",'payload':{'sub':'me','aud':['x']}},"           \
    "'oauth2':{'grantType':'jwtbearer'}}"
#define JWT_STATIC_GRANT "{'enableJWT':true,'jwt':{'token':'e30.e30.YQ'},'oauth2':{'grantType':'jwtbearer'}}"
#define SALESFORCE(id)                                                                                                 \
    "{'salesforce':{'clientId':'" id "','clientSecret':'s'},'oauth2':{'clientId':null,'clientSecret':null}}"
#define EBAY(id) "{'ebay':{'appId':'" id "','certId':'s','ruName':'r'},'oauth2':{'clientId':null,'clientSecret':null}}"
#define RSA_KEY "{'$env':'key'}"
#define JWT_RSA_GRANT                                                                                                  \
    "{'enableJWT':true,'jwt':{'signatureMethod':'RS256','privateKey':{'$env':'one'}},'oauth2':{'grantType':'"          \
    "jwtbearer'}}"

static const struct row iclient_rows[ICLIENT_FIELD_COUNT] = {
    [ICLIENT_ID] = {KEPT, NULL, "{'_id':'5d0123456789abcdef012345'}"},
    [ICLIENT_INTEGRATION_ID] = {KEPT, NULL, "{'_integrationId':'5d0123456789abcdef012345'}"},
    [ICLIENT_CONNECTOR_ID] = {KEPT, NULL, "{'_connectorId':'5d0123456789abcdef012345'}"},
    [ICLIENT_HTTP_CONNECTOR_ID] = {KEPT, NULL, "{'_httpConnectorId':'5d0123456789abcdef012345'}"},
    [ICLIENT_HTTP_CONNECTOR_API_ID] = {KEPT, NULL, "{'_httpConnectorApiId':'5d0123456789abcdef012345'}"},
    [ICLIENT_ENABLE_ICLIENT_REFERENCES] = {KEPT, NULL, "{'enableIClientReferences':true}"},
    [ICLIENT_FORM_TYPE] = {KEPT, NULL, "{'formType':'http'}"},
    [ICLIENT_SETTINGS] = {ASIDE,
                          "{'settings':{'shop':'berlin'},'oauth2':{'validDomainNames':['example.com'],'token':{'uri':"
                          "'https://{{{iClient.settings.shop}}}.example.com/token'}}}",
                          "{'settings':{'shop':'oslo'}}"},
    [ICLIENT_SETTINGS_FORM] = {KEPT, NULL, "{'settingsForm':{'a':1}}"},
    [ICLIENT_LAST_MODIFIED] = {KEPT, NULL, "{'lastModified':'2026-01-01T00:00:00.000Z'}"},
    [ICLIENT_NAME] = {KEPT, NULL, "{'name':'other'}"},
    [ICLIENT_PROVIDER] = {KEPT, NULL, "{'provider':'custom_oauth2'}"},
    [ICLIENT_PUBLISHED] = {KEPT, NULL, "{'published':true}"},
    [ICLIENT_VERSION] = {KEPT, NULL, "{'version':'2'}"},
    [ICLIENT_DESCRIPTION] = {KEPT, NULL, "{'description':'d'}"},
    [ICLIENT_TYPE] = {KEPT, "{'oauth2':{'clientSecret':null,'tokenAuthMethod':'none'}}", "{'type':'public'}"},
    [ICLIENT_REDIRECT_URIS] = {KEPT, NULL, "{'redirectUris':['http://127.0.0.1:8085/other']}"},
    [ICLIENT_ALLOWED_GRANTS] = {KEPT, NULL, "{'allowedGrants':['authorizecode']}"},
    [ICLIENT_ACCESS_TOKEN_LIFETIME] = {KEPT, NULL, "{'accessTokenLifetime':60}"},
    [ICLIENT_REFRESH_COUNT] = {KEPT, NULL, "{'refreshCount':3}"},
    [ICLIENT_ACTIVE] = {KEPT, NULL, "{'active':false}"},
    [ICLIENT_TENANT] = {KEPT, NULL, "{'tenant':'t'}"},
    [ICLIENT_COMPONENT] = {KEPT, NULL, "{'component':'c'}"},
    [ICLIENT_ENABLE_JWT] = {ASIDE,
                            "{'enableJWT':true,'jwt':{'signatureMethod':'HS256'," JWT_SECRET
                            "},'oauth2':{'grantType':'clientcredentials'}}",
                            "{'enableJWT':false}"},
    [ICLIENT_JWT_SIGNATURE_METHOD] = {KEPT, JWT_GRANT, "{'jwt':{'signatureMethod':'HS384'}}"},
    [ICLIENT_JWT_SECRET] = {KEPT, JWT_GRANT, "{'jwt':{'secret':'f123456789abcdef0123456789abcdef'}}"},
    [ICLIENT_JWT_SECRET_IS_BASE64] = {KEPT, JWT_GRANT, "{'jwt':{'isSecretBase64Encoded':true}}"},
    [ICLIENT_JWT_TOKEN] = {ASIDE, JWT_STATIC_GRANT, "{'jwt':{'token':'e30.e30.Yg'}}"},
    [ICLIENT_JWT_PRIVATE_KEY] = {KEPT, JWT_RSA_GRANT, "{'jwt':{'privateKey':" RSA_KEY "}}"},
    [ICLIENT_JWT_PASSPHRASE] = {KEPT, JWT_RSA_GRANT, "{'jwt':{'passphrase':'p'}}"},
    [ICLIENT_JWT_HEADER] = {KEPT, JWT_GRANT, "{'jwt':{'header':{'kid':'2'}}}"},
    [ICLIENT_JWT_PAYLOAD] = {ASIDE, JWT_GRANT, "{'jwt':{'payload':{'sub':'you'}}}"},
    [ICLIENT_JWT_LIFETIME] = {KEPT, JWT_GRANT, "{'jwt':{'lifetime':60}}"},
    [ICLIENT_JWT_USE] = {ASIDE, JWT_GRANT, "{'jwt':{'use':'accessToken'}}"},
    [ICLIENT_CLIENT_ID] = {ASIDE, NULL, "{'oauth2':{'clientId':'other'}}"},
    [ICLIENT_CLIENT_SECRET] = {KEPT, NULL, "{'oauth2':{'clientSecret':'other'}}"},
    [ICLIENT_GRANT_TYPE] = {ASIDE, NULL, "{'oauth2':{'grantType':'clientcredentials'}}"},
    [ICLIENT_PKCE] = {KEPT, NULL, "{'oauth2':{'pkceCodeChallengeMethod':'plain'}}"},
    [ICLIENT_SCOPE] = {NARROWER, "{'oauth2':{'scope':['a','b']}}", "{'oauth2':{'scope':['b']}}"},
    [ICLIENT_SCOPE_DELIMITER] = {KEPT, "{'oauth2':{'scope':['a','b']}}", "{'oauth2':{'scopeDelimiter':','}}"},
    [ICLIENT_REDIRECT_URI] = {KEPT, NULL, "{'oauth2':{'redirectUri':'http://127.0.0.1:8085/other'}}"},
    /* Compared with the answer of a login alone (RFC 9207). */
    [ICLIENT_ISSUER] = {KEPT, NULL, "{'oauth2':{'issuer':'https://login.example.com'}}"},
    [ICLIENT_CLIENT_CREDENTIALS_ENCODING] = {KEPT, NULL, "{'oauth2':{'clientCredentialsEncoding':'none'}}"},
    [ICLIENT_CLIENT_CREDENTIALS_LOCATION] = {KEPT, NULL, "{'oauth2':{'clientCredentialsLocation':'body'}}"},
    [ICLIENT_TOKEN_AUTH_METHOD] = {KEPT, NULL, "{'oauth2':{'tokenAuthMethod':'client_secret_jwt'}}"},
    [ICLIENT_AUTH_URI] = {KEPT, NULL, "{'oauth2':{'auth':{'uri':'https://elsewhere.example.com/auth'}}}"},
    [ICLIENT_TOKEN_URI] = {ASIDE, NULL, "{'oauth2':{'token':{'uri':'https://elsewhere.example.com/token'}}}"},
    [ICLIENT_TOKEN_METHOD] = {KEPT, NULL, "{'oauth2':{'token':{'method':'GET'}}}"},
    [ICLIENT_TOKEN_BODY] = {KEPT, NULL, "{'oauth2':{'token':{'body':{'code':'{{{code}}}','x':'1'}}}}"},
    [ICLIENT_TOKEN_HEADERS] = {KEPT, NULL, "{'oauth2':{'token':{'headers':{'X':'1'}}}}"},
    [ICLIENT_REFRESH_URI] = {ASIDE, NULL, "{'oauth2':{'refresh':{'uri':'https://elsewhere.example.com/token'}}}"},
    [ICLIENT_REFRESH_METHOD] = {KEPT, NULL, "{'oauth2':{'refresh':{'method':'GET'}}}"},
    [ICLIENT_REFRESH_BODY] = {KEPT, NULL, "{'oauth2':{'refresh':{'body':{'t':'{{{refreshToken}}}'}}}}"},
    [ICLIENT_REFRESH_HEADERS] = {KEPT, NULL, "{'oauth2':{'refresh':{'headers':{'X':'1'}}}}"},
    [ICLIENT_REVOKE_URI] = {ASIDE, "{'oauth2':{'revoke':{'uri':'https://login.example.com/revoke'}}}",
                            "{'oauth2':{'revoke':{'uri':'https://elsewhere.example.com/revoke'}}}"},
    [ICLIENT_REVOKE_METHOD] = {KEPT, NULL, "{'oauth2':{'revoke':{'method':'GET'}}}"},
    [ICLIENT_REVOKE_BODY] = {KEPT, NULL, "{'oauth2':{'revoke':{'body':{'t':'{{{token}}}'}}}}"},
    [ICLIENT_REVOKE_HEADERS] = {KEPT, NULL, "{'oauth2':{'revoke':{'headers':{'X':'1'}}}}"},
    [ICLIENT_AUTH_PARAMS] = {OTHER, "{'oauth2':{'authParams':{'audience':'a'}}}",
                             "{'oauth2':{'authParams':{'audience':'b'}}}"},
    [ICLIENT_TOKEN_PARAMS] = {OTHER, CLIENT_CREDENTIALS, "{'oauth2':{'tokenParams':{'resource':'r'}}}"},
    [ICLIENT_REFRESH_PARAMS] = {KEPT, NULL, "{'oauth2':{'refreshParams':{'x':'1'}}}"},
    [ICLIENT_BODY_FORMAT] = {KEPT, NULL, "{'oauth2':{'bodyFormat':'json'}}"},
    [ICLIENT_ACCESS_TOKEN_PATH] = {KEPT, NULL, "{'oauth2':{'accessTokenPath':'a'}}"},
    [ICLIENT_REFRESH_TOKEN_PATH] = {KEPT, NULL, "{'oauth2':{'refreshTokenPath':'r'}}"},
    [ICLIENT_REFRESH_ACCESS_TOKEN_PATH] = {KEPT, NULL, "{'oauth2':{'refreshAccessTokenPath':'a'}}"},
    [ICLIENT_REFRESH_REFRESH_TOKEN_PATH] = {KEPT, NULL, "{'oauth2':{'refreshRefreshTokenPath':'r'}}"},
    [ICLIENT_EXPIRES_IN_PATH] = {KEPT, NULL, "{'oauth2':{'expiresInPath':'e'}}"},
    [ICLIENT_EXPIRES_AT_PATH] = {KEPT, NULL, "{'oauth2':{'expiresAtPath':'e'}}"},
    [ICLIENT_EXPIRES_IN_UNIT] = {KEPT, NULL, "{'oauth2':{'expiresInUnit':'milliseconds'}}"},
    [ICLIENT_REFRESH_EXPIRES_IN_PATH] = {KEPT, NULL, "{'oauth2':{'refreshExpiresInPath':'e'}}"},
    [ICLIENT_SCOPE_PATH] = {KEPT, NULL, "{'oauth2':{'scopePath':'s'}}"},
    [ICLIENT_TOKEN_TYPE_PATH] = {KEPT, NULL, "{'oauth2':{'tokenTypePath':'t'}}"},
    [ICLIENT_RESPONSE_METADATA] = {KEPT, NULL, "{'oauth2':{'responseMetadata':['x']}}"},
    [ICLIENT_CALLBACK_METADATA] = {KEPT, NULL, "{'oauth2':{'callbackMetadata':['x']}}"},
    [ICLIENT_CODE_PARAM] = {KEPT, NULL, "{'oauth2':{'codeParam':'c'}}"},
    [ICLIENT_FAIL_PATH] = {KEPT, NULL, "{'oauth2':{'failPath':'error'}}"},
    [ICLIENT_FAIL_VALUES] = {KEPT, "{'oauth2':{'failPath':'error'}}", "{'oauth2':{'failValues':['x']}}"},
    [ICLIENT_FAIL_STATUS_CODE] = {KEPT, NULL, "{'oauth2':{'failStatusCode':401}}"},
    [ICLIENT_USE_NEW_AUTH_FAIL_SCHEMA] = {NOT_WRITTEN, NULL, "{'oauth2':{'useNewAuthFailSchema':false}}"},
    [ICLIENT_FAILURES] = {NOT_WRITTEN, NULL, "{'oauth2':{'failures':[]}}"},
    [ICLIENT_TOKEN_FAILURES] = {KEPT, NULL, "{'oauth2':{'tokenFailures':[{'statusCode':200,'path':'error'}]}}"},
    [ICLIENT_ACCESS_TOKEN_LOCATION] = {KEPT, NULL, "{'oauth2':{'accessTokenLocation':'url'}}"},
    [ICLIENT_ACCESS_TOKEN_HEADER_NAME] = {KEPT, NULL, "{'oauth2':{'accessTokenHeaderName':'X'}}"},
    [ICLIENT_SCHEME] = {KEPT, NULL, "{'oauth2':{'scheme':'X'}}"},
    [ICLIENT_ACCESS_TOKEN_PARAM_NAME] = {KEPT, NULL, "{'oauth2':{'accessTokenParamName':'x'}}"},
    [ICLIENT_USERNAME] = {ASIDE, PASSWORD_GRANT, "{'oauth2':{'username':'other'}}"},
    [ICLIENT_PASSWORD] = {KEPT, PASSWORD_GRANT, "{'oauth2':{'password':'other'}}"},
    [ICLIENT_UNENCRYPTED] = {OTHER,
                             "{'oauth2':{'authParams':{'audience':'{{{iClient.unencrypted.audience}}}'},"
                             "'unencrypted':{'audience':'a'}}}",
                             "{'oauth2':{'unencrypted':{'audience':'b'}}}"},
    [ICLIENT_ENCRYPTED] = {KEPT, NULL, "{'oauth2':{'encrypted':{'a':'b'}}}"},
    [ICLIENT_USE_ICLIENT_FIELDS] = {KEPT, NULL, "{'oauth2':{'useIClientFields':true}}"},
    [ICLIENT_VALID_DOMAIN_NAMES] = {KEPT, NULL, "{'oauth2':{'validDomainNames':['login.example.com']}}"},
    [ICLIENT_SALESFORCE_CLIENT_ID] = {ASIDE, SALESFORCE("a"), "{'salesforce':{'clientId':'b'}}"},
    [ICLIENT_SALESFORCE_CLIENT_SECRET] = {KEPT, SALESFORCE("a"), "{'salesforce':{'clientSecret':'t'}}"},
    [ICLIENT_SALESFORCE_API_TOKEN] = {KEPT, PASSWORD_GRANT, "{'salesforce':{'apiToken':'t'}}"},
    [ICLIENT_SALESFORCE_PRIVATE_KEY] = {KEPT, NULL, "{'salesforce':{'privateKey':" RSA_KEY "}}"},
    [ICLIENT_SALESFORCE_PUBLIC_KEY] = {KEPT, NULL, "{'salesforce':{'publicKey':'k'}}"},
    [ICLIENT_EBAY_APP_ID] = {ASIDE, EBAY("a"), "{'ebay':{'appId':'b'}}"},
    [ICLIENT_EBAY_DEV_ID] = {KEPT, EBAY("a"), "{'ebay':{'devId':'d'}}"},
    [ICLIENT_EBAY_CERT_ID] = {KEPT, EBAY("a"), "{'ebay':{'certId':'t'}}"},
    [ICLIENT_EBAY_RU_NAME] = {KEPT, EBAY("a"), "{'ebay':{'ruName':'s'}}"},
    [ICLIENT_NETSUITE_CONSUMER_KEY] = {KEPT, NULL, "{'netsuite':{'consumerKey':'k'}}"},
    [ICLIENT_NETSUITE_CONSUMER_SECRET] = {KEPT, NULL, "{'netsuite':{'consumerSecret':'k'}}"},
    [ICLIENT_AMAZONMWS_ACCESS_KEY_ID] = {KEPT, NULL, "{'amazonmws':{'accessKeyId':'k'}}"},
    [ICLIENT_AMAZONMWS_SECRET_KEY] = {KEPT, NULL, "{'amazonmws':{'secretKey':'k'}}"},
};

/* ---- what a change comes to ---- */

static enum outcome compare(const struct connection *before, const struct connection *after)
{
    AUTO(token_binding) stored = connection_binding(before, NULL, NULL);
    AUTO(token_binding) present = connection_binding(after, NULL, NULL);
    cr_assert(stored && present);
    if (token_binding_conflict(stored, present) != BINDING_PART_COUNT)
        return ASIDE;
    enum binding_part part;
    switch (token_binding_asked(stored, present, &part)) {
    case ASKED_SAME:
        return KEPT;
    case ASKED_NARROWER:
        return NARROWER;
    default:
        return OTHER;
    }
}

static void expect(enum outcome expected, const struct connection *before, const struct connection *after,
                   const char *what, const char *where)
{
    enum outcome outcome = compare(before, after);
    cr_expect_eq(outcome, expected, "%s of %s: %s instead of %s", what, where, outcome_names[outcome],
                 outcome_names[expected]);
    char digests[2][CONNECTION_DIGEST_SIZE];
    cr_assert(connection_digest(before, digests[0]) && connection_digest(after, digests[1]));
    cr_expect_str_neq(digests[0], digests[1], "%s of %s: an edit lets the daemon try again", what, where);
}

/* ---- the iClient and its preset ---- */

static json_t *lay_over(const char *const *layers, size_t count)
{
    json_t *document = fixture_document(layers[0]);
    for (size_t i = 1; i < count; i++) {
        AUTO_JSON over = fixture_json(layers[i]);
        json_object_update_recursive(document, over);
    }
    return document;
}

static struct iclient *read_iclient(const json_t *document, struct provider_preset *preset, const char *what)
{
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_expect_eq(fixture_read(document, preset, faults, &iclient), OK, "%s:%s", what, fixture_text(faults));
    return iclient;
}

static json_t *row_document(const struct row *row, bool is_changed)
{
    const char *layers[] = {row->base ? row->base : "{}", row->change};
    return lay_over(layers, is_changed ? 2 : 1);
}

Test(connection_binding, each_field_of_the_iclient_says_what_its_change_does)
{
    for (int i = 0; i < ICLIENT_FIELD_COUNT; i++) {
        const struct row *row = &iclient_rows[i];
        const char *pointer = iclient_field_row((enum iclient_field)i)->pointer;
        cr_assert_neq(row->outcome, NO_ROW, "%s has no row in this test: what does a change of it do?", pointer);
        AUTO_JSON base = row_document(row, false);
        AUTO_JSON changed = row_document(row, true);
        if (row->outcome == NOT_WRITTEN || i == ICLIENT_PROVIDER)
            continue;
        cr_assert_not(json_equal(json_read_pointer(base, pointer), json_read_pointer(changed, pointer)),
                      "the row of %s does not change it", pointer);
        AUTO(iclient) before = read_iclient(base, NULL, pointer);
        AUTO(iclient) after = read_iclient(changed, NULL, pointer);
        if (!before || !after)
            continue;
        AUTO(connection) old = connection_implicit(before);
        AUTO(connection) new = connection_implicit(after);
        expect(row->outcome, old, new, pointer, "the iClient");
    }
}

/* The value at pointer moves out of the document; NULL when there is none. */
static json_t *take_out(json_t *document, const char *pointer)
{
    char group[64];
    const char *name = strrchr(pointer, '/') + 1;
    snprintf(group, sizeof group, "%.*s", (int)(name - 1 - pointer), pointer);
    json_t *parent = json_read_pointer(document, group);
    json_t *value = json_incref(json_object_get(parent, name));
    if (value)
        json_object_del(parent, name);
    return value;
}

static json_t *nest(const char *pointer, json_t *take_value)
{
    char path[64];
    snprintf(path, sizeof path, "%s", pointer);
    json_t *value = take_value;
    for (char *slash; (slash = strrchr(path, '/')); *slash = '\0') {
        json_t *parent = json_object();
        json_object_set_new(parent, slash + 1, value);
        value = parent;
    }
    return value;
}

/* The iClient with the one field in its preset. NULL: a preset may not have it. */
static struct iclient *read_with_preset(const struct row *row, const char *pointer, bool is_changed)
{
    AUTO_JSON document = row_document(row, is_changed);
    json_t *value = take_out(document, pointer);
    AUTO_JSON defaults = value ? nest(pointer, value) : json_object();
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = NULL;
    enum status status = provider_preset_from_json("custom_oauth2", defaults, "p.json", faults, &preset);
    if (status != OK) {
        cr_expect(fixture_fault(faults, pointer, "belongs to an iClient"), "%s", fixture_text(faults));
        return NULL;
    }
    /* A template in a preset's host needs the names in the iClient: FIXTURE's own are those of its URIs as written. */
    if (!json_read_pointer(document, "/oauth2/validDomainNames") && strstr(pointer, "/uri"))
        json_object_set_new(json_object_get(document, "oauth2"), "validDomainNames", json_pack("[s]", "example.com"));
    return read_iclient(document, preset, pointer);
}

Test(connection_binding, each_field_of_a_preset_says_what_its_change_does)
{
    unsigned compared = 0;
    for (int i = 0; i < ICLIENT_FIELD_COUNT; i++) {
        const struct row *row = &iclient_rows[i];
        const char *pointer = iclient_field_row((enum iclient_field)i)->pointer;
        if (row->outcome == NOT_WRITTEN || i == ICLIENT_PROVIDER)
            continue;
        AUTO(iclient) before = read_with_preset(row, pointer, false);
        AUTO(iclient) after = read_with_preset(row, pointer, true);
        if (!before || !after)
            continue;
        AUTO(connection) old = connection_implicit(before);
        AUTO(connection) new = connection_implicit(after);
        expect(row->outcome, old, new, pointer, "a preset");
        compared++;
    }
    cr_expect_gt(compared, 50);
}

/* ---- the connection ---- */

static const char shop_iclient[] = "{'oauth2':{'validDomainNames':['example.com'],'token':{'uri':"
                                   "'https://{{{connection.settings.shop}}}.example.com/token'}}}";
static const char unencrypted_iclient[] = "{'oauth2':{'validDomainNames':['example.com'],'token':{'uri':"
                                          "'https://{{{connection.unencrypted.shop}}}.example.com/token'}}}";
static const char encrypted_iclient[] = "{'oauth2':{'validDomainNames':['example.com'],'token':{'uri':"
                                        "'https://{{{connection.encrypted.shop}}}.example.com/token'}}}";

/* A token body of the iClient's own says whose tokens come. */
#define OWN_BODY(grant, body)                                                                                          \
    "{'oauth2':{'grantType':'" grant "','clientSecret':null,'username':'u','password':'p','token':{'body':" body "}}}"
static const char body_client[] =
    OWN_BODY("clientcredentials", "{'grant_type':'client_credentials','client_id':'{{{connection.settings.who}}}'}");
static const char body_username[] =
    OWN_BODY("password", "{'grant_type':'password','username':'{{{connection.settings.who}}}','password':'p'}");
static const char body_jwt[] =
    "{'enableJWT':true,'jwt':{'signatureMethod':'HS256'," JWT_SECRET
    ",'payload':{'sub':'{{{connection.settings.who}}}'}},"
    "'oauth2':{'grantType':'clientcredentials','token':{'body':{'assertion':'{{{iClient.jwt.token}}}'}}}}";

static const struct {
    const char *pointer;
    struct row row; /* base: the iClient */
    const char *before;
} connection_rows[] = {
    {"/name", {KEPT, NULL, "{'name':'other'}"}, "{}"},
    {"/iClient", {KEPT, NULL, "{'iClient':'crm'}"}, "{}"},
    {"/tenant", {KEPT, NULL, "{'tenant':'default'}"}, "{}"},
    {"/scope", {OTHER, "{'oauth2':{'scope':['a','b']}}", "{'scope':['a','c']}"}, "{}"},
    {"/scope", {NARROWER, "{'oauth2':{'scope':['a','b']}}", "{'scope':['b']}"}, "{}"},
    {"/scope", {KEPT, "{'oauth2':{'scope':['a','b']}}", "{'scope':['b','a']}"}, "{}"},
    {"/description", {KEPT, NULL, "{'description':'d'}"}, "{}"},
    {"/audience", {OTHER, NULL, "{'audience':'b'}"}, "{'audience':'a'}"},
    {"/params", {KEPT, NULL, "{'params':{'x':'1'}}"}, "{}"},
    {"/params", {OTHER, NULL, "{'params':{'resource':'https://api.example.com'}}"}, "{}"},
    {"/username", {ASIDE, PASSWORD_GRANT, "{'username':'b'}"}, "{'username':'a'}"},
    {"/username", {KEPT, NULL, "{'username':'b'}"}, "{'username':'a'}"},
    {"/password", {KEPT, PASSWORD_GRANT, "{'password':'b'}"}, "{'password':'a'}"},
    {"/settings", {ASIDE, shop_iclient, "{'settings':{'shop':'oslo'}}"}, "{'settings':{'shop':'berlin'}}"},
    {"/settings", {KEPT, NULL, "{'settings':{'shop':'oslo'}}"}, "{'settings':{'shop':'berlin'}}"},
    {"/settings", {ASIDE, body_client, "{'settings':{'who':'bob'}}"}, "{'settings':{'who':'ann'}}"},
    {"/settings", {ASIDE, body_username, "{'settings':{'who':'bob'}}"}, "{'settings':{'who':'ann'}}"},
    {"/settings", {ASIDE, body_jwt, "{'settings':{'who':'bob'}}"}, "{'settings':{'who':'ann'}}"},
    {"/settings", {KEPT, body_jwt, "{'settings':{'who':'ann','x':1}}"}, "{'settings':{'who':'ann'}}"},
    {"/unencrypted", {ASIDE, unencrypted_iclient, "{'unencrypted':{'shop':'oslo'}}"}, "{'unencrypted':{'shop':'b'}}"},
    {"/encrypted", {ASIDE, encrypted_iclient, "{'encrypted':{'shop':'oslo'}}"}, "{'encrypted':{'shop':'berlin'}}"},
    {"/encrypted", {KEPT, NULL, "{'encrypted':{'x':'oslo'}}"}, "{'encrypted':{'x':'berlin'}}"},
    {"/allow", {KEPT, NULL, "{'allow':{'users':[5]}}"}, "{}"},
    {"/refresh", {KEPT, NULL, "{'refresh':'onDemand'}"}, "{}"},
    {"/active", {KEPT, NULL, "{'active':false}"}, "{}"},
};
enum { CONNECTION_ROW_COUNT = sizeof connection_rows / sizeof connection_rows[0] };

static struct connection *read_connection(const struct iclient *iclient, const char *before, const char *change)
{
    AUTO_JSON document = fixture_json("{'name':'c','iClient':'crm'}");
    const char *layers[] = {before, change};
    for (size_t i = 0; i < 2; i++) {
        AUTO_JSON over = fixture_json(layers[i]);
        json_object_update(document, over);
    }
    AUTO(fault_list) faults = fault_list_create();
    struct connection *connection = NULL;
    enum status status =
        connection_from_json(document, iclient, "c.json", &fixture_resolver, NULL, faults, &connection);
    cr_assert_eq(status, OK, "%s over %s:%s", change, before, fixture_text(faults));
    return connection;
}

static bool has_connection_row(const char *pointer)
{
    for (size_t i = 0; i < CONNECTION_ROW_COUNT; i++)
        if (strcmp(connection_rows[i].pointer, pointer) == 0)
            return true;
    return false;
}

Test(connection_binding, each_field_of_a_connection_says_what_its_change_does)
{
    const char *pointer;
    for (size_t i = 0; (pointer = connection_field_pointer(i)); i++)
        cr_expect(has_connection_row(pointer), "%s has no row in this test: what does a change of it do?", pointer);
    for (size_t i = 0; i < CONNECTION_ROW_COUNT; i++) {
        const struct row *row = &connection_rows[i].row;
        AUTO(iclient) iclient = fixture_iclient(row->base ? row->base : "{}");
        AUTO(connection) old = read_connection(iclient, connection_rows[i].before, "{}");
        AUTO(connection) new = read_connection(iclient, connection_rows[i].before, row->change);
        enum outcome outcome = compare(old, new);
        cr_expect_eq(outcome, row->outcome, "%s: %s instead of %s", row->change, outcome_names[outcome],
                     outcome_names[row->outcome]);
    }
}

/* ---- what is rendered, and what is shared ---- */

static const struct {
    const char *iclient;
    const char *metadata;
    const char *callback;
    enum binding_part part;
    const char *value;
} rendered[] = {
    {"{}", NULL, NULL, BINDING_TOKEN_ORIGIN, "https://login.example.com"},
    {"{}", NULL, NULL, BINDING_REFRESH_ORIGIN, "https://login.example.com"},
    {"{}", NULL, NULL, BINDING_REVOKE_ORIGIN, NULL},
    {"{}", NULL, NULL, BINDING_CLIENT, "id"},
    {"{}", NULL, NULL, BINDING_GRANT, "authorizecode"},
    {"{'oauth2':{'token':{'uri':'https://LOGIN.Example.com:443/a?b=c'}}}", NULL, NULL, BINDING_TOKEN_ORIGIN,
     "https://login.example.com"},
    {"{'oauth2':{'token':{'uri':'https://login.example.com:8443/a'}}}", NULL, NULL, BINDING_TOKEN_ORIGIN,
     "https://login.example.com:8443"},
    {"{'oauth2':{'validDomainNames':['example.com'],'refresh':{'uri':'https://{{{metadata.host}}}/t'}}}",
     "{'host':'a.example.com'}", NULL, BINDING_REFRESH_ORIGIN, "https://a.example.com"},
    {"{'oauth2':{'validDomainNames':['example.com'],'refresh':{'uri':'https://{{{metadata.host}}}/t'}}}", NULL, NULL,
     BINDING_REFRESH_ORIGIN, NULL},
    {"{'oauth2':{'validDomainNames':['example.com'],'token':{'uri':'https://{{{callback.host}}}/t'}}}", NULL,
     "{'host':'eu.example.com'}", BINDING_TOKEN_ORIGIN, "https://eu.example.com"},
    {JWT_GRANT, NULL, NULL, BINDING_JWT_ISSUER, NULL}, /* nobody wrote one */
    {JWT_RSA_GRANT, NULL, NULL, BINDING_JWT_ISSUER, "id"},
    {JWT_GRANT, NULL, NULL, BINDING_JWT_SUBJECT, "me"},
    {JWT_GRANT, NULL, NULL, BINDING_JWT_AUDIENCE, "[\"x\"]"},
    {"{'oauth2':{'scope':['b','a'],'scopeDelimiter':','}}", NULL, NULL, BINDING_SCOPE, "b a"},
};

Test(connection_binding, holds_what_is_rendered)
{
    for (size_t i = 0; i < sizeof rendered / sizeof rendered[0]; i++) {
        AUTO(iclient) iclient = fixture_iclient(rendered[i].iclient);
        AUTO(connection) connection = connection_implicit(iclient);
        AUTO_JSON metadata = rendered[i].metadata ? fixture_json(rendered[i].metadata) : NULL;
        AUTO_JSON callback = rendered[i].callback ? fixture_json(rendered[i].callback) : NULL;
        AUTO(token_binding) binding = connection_binding(connection, metadata, callback);
        const char *value = token_binding_value(binding, rendered[i].part);
        cr_expect((!value && !rendered[i].value) ||
                      (value && rendered[i].value && strcmp(value, rendered[i].value) == 0),
                  "%zu: %s is %s", i, binding_part_name(rendered[i].part), value ? value : "absent");
    }
}

Test(connection_binding, is_one_for_all_connections_without_values_of_their_own)
{
    AUTO(iclient) iclient = fixture_iclient("{'oauth2':{'scope':['a']}}");
    AUTO(connection) implicit = connection_implicit(iclient);
    AUTO(connection) plain = read_connection(iclient, "{'settings':{'x':1},'description':'d'}", "{}");
    AUTO(connection) scoped = read_connection(iclient, "{'scope':['b']}", "{}");
    AUTO(token_binding) first = connection_binding(implicit, NULL, NULL);
    AUTO(token_binding) second = connection_binding(plain, NULL, NULL);
    AUTO(token_binding) third = connection_binding(scoped, NULL, NULL);
    cr_expect_eq(first, second);
    cr_expect_neq(first, third);
    cr_expect_str_eq(token_binding_value(third, BINDING_SCOPE), "b");
    cr_expect_str_eq(token_binding_value(first, BINDING_SCOPE), "a");
}
