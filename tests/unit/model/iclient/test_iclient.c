#include "model/fixture.h"

Test(iclient, fields_fall_back_to_their_defaults)
{
    AUTO(iclient) iclient = fixture_iclient("{}");
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_TOKEN_METHOD), "POST");
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_ACCESS_TOKEN_PATH), "access_token");
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_SCHEME), "Bearer");
    cr_assert_null(iclient_text(iclient, ICLIENT_REVOKE_URI));
    cr_assert_eq(iclient_number(iclient, ICLIENT_ACCESS_TOKEN_LIFETIME, 1), 3600);
    cr_assert_eq(iclient_number(iclient, ICLIENT_REFRESH_COUNT, -1), -1);
    cr_assert(iclient_flag(iclient, ICLIENT_ACTIVE));
    cr_assert_not(iclient_flag(iclient, ICLIENT_PUBLISHED));
    cr_assert_str_eq(iclient_tenant(iclient), "default");
    cr_assert_null(iclient_body(iclient, ICLIENT_TOKEN_BODY));
    cr_assert_null(iclient_headers(iclient, ICLIENT_TOKEN_HEADERS));
}

Test(iclient, lifetime_never_is_zero)
{
    AUTO(iclient) iclient = fixture_iclient("{'accessTokenLifetime':'never'}");
    cr_assert_eq(iclient_number(iclient, ICLIENT_ACCESS_TOKEN_LIFETIME, 5), 0);
    AUTO_JSON back = iclient_to_json(iclient);
    cr_assert_str_eq(json_read_string(back, "accessTokenLifetime"), "never");
}

Test(iclient, null_turns_pkce_off_and_is_absent_elsewhere)
{
    static const struct {
        const char *changes;
        enum pkce_method pkce;
    } cases[] = {
        {"{}", PKCE_S256},
        {"{'oauth2':{'pkceCodeChallengeMethod':'Plain'}}", PKCE_PLAIN},
        {"{'oauth2':{'pkceCodeChallengeMethod':'s256'}}", PKCE_S256},
        {"{'oauth2':{'pkceCodeChallengeMethod':null}}", PKCE_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(iclient) iclient = fixture_iclient(cases[i].changes);
        cr_assert_eq(iclient_pkce(iclient), cases[i].pkce, "%s", cases[i].changes);
    }
    AUTO(iclient) off = fixture_iclient(cases[3].changes);
    cr_assert(json_is_null(iclient_json(off, ICLIENT_PKCE)));
    AUTO(iclient) header = fixture_iclient("{'oauth2':{'accessTokenHeaderName':null}}");
    cr_assert_str_eq(iclient_text(header, ICLIENT_ACCESS_TOKEN_HEADER_NAME), "Authorization");
}

Test(iclient, bodies_of_every_spelling_read_the_same)
{
    static const char *const bodies[] = {
        "'grant_type=x&code={{{code}}}&n=a+b%26c'",
        "'{\\\"grant_type\\\":\\\"x\\\",\\\"code\\\":\\\"{{{code}}}\\\",\\\"n\\\":\\\"a b&c\\\"}'",
        "{'grant_type':'x','code':'{{{code}}}','n':'a b&c'}",
    };
    AUTO_JSON expected = fixture_json("{'grant_type':'x','code':'{{{code}}}','n':'a b&c'}");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char changes[512];
        snprintf(changes, sizeof changes, "{'oauth2':{'token':{'body':%s}}}", bodies[i]);
        AUTO(iclient) iclient = fixture_iclient(changes);
        AUTO_JSON body = iclient_body(iclient, ICLIENT_TOKEN_BODY);
        cr_assert(json_equal(body, expected), "%s", bodies[i]);
        json_object_clear(body);
        AUTO_JSON again = iclient_body(iclient, ICLIENT_TOKEN_BODY);
        cr_assert_eq(json_object_size(again), 3);
    }
    AUTO(iclient) empty = fixture_iclient("{'oauth2':{'revoke':{'uri':'https://login.example.com/r','body':''}}}");
    AUTO_JSON none = iclient_body(empty, ICLIENT_REVOKE_BODY);
    cr_assert(json_is_object(none) && json_object_size(none) == 0);
}

Test(iclient, headers_of_every_spelling_read_the_same)
{
    static const char *const spellings[] = {
        "'X-A: 1\\n\\n  X-B:two: {{{now}}}  \\r\\n'",
        "'{\\\"X-A\\\":\\\"1\\\",\\\"X-B\\\":\\\"two: {{{now}}}\\\"}'",
        "{'X-A':'1','X-B':'two: {{{now}}}'}",
        "[{'name':'X-A','value':'1'},{'name':'X-B','value':'two: {{{now}}}'}]",
    };
    AUTO_JSON expected = fixture_json("[{'name':'X-A','value':'1'},{'name':'X-B','value':'two: {{{now}}}'}]");
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        char changes[512];
        snprintf(changes, sizeof changes, "{'oauth2':{'token':{'headers':%s}}}", spellings[i]);
        AUTO(iclient) iclient = fixture_iclient(changes);
        AUTO_JSON headers = iclient_headers(iclient, ICLIENT_TOKEN_HEADERS);
        cr_assert(json_equal(headers, expected), "%s", spellings[i]);
    }
}

Test(iclient, grant_follows_from_grant_type_and_jwt)
{
#define KEY "'signatureMethod':'HS256','secret':'s'"
    static const struct {
        const char *changes;
        enum grant_type grant;
    } cases[] = {
        {"{'oauth2':{'grantType':'AuthorizeCode'}}", GRANT_AUTHORIZATION_CODE},
        {"{'oauth2':{'grantType':'password'}}", GRANT_PASSWORD},
        {"{'oauth2':{'grantType':'clientcredentials'}}", GRANT_CLIENT_CREDENTIALS},
        {"{'oauth2':{'grantType':'jwtbearer'},'jwt':{" KEY "}}", GRANT_JWT_BEARER},
        {"{'enableJWT':true,'oauth2':{'grantType':'clientcredentials'},'jwt':{" KEY "}}", GRANT_JWT_BEARER},
        {"{'enableJWT':true,'oauth2':{'grantType':'clientcredentials',"
         "'token':{'body':'grant_type=x&assertion={{{iClient.jwt.token}}}'}},'jwt':{" KEY "}}",
         GRANT_CLIENT_CREDENTIALS},
        {"{'enableJWT':true,'oauth2':{'grantType':'clientcredentials'},'jwt':{'use':'clientAssertion',"
         "'signatureMethod':'HS256'}}",
         GRANT_CLIENT_CREDENTIALS},
        {"{'oauth2':{'grantType':null},'jwt':{'use':'accessToken'," KEY "}}", GRANT_JWT_TOKEN},
        {"{'enableJWT':true,'oauth2':{'grantType':'clientcredentials'},'jwt':{'use':'accessToken'," KEY "}}",
         GRANT_JWT_TOKEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(iclient) iclient = fixture_iclient(cases[i].changes);
        cr_assert_eq(iclient_grant(iclient), cases[i].grant, "%s", cases[i].changes);
        cr_assert_null(iclient_no_grant_reason(iclient));
    }
}

Test(iclient, client_authentication_follows_from_method_location_and_type)
{
    static const struct {
        const char *changes;
        enum client_authentication authentication;
    } cases[] = {
        {"{}", CLIENT_AUTH_BASIC},
        {"{'oauth2':{'clientCredentialsLocation':'body'}}", CLIENT_AUTH_BODY},
        {"{'type':'public','oauth2':{'clientSecret':null}}", CLIENT_AUTH_NONE},
        {"{'oauth2':{'tokenAuthMethod':'none','clientSecret':null}}", CLIENT_AUTH_NONE},
        {"{'oauth2':{'tokenAuthMethod':'client_secret_jwt'}}", CLIENT_AUTH_SECRET_JWT},
        {"{'oauth2':{'tokenAuthMethod':'private_key_jwt','clientSecret':null},"
         "'jwt':{'signatureMethod':'ES256','privateKey':'k'}}",
         CLIENT_AUTH_PRIVATE_KEY_JWT},
        {"{'jwt':{'use':'clientAssertion','signatureMethod':'RS256','privateKey':'k'}}", CLIENT_AUTH_PRIVATE_KEY_JWT},
        {"{'jwt':{'use':'clientassertion','signatureMethod':'HS384'}}", CLIENT_AUTH_SECRET_JWT},
        {"{'oauth2':{'grantType':'jwtbearer','clientSecret':null},'jwt':{'signatureMethod':'RS256','privateKey':'k'}}",
         CLIENT_AUTH_NONE},
        {"{'oauth2':{'clientSecret':null,'token':{'headers':{'Authorization':'Key {{{iClient.encrypted.k}}}'}},"
         "'encrypted':{'k':'v'}}}",
         CLIENT_AUTH_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(iclient) iclient = fixture_iclient(cases[i].changes);
        cr_assert_eq(iclient_client_authentication(iclient), cases[i].authentication, "%s", cases[i].changes);
    }
}

Test(iclient, provider_credentials_serve_where_oauth2_lacks_them)
{
    AUTO(iclient)
    salesforce = fixture_iclient(
        "{'oauth2':{'clientId':null,'clientSecret':null,'grantType':'jwtbearer'},"
        "'salesforce':{'clientId':'sf','clientSecret':'sfs','privateKey':'pem'},'jwt':{'signatureMethod':'RS256'}}");
    cr_assert_str_eq(iclient_client_id(salesforce), "sf");
    cr_assert_str_eq(secret_reveal(iclient_client_secret(salesforce)), "sfs");
    cr_assert_str_eq(secret_reveal(iclient_jwt_key(salesforce)), "pem");
    AUTO(iclient)
    ebay = fixture_iclient("{'oauth2':{'clientId':null,'clientSecret':null},"
                           "'ebay':{'appId':'app','certId':'cert','ruName':'Ru-Name'}}");
    cr_assert_str_eq(iclient_client_id(ebay), "app");
    cr_assert_str_eq(secret_reveal(iclient_client_secret(ebay)), "cert");
    cr_assert_str_eq(iclient_redirect_uri(ebay), "Ru-Name");
    AUTO(iclient) own = fixture_iclient("{'salesforce':{'clientId':'sf','clientSecret':'sfs'}}");
    cr_assert_str_eq(iclient_client_id(own), "id");
    cr_assert_str_eq(secret_reveal(iclient_client_secret(own)), "hunter2");
}

Test(iclient, redirect_uri_is_the_first_that_is_configured)
{
    AUTO(iclient) none = fixture_iclient("{}");
    cr_assert_str_eq(iclient_redirect_uri(none), "http://127.0.0.1:8085/callback/crm");
    cr_assert(iclient_has_redirect_uri(none, "http://127.0.0.1:8085/callback/crm"));
    AUTO(iclient) many = fixture_iclient("{'redirectUris':['https://a.test/1','app.test:/2']}");
    cr_assert_str_eq(iclient_redirect_uri(many), "https://a.test/1");
    cr_assert(iclient_has_redirect_uri(many, "app.test:/2"));
    cr_assert_not(iclient_has_redirect_uri(many, "https://a.test/"));
}

Test(iclient, lookup_finds_what_a_template_may_name)
{
    AUTO(iclient)
    iclient = fixture_iclient(
        "{'settings':{'a':{'n':5}},'oauth2':{'scope':['x','y'],'scopeDelimiter':',','unencrypted':{'u':true},"
        "'encrypted':{'e':{'f':'g'}},'password':'pw'},'netsuite':{'consumerKey':'ck'}}");
    static const struct {
        const char *path, *value;
    } cases[] = {
        {"name", "crm"},
        {"settings.a.n", "5"},
        {"oauth2.unencrypted.u", "true"},
        {"unencrypted.u", "true"},
        {"encrypted.e.f", "g"},
        {"oauth2.encrypted.e.f", "g"},
        {"oauth2.password", "pw"},
        {"netsuite.consumerKey", "ck"},
        {"oauth2.scope", "x,y"},
        {"clientSecret", "hunter2"},
        {"oauth2.clientId", "id"},
        {"settings.a", "{\"n\":5}"},
        {"oauth2.token.uri", "https://login.example.com/token"},
        {"oauth2.scheme", "Bearer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(text_buffer) value;
        text_buffer_init(&value, 1000);
        cr_expect_eq(iclient_lookup(iclient, cases[i].path, &value), OK, "%s", cases[i].path);
        cr_expect_str_eq(text_buffer_text(&value), cases[i].value, "%s", cases[i].path);
    }
    static const char *const nothing[] = {
        "settings.b", "encrypted.e", "encrypted",         "jwt.token",        "oauth2",
        "",           "name.x",      "oauth2.password.x", "oauth2.revoke.uri"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        AUTO_FINISH(text_buffer) value;
        text_buffer_init(&value, 1000);
        cr_expect_eq(iclient_lookup(iclient, nothing[i], &value), ERR_NOT_FOUND, "%s", nothing[i]);
        cr_expect_eq(value.length, 0);
    }
}

Test(iclient, derived_id_is_stable_and_ignores_case)
{
    AUTO(iclient) a = fixture_iclient("{}");
    AUTO(iclient) b = fixture_iclient("{'name':'CRM','version':'1','tenant':'default','description':'other'}");
    AUTO(iclient) version = fixture_iclient("{'version':'2'}");
    AUTO(iclient) tenant = fixture_iclient("{'tenant':'other'}");
    AUTO(iclient) given = fixture_iclient("{'_id':'5D0123456789ABCDEF012345'}");
    cr_assert_eq(strlen(iclient_id(a)), 24);
    cr_assert_eq(strspn(iclient_id(a), "0123456789abcdef"), 24);
    cr_assert_str_eq(iclient_id(a), iclient_id(b));
    cr_assert_str_neq(iclient_id(a), iclient_id(version));
    cr_assert_str_neq(iclient_id(a), iclient_id(tenant));
    cr_assert_str_eq(iclient_id(given), "5d0123456789abcdef012345");
}

Test(iclient, failure_rules_come_from_the_flat_fields_and_token_failures)
{
    AUTO_JSON failed = fixture_json("{'error':'expired'}");
    AUTO_JSON other = fixture_json("{'error':'quota'}");
    AUTO(iclient) plain = fixture_iclient("{}");
    cr_assert(failure_rules_match(iclient_api_failures(plain), 401, NULL));
    cr_assert_not(failure_rules_match(iclient_api_failures(plain), 400, &(struct reply_document){.json = failed}));
    AUTO(iclient) flat = fixture_iclient("{'oauth2':{'failPath':'error','failValues':['expired']}}");
    cr_assert(failure_rules_match(iclient_api_failures(flat), 200, &(struct reply_document){.json = failed}));
    cr_assert(failure_rules_match(iclient_token_failures(flat), 200, &(struct reply_document){.json = failed}));
    cr_assert_not(failure_rules_match(iclient_api_failures(flat), 200, &(struct reply_document){.json = other}));
    cr_assert(failure_rules_match(iclient_api_failures(flat), 401, &(struct reply_document){.json = other}));
    AUTO(iclient) status = fixture_iclient("{'oauth2':{'failStatusCode':400}}");
    cr_assert(failure_rules_match(iclient_api_failures(status), 400, NULL));
    cr_assert_not(failure_rules_match(iclient_api_failures(status), 401, NULL));
    AUTO(iclient) token = fixture_iclient("{'oauth2':{'tokenFailures':[{'statusCode':200,'path':'error'}]}}");
    cr_assert(failure_rules_match(iclient_token_failures(token), 200, &(struct reply_document){.json = other}));
    cr_assert_not(failure_rules_match(iclient_api_failures(token), 200, &(struct reply_document){.json = other}));
}

Test(iclient, last_hold_frees_it)
{
    struct iclient *iclient = fixture_iclient("{}");
    cr_assert_eq(iclient_hold(iclient), iclient);
    iclient_destroy(iclient);
    cr_assert_str_eq(iclient_name(iclient), "crm");
    iclient_destroy(iclient);
    iclient_destroy(NULL);
}
