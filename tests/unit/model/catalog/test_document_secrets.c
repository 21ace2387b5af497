#include "model/fixture.h"

#include "model/catalog/document_secrets.h"

static const struct {
    const char *previous, *document, *expected;
} iclients[] = {
    {"{'oauth2':{'clientId':'a','clientSecret':'s'}}", "{'oauth2':{'clientId':'b'}}",
     "{'oauth2':{'clientId':'b','clientSecret':'s'}}"},
    {"{'oauth2':{'clientSecret':'s'}}", "{'oauth2':{'clientSecret':'******'}}", "{'oauth2':{'clientSecret':'s'}}"},
    {"{'oauth2':{'clientSecret':'s'}}", "{'oauth2':{'clientSecret':'new'}}", "{'oauth2':{'clientSecret':'new'}}"},
    {"{'oauth2':{'clientSecret':'s','scope':['x']}}", "{'oauth2':{'clientSecret':null}}", "{'oauth2':{}}"},
    {"{'oauth2':{'scope':['x']}}", "{}", "{}"},
    {"{'jwt':{'secret':'s','use':'assertion'}}", "{'name':'n'}", "{'name':'n','jwt':{'secret':'s'}}"},
    {"{'jwt':{'secret':'s'}}", "{'jwt':null}", "{}"},
    {"{'oauth2':{}}", "{'oauth2':{'clientSecret':'******'}}", "{'oauth2':{'clientSecret':'******'}}"},
    {"{'oauth2':{'encrypted':{'a':'1','b':'2','c':{'d':['3','4']}}}}",
     "{'oauth2':{'encrypted':{'a':'******','b':'new','c':{'d':['******','5']}}}}",
     "{'oauth2':{'encrypted':{'a':'1','b':'new','c':{'d':['3','5']}}}}"},
    {"{'oauth2':{'encrypted':{'a':'1','b':'2'}}}", "{'oauth2':{'encrypted':{'b':'******'}}}",
     "{'oauth2':{'encrypted':{'b':'2'}}}"},
    {"{'oauth2':{'encrypted':{'a':'1'}}}", "{'oauth2':{}}", "{'oauth2':{'encrypted':{'a':'1'}}}"},
    {"{'oauth2':{'clientSecret':'s'}}", "{'oauth2':'no object'}", "{'oauth2':'no object'}"},
};

Test(document_secrets, of_an_iclient_stay_unless_said_otherwise)
{
    for (size_t i = 0; i < sizeof iclients / sizeof iclients[0]; i++) {
        AUTO_JSON previous = fixture_json(iclients[i].previous);
        AUTO_JSON document = fixture_json(iclients[i].document);
        AUTO_JSON expected = fixture_json(iclients[i].expected);
        cr_assert(document_secrets_keep_iclient(document, previous));
        cr_assert(json_equal(document, expected), "%s over %s", iclients[i].document, iclients[i].previous);
    }
}

Test(document_secrets, of_a_connection_stay_unless_said_otherwise)
{
    AUTO_JSON previous = fixture_json("{'password':'p','encrypted':{'a':'1'},'username':'u'}");
    AUTO_JSON document = fixture_json("{'encrypted':{'a':'******'}}");
    AUTO_JSON expected = fixture_json("{'password':'p','encrypted':{'a':'1'}}");
    cr_assert(document_secrets_keep_connection(document, previous));
    cr_assert(json_equal(document, expected));
    AUTO_JSON bare = fixture_json("{'password':null,'encrypted':null}");
    cr_assert(document_secrets_keep_connection(bare, previous));
    cr_assert_eq(json_object_size(bare), 0);
}

Test(document_secrets, of_a_new_document_are_its_own)
{
    AUTO_JSON document = fixture_json("{'oauth2':{'clientSecret':null,'password':'p'},'jwt':null}");
    AUTO_JSON expected = fixture_json("{'oauth2':{'password':'p'}}");
    cr_assert(document_secrets_keep_iclient(document, NULL));
    cr_assert(json_equal(document, expected));
}
