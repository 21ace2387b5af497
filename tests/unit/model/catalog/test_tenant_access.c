#include "model/catalog/tenant_access.h"

#include "model/fixture.h"

enum { ANNE = 1001, BOB = 1002, STAFF = 500 };

static enum status find(void *context, const struct identity_name *name, unsigned *ret_id)
{
    size_t *asked = context;
    if (asked) {
        ++*asked;
        return ERR_TIMEOUT;
    }
    static const struct {
        struct identity_name name;
        unsigned id;
    } known[] = {{{"anne", false}, ANNE}, {{"bob", false}, BOB}, {{"staff", true}, STAFF}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        *ret_id = known[i].id;
        if (known[i].name.is_group == name->is_group && strcmp(known[i].name.name, name->name) == 0)
            return OK;
    }
    return ERR_NOT_FOUND;
}

static const struct identity_resolver resolver = {.find = find, .own_uid = 77};

static struct tenant_access *read_access(const char *text, struct fault_list *faults)
{
    AUTO_JSON document = fixture_json(text);
    struct tenant_access *access = NULL;
    enum status status = tenant_access_from_json(document, "d.json", "/tenants", &resolver, faults, &access);
    cr_assert_eq(status == OK, access != NULL);
    cr_assert_eq(status == ERR_INVALID, fault_list_has_errors(faults));
    return access;
}

static bool allows(const struct tenant_access *access, const char *tenant, enum tenant_permission permission, uid_t uid)
{
    const gid_t groups[] = {STAFF};
    struct peer peer = {.uid = uid, .gid = 1, .groups = groups, .group_count = uid == BOB ? 1 : 0};
    const struct access_rule *rule = tenant_access_rule(access, tenant, permission);
    return rule && access_rule_allows(rule, &peer);
}

Test(tenant_access, gives_each_permission_by_itself)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(tenant_access)
    access = read_access("{'acme':{'oauth_clients':{'get':{'users':['anne'],'groups':['staff']},"
                         "'edit':{'users':['anne']},'delete':{}}},'other':{}}",
                         faults);
    cr_assert(allows(access, "acme", TENANT_OAUTH_CLIENTS_GET, ANNE));
    cr_assert(allows(access, "acme", TENANT_OAUTH_CLIENTS_GET, BOB));
    cr_assert(allows(access, "acme", TENANT_OAUTH_CLIENTS_EDIT, ANNE));
    cr_assert_not(allows(access, "acme", TENANT_OAUTH_CLIENTS_EDIT, BOB));
    cr_assert_not(allows(access, "acme", TENANT_OAUTH_CLIENTS_CREATE, ANNE), "what is not said");
    cr_assert_not(allows(access, "acme", TENANT_OAUTH_CLIENTS_DELETE, ANNE), "an empty rule");
    cr_assert_not(allows(access, "other", TENANT_OAUTH_CLIENTS_GET, ANNE));
    cr_assert_not(allows(access, "Acme", TENANT_OAUTH_CLIENTS_GET, ANNE));
    cr_assert_null(tenant_access_rule(NULL, "acme", TENANT_OAUTH_CLIENTS_GET));
}

Test(tenant_access, tells_every_fault_with_its_place_and_hint)
{
    static const struct {
        const char *text, *pointer, *words;
    } cases[] = {
        {"[]", "/tenants", "object"},
        {"{'acme':1}", "/tenants/acme", "object"},
        {"{'a/b':{}}", "/tenants/a~1b", "no tenant's name"},
        {"{'':{}}", "/tenants/", "no tenant's name"},
        {"{'acme':{'oauth_client':{}}}", "/tenants/acme/oauth_client", "oauth_clients"},
        {"{'acme':{'oauth_clients':[]}}", "/tenants/acme/oauth_clients", "object"},
        {"{'acme':{'oauth_clients':{'gte':{}}}}", "/tenants/acme/oauth_clients/gte", "\"get\""},
        {"{'acme':{'oauth_clients':{'get':['anne']}}}", "/tenants/acme/oauth_clients/get", "object"},
        {"{'acme':{'oauth_clients':{'get':{'users':['nobody-here']}}}}", "/tenants/acme/oauth_clients/get",
         "nobody-here"},
        {"{'acme':{'oauth_clients':{'get':{'user':['anne']}}}}", "/tenants/acme/oauth_clients/get", "user"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(fault_list) faults = fault_list_create();
        cr_assert_null(read_access(cases[i].text, faults), "%s", cases[i].text);
        const struct fault *fault = fault_list_at(faults, 0);
        AUTO_TEXT line = fault_format(fault);
        cr_assert_str_eq(fault->pointer, cases[i].pointer, "%s", cases[i].text);
        cr_assert(strstr(line, cases[i].words), "%s: %s", cases[i].text, line);
    }
}

Test(tenant_access, refuses_more_tenants_than_its_maximum)
{
    AUTO_JSON document = json_object();
    for (int i = 0; i <= TENANT_ACCESS_TENANTS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        json_object_set_new(document, name, json_object());
    }
    AUTO(fault_list) faults = fault_list_create();
    struct tenant_access *access = NULL;
    cr_assert_eq(tenant_access_from_json(document, "", "/tenants", &resolver, faults, &access), ERR_INVALID);
    json_object_del(document, "t0");
    cr_assert_eq(tenant_access_from_json(document, "", "/tenants", &resolver, faults, &access), OK);
    tenant_access_destroy(tenant_access_hold(access));
    cr_assert_null(tenant_access_rule(access, "t5", TENANT_OAUTH_CLIENTS_GET));
    tenant_access_destroy(access);
}

static void learn_anne(void *context, struct access_rule *rule)
{
    size_t *count = context;
    ++*count;
    access_rule_learn(rule, &(struct identity_name){"anne", false}, ANNE);
}

Test(tenant_access, database_that_does_not_answer_is_asked_once_and_names_are_learned_later)
{
    size_t asked = 0;
    size_t rule_count = 0;
    bool is_silent = false;
    const struct identity_resolver absent = {
        .find = find, .keeps_unknown = true, .is_silent = &is_silent, .context = &asked};
    AUTO_JSON document = fixture_json("{\"acme\":{\"oauth_clients\":{\"get\":{\"users\":[\"anne\"]},"
                                      "\"edit\":{\"users\":[\"anne\",\"bob\"]}}},"
                                      "\"other\":{\"oauth_clients\":{\"get\":{\"groups\":[\"staff\"]}}}}");
    AUTO(tenant_access) access = NULL;
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(tenant_access_from_json(document, "d.json", "/tenants", &absent, faults, &access), OK);
    cr_assert_eq(asked, 1);
    cr_assert_not(allows(access, "acme", TENANT_OAUTH_CLIENTS_GET, ANNE));
    tenant_access_visit_rules(access, learn_anne, &rule_count);
    cr_assert_eq(rule_count, 3);
    cr_assert(allows(access, "acme", TENANT_OAUTH_CLIENTS_GET, ANNE));
    cr_assert(allows(access, "acme", TENANT_OAUTH_CLIENTS_EDIT, ANNE));
    cr_assert_not(allows(access, "acme", TENANT_OAUTH_CLIENTS_EDIT, BOB));
    tenant_access_visit_rules(NULL, learn_anne, &rule_count);
}
