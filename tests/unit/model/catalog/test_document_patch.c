#include "model/fixture.h"

#include "model/catalog/document_patch.h"

static const struct {
    const char *patch;
    const char *expected; /* NULL: refused */
    const char *pointer, *message;
} cases[] = {
    {"[]", "{'oauth2':{'failPath':'old','failValues':['v']}}", NULL, NULL},
    {"[{'op':'replace','path':'/oauth2/failPath','value':'new'}]", "{'oauth2':{'failPath':'new','failValues':['v']}}",
     NULL, NULL},
    {"[{'op':'add','path':'/oauth2/failPath','value':'new'}]", "{'oauth2':{'failPath':'new','failValues':['v']}}", NULL,
     NULL},
    {"[{'op':'remove','path':'/oauth2/failPath'}]", "{'oauth2':{}}", NULL, NULL},
    {"[{'op':'remove','path':'/oauth2/failPath'},{'op':'replace','path':'/oauth2/failPath','value':'x'}]",
     "{'oauth2':{'failPath':'x','failValues':['v']}}", NULL, NULL},
    {"{}", NULL, "", "invalid patch data"},
    {"'text'", NULL, "", "invalid patch data"},
    {"[1]", NULL, "/0", "invalid patch data"},
    {"[{'op':'replace','path':'/oauth2/failPath'}]", NULL, "/0", "invalid patch data"},
    {"[{'op':'replace','path':'/oauth2/failPath','value':5}]", NULL, "/0", "invalid patch data"},
    {"[{'op':'move','path':'/oauth2/failPath','value':'x'}]", NULL, "/0", "invalid patch data"},
    {"[{'path':'/oauth2/failPath','value':'x'}]", NULL, "/0", "invalid patch data"},
    {"[{'op':'replace','value':'x'}]", NULL, "/0", "invalid patch data"},
    {"[{'op':'replace','path':'/name','value':'x'}]", NULL, "/name", "/name is not a whitelisted property"},
    {"[{'op':'replace','path':'/oauth2/failPath','value':'x'},{'op':'add','path':'/oauth2/clientId','value':'x'}]",
     NULL, "/oauth2/clientId", "/oauth2/clientId is not a whitelisted property"},
};

Test(document_patch, changes_the_fail_path_alone)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(fault_list) faults = fault_list_create();
        AUTO_JSON document = fixture_json("{'oauth2':{'failPath':'old','failValues':['v']}}");
        AUTO_JSON patch = fixture_json(cases[i].patch);
        enum status status = document_patch_apply(document, patch, faults);
        cr_assert_eq(status, cases[i].expected ? OK : ERR_INVALID, "%s", cases[i].patch);
        if (cases[i].expected) {
            AUTO_JSON expected = fixture_json(cases[i].expected);
            cr_assert(json_equal(document, expected), "%s", cases[i].patch);
        } else {
            cr_assert(fixture_fault(faults, cases[i].pointer, cases[i].message), "%s%s", cases[i].patch,
                      fixture_text(faults));
        }
    }
}

Test(document_patch, makes_the_group_where_it_is_missing)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO_JSON document = fixture_json("{}");
    AUTO_JSON patch = fixture_json("[{'op':'replace','path':'/oauth2/failPath','value':'error'}]");
    AUTO_JSON expected = fixture_json("{'oauth2':{'failPath':'error'}}");
    cr_assert_eq(document_patch_apply(document, patch, faults), OK);
    cr_assert(json_equal(document, expected));
}
