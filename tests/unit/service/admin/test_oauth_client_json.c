#include "service/admin/oauth_client_json.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json/json_read.h"
#include "model/catalog/catalog.h"

static json_t *parse(const char *text)
{
    AUTO_TEXT copy = strdup(text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *value = json_loads(copy, 0, NULL);
    cr_assert_not_null(value, "%s", text);
    return value;
}

static void assert_json(const json_t *value, const char *pointer, const char *wanted)
{
    AUTO_TEXT text = json_dumps(json_read_pointer(value, pointer), JSON_ENCODE_ANY | JSON_COMPACT);
    cr_assert_str_eq(text ? text : "nothing", wanted, "%s", pointer);
}

static struct catalog *catalog_of(const char *iclient)
{
    AUTO_JSON document = parse(iclient);
    AUTO(fault_list) faults = fault_list_create();
    struct catalog *catalog = catalog_create(&(struct catalog_options){0});
    cr_assert_eq(catalog_add_iclient(catalog, document, "", faults), OK);
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    return catalog;
}

#define DEFINITION                                                                                                     \
    "{'name':'def','provider':'custom_oauth2','component':'vans','settings':{'region':'eu'},'oauth2':{"                \
    "'grantType':'authorizecode','clientId':'own','clientSecret':'hunter2','password':'hunter3','username':'u',"       \
    "'encrypted':{'k':'hunter4'},'scope':['a'],'auth':{'uri':'https://as.example.com/a'},"                             \
    "'bodyFormat':'json','token':{'uri':'https://as.example.com/t','headers':{'X-Api-Key':'hunter5','X-Version':'2'}," \
    "'body':{'api_key':'hunter6','credentials':{'user':'hunter7','keys':['hunter8']},'audience':'a'}}}}"
#define BODY(attributes) "{'data':{'type':'oauth-client','attributes':" attributes "," COMPONENT "}}"
#define COMPONENT "'relationships':{'component':{'data':{'type':'component','id':'vans'}}}"

Test(oauth_client_json, shows_an_iclient_without_its_secret)
{
    AUTO(catalog) catalog = catalog_of(DEFINITION);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 4096);
    cr_assert(oauth_client_append(catalog_iclient_at(catalog, 0), &text));
    AUTO_JSON shown = json_loads(text_buffer_text(&text), 0, NULL);
    assert_json(shown, "/type", "\"oauth-client\"");
    assert_json(shown, "/attributes/client_id", "\"own\"");
    assert_json(shown, "/attributes/client_secret", "\"******\"");
    assert_json(shown, "/relationships/component/data", "{\"type\":\"component\",\"id\":\"vans\"}");
    cr_assert_null(strstr(text_buffer_text(&text), "hunter"));
}

Test(oauth_client_json, new_document_has_the_definitions_provider_and_none_of_its_secrets)
{
    AUTO(catalog) catalog = catalog_of(DEFINITION);
    AUTO_JSON body = parse(BODY("{'client_id':'mine','client_secret':'s'}"));
    AUTO(fault_list) faults = fault_list_create();
    struct oauth_client_request request;
    cr_assert_eq(oauth_client_request_read(body, NULL, faults, &request), OK);
    AUTO_JSON document = oauth_client_create_document(&request, catalog_iclient_at(catalog, 0));
    assert_json(document, "/name", "\"vans\"");
    assert_json(document, "/component", "\"vans\"");
    assert_json(document, "/settings", "{\"region\":\"eu\"}");
    assert_json(document, "/oauth2/clientId", "\"mine\"");
    assert_json(document, "/oauth2/clientSecret", "\"s\"");
    assert_json(document, "/oauth2/token/uri", "\"https://as.example.com/t\"");
    static const char *const absent[] = {"/_id", "/tenant", "/oauth2/username", "/oauth2/password",
                                         "/oauth2/encrypted"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        cr_assert_null(json_read_pointer(document, absent[i]), "%s", absent[i]);
    /* Else who may create a client of a tenant could have the definition's literals sent to a host of his own. */
    AUTO_TEXT text = json_dumps(document, 0);
    cr_assert_null(strstr(text, "hunter"), "%s", text);
    assert_json(document, "/oauth2/token/headers", "[{\"name\":\"X-Version\",\"value\":\"2\"}]");
    assert_json(document, "/oauth2/token/body/audience", "\"a\"");
}

Test(oauth_client_json, attributes_win_over_the_definition_and_over_oauth2)
{
    AUTO(catalog) catalog = catalog_of(DEFINITION);
    AUTO_JSON body = parse(BODY("{'client_id':'mine','name':'n','oauth2':{'clientId':'no','scope':['b']}}"));
    AUTO(fault_list) faults = fault_list_create();
    struct oauth_client_request request;
    cr_assert_eq(oauth_client_request_read(body, NULL, faults, &request), OK);
    AUTO_JSON document = oauth_client_create_document(&request, catalog_iclient_at(catalog, 0));
    assert_json(document, "/name", "\"n\"");
    assert_json(document, "/oauth2/clientId", "\"mine\"");
    assert_json(document, "/oauth2/scope", "[\"b\"]");
    assert_json(document, "/oauth2/auth/uri", "\"https://as.example.com/a\"");
    AUTO_JSON alone = oauth_client_create_document(&request, NULL);
    assert_json(alone, "/provider", "\"custom_oauth2\"");
    assert_json(alone, "/oauth2/grantType", "\"authorizecode\"");
}

Test(oauth_client_json, change_keeps_what_it_does_not_say)
{
    AUTO(catalog) catalog = catalog_of(DEFINITION);
    const struct iclient *iclient = catalog_iclient_at(catalog, 0);
    AUTO_JSON body = parse("{'data':{'type':'oauth-client','attributes':{'client_id':'changed'}}}");
    AUTO(fault_list) faults = fault_list_create();
    struct oauth_client_request request;
    cr_assert_eq(oauth_client_request_read(body, iclient, faults, &request), OK);
    AUTO_JSON document = oauth_client_change_document(&request, iclient);
    assert_json(document, "/oauth2/clientId", "\"changed\"");
    assert_json(document, "/oauth2/clientSecret", "\"******\"");
    assert_json(document, "/component", "\"vans\"");
}

Test(oauth_client_json, change_sends_nothing_elsewhere)
{
    AUTO(catalog) catalog = catalog_of(DEFINITION);
    static const char *const bodies[] = {BODY("{'oauth2':{'token':{'uri':'https://evil.example.net/'}}}"),
                                         BODY("{'oauth2':{}}"), BODY("{'provider':'google'}"),
                                         BODY("{'provider':null}")};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        AUTO_JSON body = parse(bodies[i]);
        AUTO(fault_list) faults = fault_list_create();
        struct oauth_client_request request;
        cr_assert_eq(oauth_client_request_read(body, catalog_iclient_at(catalog, 0), faults, &request), ERR_INVALID,
                     "%s", bodies[i]);
    }
}

Test(oauth_client_json, what_is_shown_may_be_sent_back)
{
    AUTO(catalog) catalog = catalog_of(DEFINITION);
    const struct iclient *iclient = catalog_iclient_at(catalog, 0);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 4096);
    text_buffer_append_text(&text, "{\"data\":");
    oauth_client_append(iclient, &text);
    text_buffer_append_text(&text, "}");
    AUTO_JSON body = json_loads(text_buffer_text(&text), 0, NULL);
    AUTO(fault_list) faults = fault_list_create();
    struct oauth_client_request request;
    cr_assert_eq(oauth_client_request_read(body, iclient, faults, &request), OK);
    AUTO_JSON document = oauth_client_change_document(&request, iclient);
    AUTO_JSON before = iclient_to_json(iclient);
    cr_assert(json_equal(document, before));
}

Test(oauth_client_json, tells_every_fault_of_a_request)
{
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{}", "/data"},
        {"{'data':{}}", "/data/type"},
        {"{'data':{}}", "/data/relationships/component/data/id"},
        {"{'data':{'type':'x','id':'y'}}", "/data/type"},
        {"{'data':{'type':'x','id':'y'}}", "/data/id"},
        {BODY("[]"), "/data/attributes"},
        {BODY("{'a/b':1}"), "/data/attributes/a~1b"},
        {BODY("{'oauth2':7}"), "/data/attributes/oauth2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_JSON body = parse(cases[i].body);
        AUTO(fault_list) faults = fault_list_create();
        struct oauth_client_request request;
        cr_assert_eq(oauth_client_request_read(body, NULL, faults, &request), ERR_INVALID, "%s", cases[i].body);
        bool told = false;
        for (size_t j = 0; j < fault_list_count(faults); j++)
            told |= strcmp(fault_list_at(faults, j)->pointer, cases[i].pointer) == 0;
        cr_assert(told, "%s in %s", cases[i].pointer, cases[i].body);
    }
}

Test(oauth_client_json, places_faults_of_the_document_in_the_request)
{
    static const char *const places[][2] = {
        {"/oauth2/clientId", "/data/attributes/client_id"},
        {"/oauth2/clientSecret", "/data/attributes/client_secret"},
        {"/oauth2/token/uri", "/data/attributes/oauth2/token/uri"},
        {"/oauth2", "/data/attributes/oauth2"},
        {"/name", "/data/attributes/name"},
        {"/component", "/data/relationships/component/data/id"},
        {"/names", "/data/relationships/component/data/id"},
        {"", "/data/relationships/component/data/id"},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        AUTO_TEXT place = oauth_client_place(places[i][0]);
        cr_assert_str_eq(place, places[i][1], "%s", places[i][0]);
    }
}
