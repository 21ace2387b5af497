#include "model/fixture.h"

struct fault_case {
    const char *changes; /* to the whole iClient of the fixture */
    const char *pointer;
    const char *part;
};

/* Each change brings exactly the one fault, so that no rule speaks twice about one thing. */
static void assert_one_fault(const struct fault_case *c)
{
    AUTO_JSON document = fixture_document(c->changes);
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_expect_eq(fixture_read(document, NULL, faults, &iclient), ERR_INVALID, "%s is taken", c->changes);
    cr_expect(fixture_fault(faults, c->pointer, c->part), "%s: no \"%s\" at %s, but%s", c->changes, c->part, c->pointer,
              fixture_text(faults));
    size_t errors = 0;
    for (size_t i = 0; i < fault_list_count(faults); i++)
        errors += !fault_list_at(faults, i)->warning;
    cr_expect_eq(errors, 1, "%s:%s", c->changes, fixture_text(faults));
    iclient_destroy(iclient);
}

#define ASSERT_EACH(cases)                                                                                             \
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases)[0]; i++)                                                      \
    assert_one_fault(&(cases)[i])

Test(iclient_validate, missing_required_field_is_named)
{
    static const struct fault_case cases[] = {
        {"{'name':null}", "/name", "required"},
        {"{'provider':null}", "/provider", "required"},
        {"{'oauth2':{'clientId':null}}", "/oauth2/clientId", "required"},
        {"{'oauth2':{'clientSecret':null}}", "/oauth2/clientSecret", "confidential"},
        {"{'oauth2':{'grantType':null}}", "/oauth2/grantType", "required"},
        {"{'oauth2':{'auth':null}}", "/oauth2/auth/uri", "authorizecode"},
        {"{'oauth2':{'token':null}}", "/oauth2/token/uri", "required"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'secret':'s'}}", "/jwt/signatureMethod", "required"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256'}}", "/jwt/secret", "HS256"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'PS512'}}", "/jwt/privateKey", "PS512"},
        {"{'oauth2':{'clientSecret':null,'tokenAuthMethod':'client_secret_jwt'}}", "/oauth2/clientSecret",
         "client_secret_jwt"},
        {"{'oauth2':{'clientSecret':null,'tokenAuthMethod':'private_key_jwt'},'jwt':{'signatureMethod':'RS256'}}",
         "/jwt/privateKey", "RS256"},
    };
    ASSERT_EACH(cases);
}

Test(iclient_validate, contradictions_are_refused)
{
    static const struct fault_case cases[] = {
        {"{'type':'public'}", "/oauth2/clientSecret", "public"},
        {"{'type':'public','oauth2':{'clientSecret':null,'grantType':'clientcredentials'}}", "/type", "RFC 6749"},
        {"{'type':'public','oauth2':{'clientSecret':null,'tokenAuthMethod':'body'}}", "/oauth2/tokenAuthMethod",
         "public"},
        {"{'type':'public','oauth2':{'clientSecret':null,'clientCredentialsLocation':'basicauthheader'}}",
         "/oauth2/clientCredentialsLocation", "public"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'not "
         "base64!','isSecretBase64Encoded':true}}",
         "/jwt/secret", "no Base64"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'token':'a b'}}", "/jwt/token", "no JWT has"},
        {"{'jwt':{'header':{'kid':'a'},'headers':{'kid':'b'}}}", "/jwt/header", "twice"},
        {"{'jwt':{'payload':'{'}}", "/jwt/payload", "too early"},
        {"{'jwt':{'payload':'[1]'}}", "/jwt/payload", "no object"},
        {"{'oauth2':{'clientId':'a:b','clientCredentialsEncoding':'none'}}", "/oauth2/clientCredentialsEncoding",
         "colon"},
        {"{'oauth2':{'clientSecret':null,'tokenAuthMethod':'none','clientCredentialsLocation':'body'}}",
         "/oauth2/clientCredentialsLocation", "none"},
        {"{'oauth2':{'tokenAuthMethod':'none'}}", "/oauth2/clientSecret", "never sent"},
        {"{'oauth2':{'failValues':['a']}}", "/oauth2/failValues", "without failPath"},
        {"{'oauth2':{'failPath':'$..error'}}", "/oauth2/failPath", "at character 3"},
        {"{'oauth2':{'accessTokenPath':'a[?(@.b)]'}}", "/oauth2/accessTokenPath", "at character 3"},
        {"{'oauth2':{'refreshTokenPath':'https://as.example.com/x'}}", "/oauth2/refreshTokenPath", "at character 7"},
        {"{'oauth2':{'scopePath':'a..b'}}", "/oauth2/scopePath", "at character 3"},
        {"{'oauth2':{'expiresAtPath':'//*[count(//*)>0]'}}", "/oauth2/expiresAtPath", "at character 10"},
        {"{'oauth2':{'tokenTypePath':5}}", "/oauth2/tokenTypePath", "must be a string"},
        {"{'oauth2':{'responseMetadata':['a','b[']}}", "/oauth2/responseMetadata/1", "at character 3"},
        {"{'oauth2':{'tokenFailures':[{'statusCode':400},{'path':'a.b.'}]}}", "/oauth2/tokenFailures/1",
         "at character 5"},
        {"{'oauth2':{'failStatusCode':42}}", "/oauth2/failStatusCode", "100"},
        {"{'allowedGrants':['password','clientcredentials']}", "/allowedGrants", "authorizecode"},
        {"{'enableJWT':false,'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'s'}}",
         "/enableJWT", "JWT grant"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'s','privateKey':'p'}}",
         "/jwt/privateKey", "exclude"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'RS256','secret':'s'}}", "/jwt/secret",
         "privateKey"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS512','privateKey':'p'}}", "/jwt/privateKey",
         "jwt.secret"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'s','passphrase':'p'}}",
         "/jwt/passphrase", "without"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'s','header':{'alg':'none'}}}",
         "/jwt/header/alg", "signatureMethod"},
        {"{'jwt':{'use':'accessToken','signatureMethod':'HS256','secret':'s'}}", "/jwt/use", "authorizecode"},
        {"{'oauth2':{'tokenAuthMethod':'client_secret_jwt'},'jwt':{'signatureMethod':'RS256'}}", "/jwt/signatureMethod",
         "client_secret_jwt"},
        {"{'oauth2':{'tokenAuthMethod':'private_key_jwt'},'jwt':{'signatureMethod':'HS256','secret':'s'}}",
         "/jwt/signatureMethod", "private_key_jwt"},
        {"{'enableJWT':true,'oauth2':{'grantType':'clientcredentials','token':{'body':'a=b'}},"
         "'jwt':{'signatureMethod':'HS256','secret':'s'}}",
         "/oauth2/token/body", "does not use"},
        {"{'oauth2':{'bodyFormat':'json','token':{'headers':'Content-Type: application/x-www-form-urlencoded'}}}",
         "/oauth2/token/headers", "bodyFormat"},
        {"{'oauth2':{'token':{'body':{'a':{'b':1}}}}}", "/oauth2/token/body/a", "form"},
        {"{'oauth2':{'bodyFormat':'json','token':{'method':'get','body':{'a':{'b':1}}}}}", "/oauth2/token/body/a",
         "form"},
    };
    ASSERT_EACH(cases);
}

Test(iclient_validate, parameters_of_the_daemon_cannot_be_overridden)
{
    static const struct fault_case cases[] = {
        {"{'oauth2':{'authParams':{'state':'x'}}}", "/oauth2/authParams/state", "daemon"},
        {"{'oauth2':{'authParams':{'scope':'x'}}}", "/oauth2/authParams/scope", "daemon"},
        {"{'oauth2':{'tokenParams':{'client_assertion':'x'}}}", "/oauth2/tokenParams/client_assertion", "daemon"},
        {"{'oauth2':{'tokenParams':{'redirect_uri':'x'}}}", "/oauth2/tokenParams/redirect_uri", "daemon"},
        {"{'oauth2':{'refreshParams':{'refresh_token':'x'}}}", "/oauth2/refreshParams/refresh_token", "daemon"},
    };
    ASSERT_EACH(cases);
    iclient_destroy(fixture_iclient("{'oauth2':{'authParams':{'access_type':'offline'},'tokenParams':{'audience':'a'},"
                                    "'refreshParams':{'redirect_uri':'{{{redirectUri}}}'}}}"));
}

Test(iclient_validate, field_named_without_its_context_is_pointed_out)
{
    static const struct {
        const char *path, *hint;
    } cases[] = {
        {"clientId", "did you mean \"iClient.clientId\"?"},
        {"oauth2.clientSecret", "did you mean \"iClient.oauth2.clientSecret\"?"},
        {"settings.a", "did you mean \"iClient.settings.a\"?"},
        {"cod", "did you mean \"code\"?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char changes[256];
        snprintf(changes, sizeof changes, "{'oauth2':{'token':{'body':'a={{{%s}}}'}}}", cases[i].path);
        AUTO_JSON document = fixture_document(changes);
        AUTO(fault_list) faults = fault_list_create();
        struct iclient *iclient = NULL;
        cr_expect_eq(fixture_read(document, NULL, faults, &iclient), ERR_INVALID);
        const struct fault *fault = fixture_fault(faults, "/oauth2/token/body/a", "no such context");
        cr_expect_str_eq(fault && fault->hint ? fault->hint : "(none)", cases[i].hint);
    }
}

Test(iclient_validate, templates_that_cannot_resolve_are_refused)
{
    static const struct fault_case cases[] = {
        {"{'settings':{'h':'evil.test'},'oauth2':{'validDomainNames':['example.com'],"
         "'token':{'uri':'https://{{{iClient.settings.h}}}/t'}}}",
         "/oauth2/token/uri", "evil.test"},
        {"{'settings':{'h':'evil.test/'},'oauth2':{'validDomainNames':['example.com'],"
         "'token':{'uri':'https://{{{iClient.settings.h}}}.example.com/{{{code}}}'}}}",
         "/oauth2/token/uri", "cannot stand in a host"},
        {"{'settings':{'d':'..'},'oauth2':{'token':{'uri':'https://login.example.com/a/{{iClient.settings.d}}/t'}}}",
         "/oauth2/token/uri", "{{{iClient.settings.d}}} makes a path segment"},
        {"{'settings':{'d':'../../y'},'oauth2':{'auth':{'uri':'https://login.example.com/{{{iClient.settings.d}}}/"
         "t'}}}",
         "/oauth2/auth/uri", "makes a path segment"},
        {"{'settings':{'d':'%2E'},'oauth2':{'refresh':"
         "{'uri':'https://login.example.com/.{{{iClient.settings.d}}}/{{metadata.y}}'}}}",
         "/oauth2/refresh/uri", "makes a path segment"},
        {"{'settings':{'d':'.'},'oauth2':{'revoke':"
         "{'uri':'https://login.example.com/{{{iClient.settings.d}}}{{iClient.settings.d}}?t={{token}}'}}}",
         "/oauth2/revoke/uri", "makes a path segment"},
        {"{'oauth2':{'token':{'body':'a={{{b'}}}", "/oauth2/token/body/a", "not closed"},
        {"{'oauth2':{'token':{'body':'{{{iClient.name}}}'}}}", "/oauth2/token/body/{{{iClient.name}}}", "a name"},
        {"{'oauth2':{'tokenParams':{'{{code}}':'x'}}}", "/oauth2/tokenParams/{{code}}", "a name"},
        {"{'oauth2':{'token':{'body':'a={{{iclient.name}}}'}}}", "/oauth2/token/body/a", "no such context"},
        {"{'oauth2':{'token':{'body':{'a':'{{{iClient.settings.region}}}'}}}}", "/oauth2/token/body/a",
         "iClient.settings"},
        {"{'oauth2':{'token':{'body':{'a':'{{{connection.user}}}'}}}}", "/oauth2/token/body/a", "no such field"},
        {"{'oauth2':{'refresh':{'body':{'a':'{{{code}}}'}}}}", "/oauth2/refresh/body/a", "in this request"},
        {"{'oauth2':{'token':{'headers':'X-A: {{{metadata}}}'}}}", "/oauth2/token/headers/X-A", "name a member"},
        {"{'oauth2':{'authParams':{'a':'{{{now.x}}}'}}}", "/oauth2/authParams/a", "no members"},
        {"{'oauth2':{'grantType':'clientcredentials','token':{'body':{'a':'{{{code}}}'}}}}", "/oauth2/token/body/a",
         "in this request"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'s',"
         "'payload':{'x':['{{{iClient.jwt.token}}}']}}}",
         "/jwt/payload/x/0", "itself"},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'s',"
         "'payload':{'x':'{{{iClient.settings.no}}}'}}}",
         "/jwt/payload/x", "resolves to nothing"},
    };
    ASSERT_EACH(cases);
}

Test(iclient_validate, templates_that_resolve_are_taken)
{
    static const char *const changes[] = {
        "{'settings':{'a':{'b':1}},'oauth2':{'token':{'body':'x={{{iClient.settings.a.b}}}&y={{{code}}}'}}}",
        "{'oauth2':{'unencrypted':{'u':'v'},'encrypted':{'k':'w'},"
        "'token':{'body':{'a':'{{{iClient.unencrypted.u}}}','b':'{{{iClient.encrypted.k}}}',"
        "'c':'{{{iClient.oauth2.encrypted.k}}}'}}}}",
        "{'oauth2':{'token':{'body':'{\\\"grant_type\\\":\\\"x\\\",\\\"secret\\\":\\\"{{{iClient.oauth2.clientSecret}}}"
        "\\\"}'},"
        "'tokenAuthMethod':'none'}}",
        "{'oauth2':{'auth':{'uri':'https://login.example.com/{{{connection.settings.tenant}}}/auth'}}}",
        "{'oauth2':{'authParams':{'literal':'\\\\{{{x}}}'}}}",
        "{'oauth2':{'encrypted':{'k':{'$env':'NAME'}},'token':{'headers':'X-Key: {{{iClient.encrypted.k}}}'}}}",
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        iclient_destroy(fixture_iclient(changes[i]));
}

Test(iclient_validate, uris_are_held_to_the_valid_domain_names)
{
    static const struct fault_case cases[] = {
        {"{'oauth2':{'validDomainNames':['example.org']}}", "/oauth2/token/uri", "example.com"},
        {"{'oauth2':{'validDomainNames':['example.com'],'revoke':{'uri':'https://evil.test/r'}}}", "/oauth2/revoke/uri",
         "evil.test"},
        {"{'oauth2':{'validDomainNames':['{{{iClient.name}}}.example.com']}}", "/oauth2/validDomainNames/0",
         "template"},
        {"{'oauth2':{'validDomainNames':['com']}}", "/oauth2/validDomainNames/0", "com"},
        {"{'oauth2':{'revoke':{'uri':'https://{{{connection.settings.h}}}/r'}}}", "/oauth2/revoke/uri",
         "needs validDomainNames"},
        {"{'oauth2':{'validDomainNames':'example.com, example.net',"
         "'revoke':{'uri':'https://{{{connection.settings.shop}}}.evil.test/r'}}}",
         "/oauth2/revoke/uri", "evil.test"},
        {"{'oauth2':{'revoke':{'uri':'http://login.example.com/r'}}}", "/oauth2/revoke/uri", "http"},
        {"{'oauth2':{'revoke':{'uri':'https://u:p@login.example.com/r'}}}", "/oauth2/revoke/uri", ""},
        {"{'oauth2':{'revoke':{'uri':'/revoke'}}}", "/oauth2/revoke/uri", "https://"},
    };
    for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++)
        assert_one_fault(&cases[i]);
    AUTO_JSON document = fixture_document(cases[0].changes);
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/oauth2/auth/uri", "login.example.com"), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/oauth2/token/uri", "login.example.com"), "%s", fixture_text(faults));
}

/* Everybody can have a shop below myshopify.com, so that only the shops themselves can be listed. */
Test(iclient_validate, a_host_that_a_template_completes_may_be_listed_as_a_whole)
{
    AUTO(iclient)
    iclient = fixture_iclient("{'oauth2':{'validDomainNames':['login.example.com','one.myshopify.com'],"
                              "'revoke':{'uri':'https://{{{connection.settings.shop}}}.myshopify.com:8443/r'}}}");
    const struct url_policy *policy = iclient_url_policy(iclient);
    cr_assert_eq(url_policy_check_text(policy, "https://one.myshopify.com/r", NULL), OK);
    cr_assert_eq(url_policy_check_text(policy, "https://two.myshopify.com/r", NULL), ERR_DENIED);
    const struct fault_case other = {"{'oauth2':{'validDomainNames':['login.example.com','one.otherify.com'],"
                                     "'revoke':{'uri':'https://{{{connection.settings.shop}}}.myshopify.com/r'}}}",
                                     "/oauth2/revoke/uri", "x.myshopify.com"};
    assert_one_fault(&other);
}

Test(iclient_validate, exact_hosts_of_the_uris_are_the_policy_without_valid_domain_names)
{
    AUTO(iclient) iclient = fixture_iclient("{}");
    const struct url_policy *policy = iclient_url_policy(iclient);
    cr_assert_eq(url_policy_check_text(policy, "https://login.example.com/other", NULL), OK);
    cr_assert_neq(url_policy_check_text(policy, "https://sub.login.example.com/", NULL), OK);
    cr_assert_neq(url_policy_check_text(policy, "https://example.com/", NULL), OK);
}

Test(iclient_validate, no_fault_text_holds_a_secret)
{
    AUTO_JSON document =
        fixture_document("{'type':'public','oauth2':{'password':5,'encrypted':{'a':'hunter2','b':null},"
                         "'tokenAuthMethod':'hunter2x'},'jwt':{'secret':'hunter2','privateKey':'hunter2'}}");
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), ERR_INVALID);
    cr_assert_null(strstr(fixture_text(faults), "hunter2"), "%s", fixture_text(faults));
}

static enum status refuse_key(const char *method, const struct secret *key, const struct secret *passphrase,
                              struct error *ret_error)
{
    return error_set(ret_error, ERR_INVALID, "asked for %s, %zu bytes%s", method, secret_length(key),
                     passphrase ? ", passphrase" : "");
}

Test(iclient_validate, fit_of_the_key_is_asked_of_the_hook)
{
    static const struct fault_case cases[] = {
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'es256','privateKey':'12345','passphrase':'p'}}",
         "/jwt/privateKey", "asked for ES256, 5 bytes, passphrase"},
        {"{'oauth2':{'tokenAuthMethod':'client_secret_jwt'}}", "/oauth2/clientSecret", "asked for HS256, 7 bytes"},
        {"{'oauth2':{'grantType':'jwtbearer'},'salesforce':{'privateKey':'1234'},'jwt':{'signatureMethod':'RS256'}}",
         "/salesforce/privateKey", "asked for RS256, 4 bytes"},
    };
    const struct iclient_options options = {.check_jwt_key = refuse_key};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON document = fixture_document(cases[i].changes);
        AUTO(fault_list) faults = fault_list_create();
        AUTO(provider_preset) preset = provider_preset_create_empty("custom_oauth2");
        struct iclient *iclient = NULL;
        cr_assert_eq(iclient_from_json(document, preset, "", &options, NULL, faults, &iclient), ERR_INVALID);
        cr_assert(fixture_fault(faults, cases[i].pointer, cases[i].part), "%s", fixture_text(faults));
    }
}

static enum status take_key(const char *method, const struct secret *key, const struct secret *passphrase,
                            struct error *ret_error)
{
    (void)method;
    (void)key;
    (void)passphrase;
    (void)ret_error;
    return OK;
}

/* Providers give them out, and a document cannot make them longer. */
Test(iclient_validate, short_secret_to_sign_with_is_a_warning)
{
    static const struct {
        const char *changes, *pointer;
        bool is_short;
    } cases[] = {
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'"
         "0123456789abcdef0123456789abcde'}}",
         "/jwt/secret", true},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS256','secret':'"
         "0123456789abcdef0123456789abcdef'}}",
         "/jwt/secret", false},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'HS512','secret':'"
         "0123456789abcdef0123456789abcdef'}}",
         "/jwt/secret", true},
        {"{'oauth2':{'tokenAuthMethod':'client_secret_jwt'}}", "/oauth2/clientSecret", true},
    };
    const struct iclient_options options = {.check_jwt_key = take_key};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON document = fixture_document(cases[i].changes);
        AUTO(fault_list) faults = fault_list_create();
        AUTO(provider_preset) preset = provider_preset_create_empty("custom_oauth2");
        AUTO(iclient) iclient = NULL;
        cr_assert_eq(iclient_from_json(document, preset, "", &options, NULL, faults, &iclient), OK, "%s",
                     fixture_text(faults));
        const struct fault *fault = fixture_fault(faults, cases[i].pointer, "is short");
        cr_expect_eq(fault != NULL, cases[i].is_short, "case %zu: %s", i, fixture_text(faults));
        cr_expect(!fault || fault->warning);
    }
}
