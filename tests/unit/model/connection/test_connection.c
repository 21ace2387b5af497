#include "model/fixture.h"

#include "model/connection/connection.h"

static enum status read_connection(const char *text, const struct iclient *iclient, struct fault_list *faults,
                                   struct connection **ret_connection)
{
    AUTO_JSON document = fixture_json(text);
    return connection_from_json(document, iclient, "c.json", &fixture_resolver, NULL, faults, ret_connection);
}

static struct connection *taken(const char *text, const struct iclient *iclient)
{
    AUTO(fault_list) faults = fault_list_create();
    struct connection *connection = NULL;
    cr_assert_eq(read_connection(text, iclient, faults, &connection), OK, "%s:%s", text, fixture_text(faults));
    return connection;
}

static void assert_one_fault(const char *text, const struct iclient *iclient, const char *pointer, const char *part)
{
    AUTO(fault_list) faults = fault_list_create();
    struct connection *connection = NULL;
    cr_expect_eq(read_connection(text, iclient, faults, &connection), ERR_INVALID, "%s", text);
    cr_expect(fixture_fault(faults, pointer, part), "%s: no \"%s\" at %s:%s", text, part, pointer,
              fixture_text(faults));
    cr_expect_eq(fault_list_count(faults), 1, "%s:%s", text, fixture_text(faults));
    connection_destroy(connection);
}

static void assert_lookup(const struct connection *connection, const char *path, const char *expected)
{
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 1000);
    enum status status = connection_lookup(connection, path, &value);
    cr_expect_eq(status, expected ? OK : ERR_NOT_FOUND, "%s", path);
    cr_expect_str_eq(text_buffer_text(&value), expected ? expected : "", "%s", path);
}

Test(connection, own_values_go_before_the_iclients)
{
    AUTO(iclient)
    iclient = fixture_iclient("{'settings':{'region':'eu','shop':'default'},'oauth2':{'username':'iu',"
                              "'password':'ip','scope':['a','b'],'scopeDelimiter':','}}");
    AUTO(connection) plain = taken("{'name':'c','iClient':'crm'}", iclient);
    cr_assert_str_eq(connection_username(plain), "iu");
    cr_assert_str_eq(secret_reveal(connection_password(plain)), "ip");
    cr_assert_str_eq(connection_scope(plain), "a,b");
    cr_assert_null(connection_audience(plain));
    cr_assert_null(connection_params(plain));
    cr_assert(connection_refreshes_ahead(plain) && connection_is_active(plain) && !connection_is_implicit(plain));
    AUTO(connection)
    own = taken("{'name':'c2','iClient':'crm','username':'cu','password':{'$env':'cp'},'scope':['x','y'],"
                "'audience':'aud','settings':{'shop':'s1'},'unencrypted':{'n':1},'encrypted':{'k':['v']},"
                "'params':{'resource':'r'},'refresh':'ondemand','active':false,'allow':{'users':[5]}}",
                iclient);
    cr_assert_str_eq(connection_name(own), "c2");
    cr_assert_str_eq(connection_file(own), "c.json");
    cr_assert_str_eq(connection_username(own), "cu");
    cr_assert_str_eq(secret_reveal(connection_password(own)), "cp");
    cr_assert_str_eq(connection_scope(own), "x,y");
    cr_assert_str_eq(connection_audience(own), "aud");
    cr_assert_str_eq(json_read_string(connection_params(own), "resource"), "r");
    cr_assert_not(connection_refreshes_ahead(own));
    cr_assert_not(connection_is_active(own));
    assert_lookup(own, "settings.shop", "s1");
    assert_lookup(own, "settings.region", "eu");
    assert_lookup(own, "unencrypted.n", "1");
    assert_lookup(own, "encrypted.k.0", "v");
    assert_lookup(own, "username", "cu");
    assert_lookup(own, "password", "cp");
    assert_lookup(own, "scope", "x,y");
    assert_lookup(own, "audience", "aud");
    assert_lookup(own, "name", "c2");
    assert_lookup(own, "settings.none", NULL);
    assert_lookup(own, "encrypted.k", NULL);
    assert_lookup(own, "iClient", NULL);
    assert_lookup(own, "oauth2.clientId", NULL);
    assert_lookup(plain, "audience", NULL);
    assert_lookup(plain, "settings.shop", "default");
    const struct peer peer = {.uid = 5, .gid = 5};
    cr_assert(access_rule_allows(connection_access(own), &peer));
    cr_assert_not(access_rule_allows(connection_access(plain), &peer));
}

Test(connection, given_back_document_is_its_own_with_masks)
{
    AUTO(iclient) iclient = fixture_iclient("{'tenant':'t1','oauth2':{'username':'iu'}}");
    AUTO(connection)
    connection = taken("{'tenant':'t1','name':'c','iClient':'crm','scope':'x','password':'SEKRIT',"
                       "'encrypted':{'k':'SEKRIT'},'refresh':'AHEAD','description':'d'}",
                       iclient);
    AUTO_JSON back = connection_to_json(connection);
    AUTO_JSON expected = fixture_json("{'tenant':'t1','name':'c','iClient':'crm','scope':['x'],'password':'******',"
                                      "'encrypted':{'k':'******'},'refresh':'ahead','description':'d'}");
    cr_assert(json_equal(back, expected));
    char by_id[128];
    snprintf(by_id, sizeof by_id, "{'tenant':'t1','name':'d','iClient':'%s'}", iclient_id(iclient));
    AUTO(connection) referring = taken(by_id, iclient);
    AUTO_JSON back_by_id = connection_to_json(referring);
    cr_assert_str_eq(json_read_string(back_by_id, "iClient"), iclient_id(iclient));
}

Test(connection, faults_are_told_with_their_pointer)
{
    AUTO(iclient) iclient = fixture_iclient("{}");
    static const struct {
        const char *text, *pointer, *part;
    } cases[] = {
        {"{'iClient':'crm'}", "/name", "required"},
        {"{'name':'c'}", "/iClient", "required"},
        {"{'name':'a b','iClient':'crm'}", "/name", "[A-Za-z0-9]"},
        {"{'name':'c','iClient':'crm','tenant':'other'}", "/tenant", "tenant"},
        {"{'name':'c','iClient':'crm','usernam':'x'}", "/usernam", "no field"},
        {"{'name':'c','iClient':'crm','username':''}", "/username", "empty"},
        {"{'name':'c','iClient':'crm','username':5}", "/username", "string"},
        {"{'name':'c','iClient':'crm','scope':[1]}", "/scope", "array of strings"},
        {"{'name':'c','iClient':'crm','password':'******'}", "/password", "mask"},
        {"{'name':'c','iClient':'crm','settings':'x'}", "/settings", "object"},
        {"{'name':'c','iClient':'crm','params':{'a':[]}}", "/params", "strings"},
        {"{'name':'c','iClient':'crm','params':{'grant_type':'x'}}", "/params/grant_type", "daemon"},
        {"{'name':'c','iClient':'crm','params':{'a':'{{{nope}}}'}}", "/params/a", "context"},
        {"{'name':'c','iClient':'crm','params':{'a':'{{{connection.settings.x}}}'}}", "/params/a",
         "resolves to nothing"},
        {"{'name':'c','iClient':'crm','refresh':'never'}", "/refresh", "onDemand"},
        {"{'name':'c','iClient':'crm','active':1}", "/active", "true or false"},
        {"{'name':'c','iClient':'crm','allow':{'user':[]}}", "/allow", "user"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_one_fault(cases[i].text, iclient, cases[i].pointer, cases[i].part);
    connection_destroy(taken("{'name':'c','iClient':'crm','settings':{'x':'1'},"
                             "'params':{'a':'{{{connection.settings.x}}}','n':5,'f':true}}",
                             iclient));
}

Test(connection, use_iclient_fields_keeps_it_from_overriding)
{
    AUTO(iclient)
    iclient = fixture_iclient(
        "{'settings':{'region':'eu'},'oauth2':{'useIClientFields':true,'username':'u','unencrypted':{'a':1}}}");
    static const char *const fields[] = {"username", "password", "scope", "audience"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char text[128];
        char pointer[32];
        snprintf(text, sizeof text, "{'name':'c','iClient':'crm','%s':'own'}", fields[i]);
        snprintf(pointer, sizeof pointer, "/%s", fields[i]);
        assert_one_fault(text, iclient, pointer, "useIClientFields");
    }
    assert_one_fault("{'name':'c','iClient':'crm','settings':{'region':'us','shop':'s'}}", iclient, "/settings/region",
                     "useIClientFields");
    assert_one_fault("{'name':'c','iClient':'crm','unencrypted':{'a':2}}", iclient, "/unencrypted/a",
                     "useIClientFields");
    connection_destroy(taken("{'name':'c','iClient':'crm','settings':{'shop':'s'}}", iclient));
}

Test(connection, password_grant_needs_an_account)
{
    AUTO(iclient) bare = fixture_iclient("{'oauth2':{'grantType':'password'}}");
    AUTO(iclient) named = fixture_iclient("{'oauth2':{'grantType':'password','username':'u'}}");
    assert_one_fault("{'name':'c','iClient':'crm','password':'p'}", bare, "/username", "password grant");
    assert_one_fault("{'name':'c','iClient':'crm','username':'u'}", bare, "/password", "password grant");
    connection_destroy(taken("{'name':'c','iClient':'crm','password':'p'}", named));
}

Test(connection, value_that_a_template_of_the_iclient_uses_is_required)
{
    AUTO(iclient)
    iclient =
        fixture_iclient("{'oauth2':{'auth':{'uri':'https://login.example.com/{{{connection.settings.shop}}}'},"
                        "'token':{'body':'key={{{connection.encrypted.key}}}&shop={{connection.settings.shop}}'}}}");
    assert_one_fault("{'name':'c','iClient':'crm','encrypted':{'key':'k'}}", iclient, "/settings/shop", "template");
    assert_one_fault("{'name':'c','iClient':'crm','settings':{'shop':'s'}}", iclient, "/encrypted/key", "template");
    connection_destroy(taken("{'name':'c','iClient':'crm','settings':{'shop':'s'},'encrypted':{'key':'k'}}", iclient));
}

Test(connection, value_that_leads_to_a_foreign_host_is_a_fault)
{
    AUTO(iclient)
    iclient = fixture_iclient("{'settings':{'zone':'eu'},'oauth2':{'validDomainNames':['example.com'],"
                              "'auth':{'uri':'https://login.example.com/auth'},"
                              "'token':{'uri':'https://{{{connection.settings.host}}}/{{{code}}}'},"
                              "'refresh':{'uri':'https://{{{metadata.pod}}}.example.com/t'}}}");
    assert_one_fault("{'name':'c','iClient':'crm','settings':{'host':'evil.test'}}", iclient, "/settings/host",
                     "/oauth2/token/uri of iClient \"crm\": host evil.test");
    assert_one_fault("{'name':'c','iClient':'crm','settings':{'host':'a.example.com/b'}}", iclient, "/settings/host",
                     "cannot stand in a host");
    connection_destroy(taken("{'name':'c','iClient':'crm','settings':{'host':'a.example.com'}}", iclient));
    AUTO(iclient)
    inherited = fixture_iclient("{'settings':{'host':'evil.test'},'oauth2':{'validDomainNames':['example.com'],"
                                "'token':{'uri':'https://{{{connection.settings.host}}}/'}}}");
    assert_one_fault("{'name':'c','iClient':'crm'}", inherited, "/iClient", "host evil.test");
    connection_destroy(taken("{'name':'c','iClient':'crm','settings':{'host':'example.com'}}", inherited));
}

Test(connection, value_that_leaves_its_place_in_a_path_is_a_fault)
{
    AUTO(iclient)
    iclient =
        fixture_iclient("{'oauth2':{'auth':{'uri':'https://login.example.com/{{connection.settings.realm}}/auth'},"
                        "'refresh':{'uri':'https://login.example.com/{{metadata.m}}/{{connection.settings.pod}}/t'},"
                        "'revoke':{'uri':'https://login.example.com/{{{metadata.m}}}/t'}}}");
    assert_one_fault("{'name':'c','iClient':'crm','settings':{'realm':'..','pod':'p'}}", iclient, "/settings/realm",
                     "/oauth2/auth/uri of iClient \"crm\": the value of {{{connection.settings.realm}}} makes a path");
    assert_one_fault("{'name':'c','iClient':'crm','settings':{'realm':'r','pod':'%2e%2e'}}", iclient, "/settings/pod",
                     "/oauth2/refresh/uri of iClient \"crm\": the value of {{{connection.settings.pod}}} makes a path");
    connection_destroy(taken("{'name':'c','iClient':'crm','settings':{'realm':'r','pod':'p'}}", iclient));
}

Test(connection, implicit_one_has_the_iclients_name_and_values)
{
    AUTO(iclient) iclient = fixture_iclient("{'settings':{'a':'b'},'oauth2':{'scope':'s'}}");
    AUTO(connection) connection = connection_implicit(iclient);
    cr_assert(connection_is_implicit(connection));
    cr_assert_str_eq(connection_name(connection), "crm");
    cr_assert_str_eq(connection_tenant(connection), "default");
    cr_assert_str_eq(connection_file(connection), "crm.json");
    cr_assert_str_eq(connection_scope(connection), "s");
    cr_assert_not_null(connection_access(connection));
    assert_lookup(connection, "settings.a", "b");
    AUTO_JSON back = connection_to_json(connection);
    AUTO_JSON expected = fixture_json("{'name':'crm','iClient':'crm'}");
    cr_assert(json_equal(back, expected));
}

Test(connection, inactive_iclient_makes_it_inactive)
{
    AUTO(iclient) iclient = fixture_iclient("{'active':false}");
    AUTO(connection) connection = taken("{'name':'c','iClient':'crm','active':true}", iclient);
    cr_assert_not(connection_is_active(connection));
}
