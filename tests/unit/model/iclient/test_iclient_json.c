#include "model/fixture.h"

static struct fault_list *faults_of(const char *changes)
{
    AUTO_JSON document = fixture_document(changes);
    struct fault_list *faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), ERR_INVALID, "%s", changes);
    cr_assert_null(iclient);
    return faults;
}

Test(iclient_json, all_faults_are_told_at_once_with_file_pointer_and_hint)
{
    AUTO(fault_list)
    faults = faults_of("{'name':'-x','nam':1,'oauth2':{'clientID':'x','scope':5,'grantType':'password1',"
                       "'token':{'url':'https://x.test/'}},'jwt':7}");
    static const struct {
        const char *pointer, *part, *hint;
    } expected[] = {
        {"/name", "[A-Za-z0-9]", NULL},
        {"/nam", "no field", "name"},
        {"/oauth2/clientID", "no field", "\"clientId\""},
        {"/oauth2/scope", "array of strings", NULL},
        {"/oauth2/grantType", "one of", "password"},
        {"/oauth2/token/url", "no field", "uri"},
        {"/jwt", "must be an object", NULL},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct fault *fault = fixture_fault(faults, expected[i].pointer, expected[i].part);
        cr_assert(fault, "%s:%s", expected[i].pointer, fixture_text(faults));
        cr_assert_str_eq(fault->file, "crm.json");
        if (expected[i].hint)
            cr_assert(fault->hint && strstr(fault->hint, expected[i].hint), "%s", fixture_text(faults));
    }
    cr_assert_eq(fault_list_count(faults), sizeof expected / sizeof expected[0], "%s", fixture_text(faults));
}

Test(iclient_json, wrong_types_and_values_are_faults)
{
    static const struct {
        const char *changes, *pointer, *part;
    } cases[] = {
        {"{'published':'yes'}", "/published", "true or false"},
        {"{'_id':'123'}", "/_id", "24 hex"},
        {"{'lastModified':'yesterday'}", "/lastModified", "time"},
        {"{'refreshCount':-1}", "/refreshCount", "from 0"},
        {"{'refreshCount':1.5}", "/refreshCount", "whole number"},
        {"{'accessTokenLifetime':'soon'}", "/accessTokenLifetime", "never"},
        {"{'settings':[]}", "/settings", "an object"},
        {"{'redirectUris':['callback']}", "/redirectUris/0", "absolute"},
        {"{'oauth2':{'redirectUri':'https://a.test/#x'}}", "/oauth2/redirectUri", "fragment"},
        {"{'oauth2':{'redirectUri':'https://a.test/{{{uuid}}}'}}", "/oauth2/redirectUri", "templates"},
        {"{'oauth2':{'clientId':''}}", "/oauth2/clientId", "empty"},
        {"{'oauth2':{'scheme':'Bearer x'}}", "/oauth2/scheme", "scheme"},
        {"{'oauth2':{'accessTokenHeaderName':'X Y'}}", "/oauth2/accessTokenHeaderName", "header name"},
        {"{'oauth2':{'accessTokenPath':'data/token'}}", "/oauth2/accessTokenPath", "at character 5"},
        {"{'oauth2':{'clientSecret':'******'}}", "/oauth2/clientSecret", "mask"},
        {"{'oauth2':{'clientSecret':''}}", "/oauth2/clientSecret", "empty"},
        {"{'oauth2':{'clientSecret':{'$vault':'x'}}}", "/oauth2/clientSecret", "$env"},
        {"{'oauth2':{'clientSecret':{'$file':'x'}}}", "/oauth2/clientSecret", "no such source"},
        {"{'oauth2':{'encrypted':{'a':{'b':['ok','']}}}}", "/oauth2/encrypted/a/b/1", "empty"},
        {"{'oauth2':{'authParams':{'a':[]}}}", "/oauth2/authParams/a", "string"},
        {"{'oauth2':{'tokenFailures':[{'path':'a'},{'paths':'b'}]}}", "/oauth2/tokenFailures/1", ""},
        {"{'oauth2':{'token':{'body':'{\\\"a\\\":}'}}}", "/oauth2/token/body", "line 1"},
        {"{'oauth2':{'token':{'body':'a=1&a=2'}}}", "/oauth2/token/body", "twice"},
        {"{'oauth2':{'token':{'headers':{'Content-Length':'1'}}}}", "/oauth2/token/headers", "frames"},
        {"{'oauth2':{'token':{'headers':'X-A: 1\\nx-a: 2'}}}", "/oauth2/token/headers", "twice"},
        {"{'oauth2':{'token':{'method':'PUT'}}}", "/oauth2/token/method", "one of"},
        {"{'allowedGrants':['authorizecode','implicit']}", "/allowedGrants/1", "one of"},
        {"{'tenant':'a b'}", "/tenant", "[A-Za-z0-9]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(fault_list) faults = faults_of(cases[i].changes);
        cr_expect(fixture_fault(faults, cases[i].pointer, cases[i].part), "%s:%s", cases[i].changes,
                  fixture_text(faults));
        cr_expect_eq(fault_list_count(faults), 1, "%s:%s", cases[i].changes, fixture_text(faults));
    }
}

Test(iclient_json, document_that_is_no_object_is_one_fault)
{
    AUTO_JSON document = json_array();
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), ERR_INVALID);
    cr_assert_eq(fault_list_count(faults), 1);
}

static bool mentions(const json_t *value, const char *text)
{
    AUTO_TEXT dump = json_dumps(value, JSON_ENCODE_ANY);
    return strstr(dump, text) != NULL;
}

Test(iclient_json, no_secret_is_ever_given_back)
{
    static const char changes[] =
        "{'jwt':{'secret':'SEKRIT','passphrase':'SEKRIT','privateKey':'SEKRIT'},"
        "'oauth2':{'clientSecret':'SEKRIT','password':'SEKRIT','encrypted':{'a':'SEKRIT','b':{'c':['SEKRIT',7]}}},"
        "'salesforce':{'clientSecret':'SEKRIT','apiToken':'SEKRIT','privateKey':'SEKRIT','publicKey':'open'},"
        "'ebay':{'certId':'SEKRIT'},'netsuite':{'consumerKey':'SEKRIT','consumerSecret':'SEKRIT'},"
        "'amazonmws':{'secretKey':'SEKRIT','accessKeyId':'open'}}";
    AUTO_JSON document = fixture_document(changes);
    json_object_del(json_object_get(document, "jwt"), "secret");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), OK, "%s", fixture_text(faults));
    AUTO_JSON back = iclient_to_json(iclient);
    cr_assert_not(mentions(back, "SEKRIT"));
    cr_assert_not(mentions(iclient_json(iclient, ICLIENT_ENCRYPTED), "SEKRIT"));
    cr_assert_not(mentions(iclient_json(iclient, ICLIENT_CLIENT_SECRET), "SEKRIT"));
    AUTO_JSON encrypted = fixture_json("{'a':'******','b':{'c':['******','******']}}");
    cr_assert(json_equal(json_read_pointer(back, "/oauth2/encrypted"), encrypted));
    cr_assert_str_eq(json_string_value(json_read_pointer(back, "/salesforce/publicKey")), "open");
    cr_assert_str_eq(secret_reveal(iclient_secret(iclient, ICLIENT_NETSUITE_CONSUMER_SECRET)), "SEKRIT");
}

Test(iclient_json, document_comes_back_normal_with_computed_fields)
{
    AUTO(iclient)
    iclient = fixture_iclient(
        "{'_httpConnectorId':'5D0123456789abcdef012345','oauth2':{'scope':'openid profile','failPath':'error',"
        "'failValues':'a, b','failStatusCode':400,'failures':[1],'useNewAuthFailSchema':false,"
        "'tokenAuthMethod':'BODY','token':{'headers':'X-A: 1','body':'code={{{code}}}'}}}");
    AUTO_JSON back = iclient_to_json(iclient);
    AUTO_JSON scope = fixture_json("['openid profile']");
    cr_assert(json_equal(json_read_pointer(back, "/oauth2/scope"), scope));
    AUTO_JSON failures = fixture_json("[{'statusCode':400,'path':'error','values':['a','b']}]");
    cr_assert(json_equal(json_read_pointer(back, "/oauth2/failures"), failures));
    cr_assert(json_is_true(json_read_pointer(back, "/oauth2/useNewAuthFailSchema")));
    cr_assert_str_eq(json_string_value(json_read_pointer(back, "/oauth2/token/headers")), "X-A: 1");
    cr_assert_str_eq(json_string_value(json_read_pointer(back, "/oauth2/tokenAuthMethod")), "body");
    cr_assert_str_eq(json_read_string(back, "formType"), "assistant");
    cr_assert_str_eq(json_read_string(back, "_httpConnectorId"), "5D0123456789abcdef012345");
    cr_assert_str_eq(json_read_string(back, "_id"), iclient_id(iclient));
    cr_assert(json_is_false(json_object_get(back, "published")));
}

Test(iclient_json, given_back_document_reads_again_but_for_its_masks)
{
    AUTO(iclient) first = fixture_iclient("{'oauth2':{'scope':['a','b'],'accessTokenHeaderName':null}}");
    AUTO_JSON back = iclient_to_json(first);
    json_object_set_new(json_object_get(back, "oauth2"), "clientSecret", json_string("hunter2"));
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) second = NULL;
    cr_assert_eq(fixture_read(back, NULL, faults, &second), OK, "%s", fixture_text(faults));
    AUTO_JSON again = iclient_to_json(second);
    json_object_set_new(json_object_get(back, "oauth2"), "clientSecret", json_string("******"));
    cr_assert(json_equal(back, again));
}

Test(iclient_json, given_back_document_is_the_callers_own)
{
    AUTO(iclient) iclient = fixture_iclient("{'settings':{'a':1}}");
    AUTO_JSON back = iclient_to_json(iclient);
    json_object_clear(json_object_get(back, "settings"));
    AUTO_JSON again = iclient_to_json(iclient);
    cr_assert_eq(json_object_size(json_object_get(again, "settings")), 1);
}

Test(iclient_json, literal_line_breaks_in_a_pem_are_repaired_with_a_warning)
{
    AUTO_JSON document = fixture_document("{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'RS256',"
                                          "'privateKey':'-----BEGIN X-----\\\\nAAAA\\\\r\\\\n-----END X-----\\\\n'}}");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), OK, "%s", fixture_text(faults));
    cr_assert_str_eq(secret_reveal(iclient_jwt_key(iclient)), "-----BEGIN X-----\nAAAA\n-----END X-----\n");
    const struct fault *fault = fixture_fault(faults, "/jwt/privateKey", "repaired");
    cr_assert(fault && fault->warning);
}

Test(iclient_json, literal_and_real_line_break_in_a_pem_are_one)
{
    AUTO(iclient)
    iclient = fixture_iclient("{'oauth2':{'grantType':'jwtbearer'},'jwt':{'signatureMethod':'RS256','privateKey':"
                              "'-----BEGIN X-----\\\\n\\nAAAA\\\\n\\r\\n-----END X-----\\\\n\\n'}}");
    cr_assert_str_eq(secret_reveal(iclient_jwt_key(iclient)), "-----BEGIN X-----\nAAAA\n-----END X-----\n");
}

/* As an export has a field that was left blank in a form. */
Test(iclient_json, blank_body_is_absent_with_a_warning)
{
    static const char *const pointers[] = {"/oauth2/token/body", "/oauth2/refresh/body"};
    AUTO_JSON document = fixture_document("{'oauth2':{'token':{'body':''},'refresh':{'body':' \\n\\t'}}}");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), OK, "%s", fixture_text(faults));
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        const struct fault *fault = fixture_fault(faults, pointers[i], "is empty");
        cr_expect(fault && fault->warning, "%s", pointers[i]);
    }
    cr_expect_null(iclient_json(iclient, ICLIENT_TOKEN_BODY));
}

/* As exports have it: a null says nothing, but where it is a value of its own. */
Test(iclient_json, null_is_the_same_as_nothing)
{
    static const char *const groups[] = {"ebay", "netsuite", "amazonmws"};
    AUTO_JSON document = fixture_document("{}");
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        if (row->choice_nullable || json_read_pointer(document, row->pointer))
            continue;
        char pointer[128];
        snprintf(pointer, sizeof pointer, "%s", row->pointer);
        json_t *level = document;
        char *name = pointer + 1;
        for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
            *slash = '\0';
            if (!json_object_get(level, name))
                json_object_set_new(level, name, json_object());
            level = json_object_get(level, name);
        }
        json_object_set_new(level, name, json_null());
    }
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        json_object_set_new(document, groups[i], json_null());
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, NULL, faults, &iclient), OK, "%s", fixture_text(faults));
    cr_expect_null(iclient_json(iclient, ICLIENT_TOKEN_BODY));
    cr_expect_str_eq(iclient_text(iclient, ICLIENT_VERSION), "1");
}

Test(iclient_json, references_are_resolved_or_left_unread)
{
    AUTO(iclient) read = fixture_iclient("{'oauth2':{'clientSecret':{'$env':'FROM_ENV'}}}");
    cr_assert_str_eq(secret_reveal(iclient_client_secret(read)), "FROM_ENV");
    AUTO_JSON document = fixture_document("{'oauth2':{'clientSecret':{'$file':'no/such'}}}");
    AUTO(provider_preset) preset = provider_preset_create_empty("custom_oauth2");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) unread = NULL;
    cr_assert_eq(iclient_from_json(document, preset, "", &fixture_options, NULL, faults, &unread), OK, "%s",
                 fixture_text(faults));
    cr_assert_null(iclient_client_secret(unread));
    AUTO_JSON back = iclient_to_json(unread);
    cr_assert_str_eq(json_string_value(json_read_pointer(back, "/oauth2/clientSecret")), "******");
}

static struct provider_preset *preset_of(const char *text)
{
    AUTO_JSON document = fixture_json(text);
    AUTO(fault_list) faults = fault_list_create();
    struct provider_preset *preset = NULL;
    cr_assert_eq(provider_preset_from_json("custom_oauth2", document, "p.json", faults, &preset), OK, "%s",
                 fixture_text(faults));
    return preset;
}

Test(iclient_json, name_and_provider_are_the_documents_own)
{
    AUTO(provider_preset) preset = preset_of("{'provider':'custom_oauth2'}");
    AUTO_JSON document = fixture_document("{'provider':null}");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, preset, faults, &iclient), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/provider", "is required"), "%s", fixture_text(faults));
}

Test(iclient_json, document_lies_over_its_preset_member_by_member)
{
    AUTO(provider_preset)
    preset = preset_of("{'settings':{'host':'a','x':1},'oauth2':{'scheme':'Token','scope':['p'],"
                       "'authParams':{'access_type':'offline','prompt':'consent','gone':'1'},"
                       "'token':{'headers':{'Accept':'a/b','X-P':'1'}}}}");
    AUTO(iclient)
    iclient = fixture_iclient_over("{'settings':{'host':'b'},'oauth2':{'scope':'own',"
                                   "'authParams':{'prompt':'none'},'token':{'headers':'accept: c/d'}}}",
                                   preset);
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_SCHEME), "Token");
    AUTO_JSON params = fixture_json("{'access_type':'offline','prompt':'none','gone':'1'}");
    cr_assert(json_equal(iclient_json(iclient, ICLIENT_AUTH_PARAMS), params));
    AUTO_JSON settings = fixture_json("{'host':'b','x':1}");
    cr_assert(json_equal(iclient_json(iclient, ICLIENT_SETTINGS), settings));
    AUTO_JSON scope = fixture_json("['own']");
    cr_assert(json_equal(iclient_json(iclient, ICLIENT_SCOPE), scope));
    AUTO_JSON headers = iclient_headers(iclient, ICLIENT_TOKEN_HEADERS);
    AUTO_JSON expected = fixture_json("[{'name':'X-P','value':'1'},{'name':'accept','value':'c/d'}]");
    cr_assert(json_equal(headers, expected));
    AUTO_JSON back = iclient_to_json(iclient);
    cr_assert_null(json_read_pointer(back, "/settings/x"), "own fields only");
}

Test(iclient_json, null_parameter_takes_the_presets_away)
{
    AUTO(provider_preset) preset = preset_of("{'oauth2':{'authParams':{'a':'1','b':'2'}}}");
    AUTO_JSON document = fixture_document("{}");
    json_t *oauth2 = json_object_get(document, "oauth2");
    json_object_set_new(oauth2, "authParams", json_pack("{s:n}", "a"));
    AUTO(fault_list) faults = fault_list_create();
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, preset, faults, &iclient), OK, "%s", fixture_text(faults));
    AUTO_JSON expected = fixture_json("{'b':'2'}");
    cr_assert(json_equal(iclient_json(iclient, ICLIENT_AUTH_PARAMS), expected));
    AUTO_JSON back = iclient_to_json(iclient);
    cr_assert(json_is_null(json_read_pointer(back, "/oauth2/authParams/a")));
}

Test(iclient_json, template_of_the_preset_wants_the_iclients_setting)
{
    AUTO(provider_preset) preset = preset_of("{'oauth2':{'authParams':{'shop':'{{{iClient.settings.shop}}}'}}}");
    AUTO_JSON document = fixture_document("{}");
    AUTO(fault_list) faults = fault_list_create();
    struct iclient *iclient = NULL;
    cr_assert_eq(fixture_read(document, preset, faults, &iclient), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/oauth2/authParams/shop", "preset"), "%s", fixture_text(faults));
    iclient_destroy(fixture_iclient_over("{'settings':{'shop':'x'}}", preset));
}
