#include "model/catalog/component_import.h"

#include "model/fixture.h"

static const char *find_variable(const char *name)
{
    return strcmp(name, "SET_KEY") == 0 || strcmp(name, "REGION") == 0 ? "from-environment" : NULL;
}

static const struct component_import_options plain = {.find_variable = find_variable};

/* What text becomes; the notes, each on a line, into notes. */
static json_t *import_as(const char *text, const struct component_import_options *options, char notes[4096])
{
    AUTO_JSON component = fixture_json(text);
    AUTO(fault_list) faults = fault_list_create();
    json_t *iclient = NULL;
    enum status status = component_import(component, "component.json", options, faults, &iclient);
    notes[0] = '\0';
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        size_t length = strlen(notes);
        snprintf(notes + length, 4096 - length, "%s %s\n", fault->pointer, fault->message);
    }
    cr_assert_eq(status == OK, iclient != NULL);
    cr_assert_eq(status == ERR_INVALID, fault_list_has_errors(faults));
    return iclient;
}

static void assert_json(const json_t *value, const char *pointer, const char *wanted)
{
    AUTO_JSON expected = fixture_json(wanted);
    AUTO_TEXT text = json_dumps(value, JSON_ENCODE_ANY);
    cr_assert(json_equal(json_read_pointer(value, pointer), expected), "%s is not %s in %s", pointer, wanted, text);
}

#define ENDPOINTS "'auth_uri':'https://as.example.com/auth','token_uri':'https://as.example.com/token'"

Test(component_import, maps_the_block_to_the_fields_of_an_iclient)
{
    char notes[4096];
    AUTO_JSON iclient = import_as("{'title':'Pizza Van (v2)!','description':'d','oauth2':{'client_id':'id',"
                                  "'client_secret':'{{PIZZA}}'," ENDPOINTS
                                  ",'refresh_uri':'https://as.example.com/r','revoke_uri':'https://as.example.com/x',"
                                  "'scopes':['a','b'],'additional_params':{'access_type':'offline'}}}",
                                  &plain, notes);
    assert_json(iclient, "",
                "{'name':'pizza-van-v2','provider':'custom_oauth2','component':'pizza-van-v2','description':'d',"
                "'oauth2':{'grantType':'authorizecode','clientId':'id','clientSecret':{'$env':'PIZZA'},"
                "'auth':{'uri':'https://as.example.com/auth'},'token':{'uri':'https://as.example.com/token'},"
                "'refresh':{'uri':'https://as.example.com/r'},'revoke':{'uri':'https://as.example.com/x'},"
                "'scope':['a','b'],'authParams':{'access_type':'offline'}}}");
}

Test(component_import, finds_the_variables_of_the_client)
{
    static const struct {
        const char *variables, *secret;
    } cases[] = {
        {"{'OAUTH_CLIENT_ID':{},'OAUTH_CLIENT_SECRET':{}}", "{'$env':'OAUTH_CLIENT_SECRET'}"},
        {"{'A_KEY':{},'A_SECRET':{},'OAUTH_CLIENT_SECRET':{},'OAUTH_CLIENT_ID':{}}", "{'$env':'OAUTH_CLIENT_SECRET'}"},
        {"{'PIZZAVAN_KEY':{},'PIZZAVAN_SECRET':{}}", "{'$env':'PIZZAVAN_SECRET'}"},
        {"{'ASANA_CLIENT_ID':{},'ASANA_CLIENT_SECRET':{}}", "{'$env':'ASANA_CLIENT_SECRET'}"},
        {"{'CLIENT_ID':{},'CLIENT_SECRET':{}}", "{'$env':'CLIENT_SECRET'}"},
        {"{'WEBHOOK_SECRET':{},'X_KEY':{},'X_SECRET':{}}", "{'$env':'X_SECRET'}"},
        {"{'ONLY_SECRET':{}}", "{'$env':'ONLY_SECRET'}"},
        {"{'NOTSECRET':{},'MONKEY':{}}", "{'$env':'OAUTH_CLIENT_SECRET'}"},
        {"{}", "{'$env':'OAUTH_CLIENT_SECRET'}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024], notes[4096];
        snprintf(text, sizeof text,
                 "{'title':'t','envVars':%s,'oauth2':{'client_id':'','client_secret':''," ENDPOINTS "}}",
                 cases[i].variables);
        AUTO_JSON iclient = import_as(text, &plain, notes);
        assert_json(iclient, "/oauth2/clientSecret", cases[i].secret);
        assert_json(iclient, "/oauth2/clientId", "'replace-with-the-client-id'");
        cr_assert(strstr(notes, "client_id is not in the component"), "%s", notes);
    }
}

Test(component_import, takes_the_client_id_from_a_variable_that_is_set)
{
    char notes[4096];
    AUTO_JSON iclient =
        import_as("{'title':'t','envVars':{'SET_KEY':{},'SET_SECRET':{}},'oauth2':{" ENDPOINTS "}}", &plain, notes);
    assert_json(iclient, "/oauth2/clientId", "'from-environment'");
    assert_json(iclient, "/oauth2/clientSecret", "{'$env':'SET_SECRET'}");
}

Test(component_import, takes_a_client_without_any_secret_for_a_public_one)
{
    char notes[4096];
    AUTO_JSON iclient = import_as("{'title':'t','oauth2':{'client_id':'id'," ENDPOINTS "}}", &plain, notes);
    assert_json(iclient, "/type", "'public'");
    cr_assert_null(json_read_pointer(iclient, "/oauth2/clientSecret"));
    cr_assert(strstr(notes, "public client"));
}

Test(component_import, turns_placeholders_of_uris_into_templates)
{
    char notes[4096];
    AUTO_JSON iclient = import_as("{'title':'t','envVars':{'REGION':{},'UNSET':{}},'credentials':{'oauth2':{"
                                  "'client_id':'id','client_secret':'{{S}}',"
                                  "'auth_uri':'https://{{ shop }}.example.com/{{REGION}}/auth',"
                                  "'token_uri':'https://as.example.org:8443/{{{UNSET}}}'}}}",
                                  &plain, notes);
    assert_json(iclient, "/oauth2/auth/uri",
                "'https://{{{connection.settings.shop}}}.example.com/{{{iClient.settings.REGION}}}/auth'");
    assert_json(iclient, "/oauth2/token/uri", "'https://as.example.org:8443/{{{iClient.settings.UNSET}}}'");
    assert_json(iclient, "/oauth2/validDomainNames", "['example.com','as.example.org']");
    assert_json(iclient, "/settings", "{'REGION':'from-environment','UNSET':'replace-me'}");
    cr_assert(strstr(notes, "/credentials/oauth2/auth_uri has {{shop}} in it"), "%s", notes);
    cr_assert(strstr(notes, "settings.UNSET"), "%s", notes);
}

Test(component_import, names_what_it_leaves_out)
{
    char notes[4096];
    AUTO_JSON iclient =
        import_as("{'title':'t','envVars':{'LOG':{}},'oauth2':{'client_id':'id','client_secret':'hunter2',"
                  "'odd':1,'scopes':['a',1],'additional_params':{'state':'x','list':[1],'p':1}," ENDPOINTS "}}",
                  &plain, notes);
    assert_json(iclient, "/oauth2/authParams", "{'p':1}");
    assert_json(iclient, "/oauth2/scope", "['a']");
    assert_json(iclient, "/oauth2/clientSecret", "'hunter2'");
    static const char *const said[] = {
        "/envVars/LOG",           "/oauth2/odd",          "/oauth2/additional_params/state", "/oauth2/scopes",
        "additional_params/list", "/oauth2/client_secret"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        cr_assert(strstr(notes, said[i]), "%s: %s", said[i], notes);
    cr_assert_null(strstr(notes, "hunter2"));
}

Test(component_import, without_auth_uri_takes_the_client_credentials_grant)
{
    char notes[4096];
    AUTO_JSON iclient = import_as("{'title':'t','oauth2':{'client_id':'id','client_secret':'{{S}}','token_uri':"
                                  "'https://as.example.com/token'}}",
                                  &plain, notes);
    assert_json(iclient, "/oauth2/grantType", "'clientcredentials'");
}

Test(component_import, takes_name_and_tenant_that_are_given)
{
    char notes[4096];
    const struct component_import_options options = {.name = "own", .tenant = "acme", .find_variable = find_variable};
    AUTO_JSON iclient = import_as("{'title':'t','oauth2':{'client_id':'id'," ENDPOINTS "}}", &options, notes);
    assert_json(iclient, "/name", "'own'");
    assert_json(iclient, "/component", "'own'");
    assert_json(iclient, "/tenant", "'acme'");
}

Test(component_import, without_a_block_or_a_token_uri_says_so)
{
    static const char *const documents[] = {"{}",
                                            "[]",
                                            "1",
                                            "{'oauth2':[]}",
                                            "{'oauth2':{}}",
                                            "{'oauth2':{'token_uri':''}}",
                                            "{'oauth2':{'token_uri':1}}",
                                            "{'credentials':{'fields':{}}}"};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        char notes[4096];
        cr_assert_null(import_as(documents[i], &plain, notes), "%s", documents[i]);
    }
}

Test(component_import, bears_members_of_the_wrong_type)
{
    char notes[4096];
    AUTO_JSON iclient =
        import_as("{'title':7,'description':[],'envVars':[1],'oauth2':{'client_id':7,'client_secret':{},"
                  "'auth_uri':null,'scopes':{'a':1},'additional_params':'x','refresh_uri':[],"
                  "'token_uri':'https://{{}}{{ {{a b}}/}}{{{{x'}}",
                  &plain, notes);
    assert_json(iclient, "/name", "'component'");
    assert_json(iclient, "/oauth2/token/uri", "'https://{{}}{{ {{a b}}/}}{{{{x'");
}
