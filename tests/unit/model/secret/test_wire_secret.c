#include "model/fixture.h"

#include "model/secret/wire_secret.h"

static const struct {
    const char *normal, *masked; /* NULL: nothing is secret */
} values[] = {
    /* headers */
    {"[{'name':'Authorization','value':'Basic YTpi'},{'name':'Accept','value':'a/b'}]",
     "[{'name':'Authorization','value':'******'},{'name':'Accept','value':'a/b'}]"},
    {"[{'name':'x-api-KEY','value':'4711'}]", "[{'name':'x-api-KEY','value':'******'}]"},
    {"[{'name':'X-Other','value':'Bearer abc'}]", "[{'name':'X-Other','value':'******'}]"},
    {"[{'name':'X-Auth','value':'a'},{'name':'X-Auth-Email','value':'b'}]",
     "[{'name':'X-Auth','value':'******'},{'name':'X-Auth-Email','value':'b'}]"},
    {"[{'name':'Cookie','value':'a=b'}]", "[{'name':'Cookie','value':'******'}]"},
    {"[{'name':'Authorization','value':'Basic {{{iClient.encrypted.basic}}}'}]", NULL},
    {"[{'name':'Authorization','value':'Basic YWJjZGVmZ2hpamtsbW5v{{uuid}}'}]",
     "[{'name':'Authorization','value':'******'}]"},
    {"[{'name':'Content-Type','value':'application/json'},{'name':'User-Agent','value':'a'}]", NULL},
    /* bodies and parameters */
    {"{'grant_type':'x','client_secret':'s3','scope':'a b'}",
     "{'grant_type':'x','client_secret':'******','scope':'a b'}"},
    {"{'password':'p','pin_key':7,'ok':true}", "{'password':'******','pin_key':'******','ok':true}"},
    {"{'a':{'b':[{'apiKey':'k','n':1}]}}", "{'a':{'b':[{'apiKey':'******','n':1}]}}"},
    {"{'api_keys':['k',7,'{{{t}}}'],'credentials':{'type':'x','user':'u','value':['v',{'a':'b'}],'ok':true}}",
     "{'api_keys':['******','******','{{{t}}}'],'credentials':{'type':'x','user':'******','value':['******',{'a':'*****"
     "*'}],'ok':true}}"},
    {"{'pass':'p','user-auth':'a','PIN':1}", "{'pass':'******','user-auth':'******','PIN':'******'}"},
    {"{'author':'a','auth_mode':'m','bypass':1,'spin':2,'list':['a']}", NULL},
    {"{'refresh_token':'{{{refreshToken}}}','client_secret':'{{{iClient.clientSecret}}}'}", NULL},
    {"{'token_type_hint':'access_token','client_assertion_type':'urn:x','token':''}", NULL},
    {"{'client_id':'id','access_type':'offline','code':null}", NULL},
};

Test(wire_secret, literals_that_are_secrets_are_masked)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        AUTO_JSON normal = fixture_json(values[i].normal);
        AUTO_JSON expected = values[i].masked ? fixture_json(values[i].masked) : NULL;
        bool done;
        AUTO_JSON masked = wire_secret_mask(normal, &done);
        cr_assert(done);
        cr_expect(expected ? json_equal(masked, expected) : !masked, "%s", values[i].normal);
        cr_expect_eq(wire_secret_has_mask(masked), masked != NULL, "%s", values[i].normal);
        cr_assert(!masked || wire_secret_keep(masked, normal));
        cr_expect(!masked || json_equal(masked, normal), "%s comes back", values[i].normal);
    }
}

Test(wire_secret, a_mask_is_filled_by_its_name_alone)
{
    AUTO_JSON normal = fixture_json("[{'name':'X-KEY','value':'******'},{'name':'X-Token','value':'******'}]");
    AUTO_JSON previous = fixture_json("[{'name':'A','value':'a'},{'name':'x-key','value':'k'}]");
    cr_assert(wire_secret_keep(normal, previous));
    AUTO_JSON expected = fixture_json("[{'name':'X-KEY','value':'k'},{'name':'X-Token','value':'******'}]");
    cr_expect(json_equal(normal, expected));
    wire_secret_drop_masked(normal);
    cr_expect_eq(json_array_size(normal), 1);
}
