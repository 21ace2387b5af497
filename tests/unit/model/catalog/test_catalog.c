#include "model/fixture.h"

#include <time.h>

#include "model/catalog/catalog.h"

static struct catalog *new_catalog(void)
{
    const struct catalog_options options = {.iclient = fixture_options, .resolve_secrets = &fixture_resolver};
    struct catalog *catalog = catalog_create(&options);
    cr_assert_not_null(catalog);
    return catalog;
}

static enum status add_iclient(struct catalog *catalog, const char *changes, struct fault_list *faults)
{
    AUTO_JSON document = fixture_document(changes);
    return catalog_add_iclient(catalog, document, "i.json", faults);
}

static enum status add_connection(struct catalog *catalog, const char *text, struct fault_list *faults)
{
    AUTO_JSON document = fixture_json(text);
    return catalog_add_connection(catalog, document, "c.json", faults);
}

Test(catalog, finds_what_was_added)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    AUTO_JSON preset = fixture_json("{'oauth2':{'scheme':'Token'}}");
    cr_assert_eq(catalog_add_preset(catalog, "acme", preset, "acme.json", faults), OK);
    cr_assert_eq(add_iclient(catalog, "{'provider':'acme'}", faults), OK, "%s", fixture_text(faults));
    cr_assert_eq(add_iclient(catalog, "{'tenant':'t','name':'CRM'}", faults), OK, "%s", fixture_text(faults));
    cr_assert_eq(add_connection(catalog, "{'name':'sales','iClient':'Crm'}", faults), OK, "%s", fixture_text(faults));
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    cr_assert_not_null(catalog_find_preset(catalog, "acme"));
    cr_assert_null(catalog_find_preset(catalog, "Acme"));
    const struct iclient *iclient = catalog_find_iclient(catalog, "default", "CRM");
    cr_assert_not_null(iclient);
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_SCHEME), "Token");
    cr_assert_eq(catalog_find_iclient_by_id(catalog, iclient_id(iclient)), iclient);
    const struct iclient *other = catalog_find_iclient(catalog, "t", "crm");
    cr_assert(other && other != iclient);
    cr_assert_null(catalog_find_iclient(catalog, "none", "crm"));
    const struct connection *sales = catalog_find_connection(catalog, "default", "sales");
    cr_assert(sales && connection_iclient(sales) == iclient);
    cr_assert_null(catalog_find_connection(catalog, "default", "Sales"));
    cr_assert_null(catalog_find_connection(catalog, "t", "sales"));
    cr_assert_null(catalog_find_connection(catalog, "default", "crm"), "it is named by a connection");
    cr_assert_not_null(catalog_find_connection(catalog, "t", "CRM"), "nothing names it");
    cr_assert_eq(catalog_iclient_count(catalog), 2);
    cr_assert_eq(catalog_connection_count(catalog), 2);
    cr_assert_eq(catalog_connection_at(catalog, 0), sales);
    cr_assert(connection_is_implicit(catalog_connection_at(catalog, 1)));
    cr_assert_null(catalog_connection_at(catalog, 2));
    cr_assert_null(catalog_iclient_at(catalog, 2));
    cr_assert_eq(fault_list_count(faults), 0, "%s", fixture_text(faults));
}

Test(catalog, connection_outlives_its_catalog)
{
    struct catalog *catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{}", faults), OK);
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    AUTO(connection) connection = connection_hold(catalog_find_connection(catalog, "default", "crm"));
    catalog_destroy(catalog);
    cr_assert_str_eq(iclient_client_id(connection_iclient(connection)), "id");
    cr_assert_not_null(connection_access(connection));
}

Test(catalog, connections_with_the_same_rule_share_it)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{}", faults), OK, "%s", fixture_text(faults));
    static const unsigned users[] = {5, 7, 5, 7};
    const struct access_rule *rules[4];
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "{'name':'c%zu','iClient':'crm','allow':{'users':[%u]}}", i, users[i]);
        cr_assert_eq(add_connection(catalog, text, faults), OK, "%s", fixture_text(faults));
        rules[i] = connection_access(catalog_connection_at(catalog, i));
    }
    cr_assert_eq(rules[0], rules[2]);
    cr_assert_eq(rules[1], rules[3]);
    cr_assert_neq(rules[0], rules[1]);
    cr_assert_not(access_rule_allows(rules[0], &(struct peer){.uid = 7}));
    cr_assert(access_rule_allows(rules[1], &(struct peer){.uid = 7}));
}

Test(catalog, many_different_rules_stay_each_connections_own)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{}", faults), OK, "%s", fixture_text(faults));
    for (unsigned i = 0; i < 100; i++) {
        char text[128];
        snprintf(text, sizeof text, "{'name':'c%u','iClient':'crm','allow':{'users':[%u]}}", i, 1 + i % 50);
        cr_assert_eq(add_connection(catalog, text, faults), OK, "%s", fixture_text(faults));
    }
    for (unsigned i = 0; i < 100; i++) {
        const struct access_rule *rule = connection_access(catalog_connection_at(catalog, i));
        cr_assert(access_rule_allows(rule, &(struct peer){.uid = 1 + i % 50}));
        cr_assert_not(access_rule_allows(rule, &(struct peer){.uid = 1 + (i + 1) % 50}));
    }
}

Test(catalog, names_ids_and_components_are_taken_once)
{
    static const struct {
        const char *first, *second, *pointer;
    } cases[] = {
        {"{}", "{'name':'CRM'}", "/name"},
        {"{'version':'v1'}", "{'version':'V1'}", "/name"},
        {"{'_id':'5d0123456789abcdef012345'}", "{'name':'other','_id':'5D0123456789ABCDEF012345'}", "/_id"},
        {"{'component':'k'}", "{'name':'other','component':'k'}", "/component"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(catalog) catalog = new_catalog();
        AUTO(fault_list) faults = fault_list_create();
        cr_assert_eq(add_iclient(catalog, cases[i].first, faults), OK);
        cr_assert_eq(add_iclient(catalog, cases[i].second, faults), ERR_INVALID, "%s", cases[i].second);
        cr_assert(fixture_fault(faults, cases[i].pointer, "i.json"), "%s", fixture_text(faults));
        cr_assert_eq(fault_list_count(faults), 1);
        cr_assert_eq(catalog_iclient_count(catalog), 1);
    }
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{'component':'k'}", faults), OK);
    cr_assert_eq(add_iclient(catalog, "{'component':'k','tenant':'t'}", faults), OK, "%s", fixture_text(faults));
    cr_assert_eq(add_connection(catalog, "{'name':'a','iClient':'crm'}", faults), OK);
    cr_assert_eq(add_connection(catalog, "{'name':'a','iClient':'crm','tenant':'t'}", faults), OK);
    cr_assert_eq(add_connection(catalog, "{'name':'a','iClient':'crm'}", faults), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/name", "taken"), "%s", fixture_text(faults));
}

Test(catalog, highest_version_is_what_the_name_means)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    static const char *const versions[] = {"9", "10", "1"};
    for (size_t i = 0; i < 3; i++) {
        char changes[64];
        snprintf(changes, sizeof changes, "{'version':'%s'}", versions[i]);
        cr_assert_eq(add_iclient(catalog, changes, faults), OK);
    }
    const struct iclient *meant = catalog_find_iclient(catalog, "default", "crm");
    cr_assert_str_eq(iclient_text(meant, ICLIENT_VERSION), "10");
    char by_id[128];
    snprintf(by_id, sizeof by_id, "{'name':'old','iClient':'%s'}", iclient_id(catalog_iclient_at(catalog, 0)));
    cr_assert_eq(add_connection(catalog, by_id, faults), OK, "%s", fixture_text(faults));
    const struct connection *old = catalog_find_connection(catalog, "default", "old");
    cr_assert_str_eq(iclient_text(connection_iclient(old), ICLIENT_VERSION), "9");
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    cr_assert_eq(connection_iclient(catalog_find_connection(catalog, "default", "crm")), meant);
    cr_assert_eq(catalog_connection_count(catalog), 2);
    const struct fault *fault = fixture_fault(faults, "/name", "taken");
    cr_assert(fault && fault->warning, "version 1 is said to have no connection:%s", fixture_text(faults));
}

Test(catalog, unknown_names_come_with_the_nearest)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    AUTO_JSON preset = json_object();
    cr_assert_eq(catalog_add_preset(catalog, "google", preset, "google.json", faults), OK);
    cr_assert_eq(add_iclient(catalog, "{'provider':'gogle'}", faults), ERR_INVALID);
    const struct fault *provider = fixture_fault(faults, "/provider", "gogle");
    cr_assert(provider && provider->hint && strstr(provider->hint, "google"), "%s", fixture_text(faults));
    cr_assert_eq(fault_list_count(faults), 1, "%s", fixture_text(faults));
    cr_assert_eq(add_iclient(catalog, "{'name':'salesforce'}", faults), OK);
    cr_assert_eq(add_connection(catalog, "{'name':'c','iClient':'salesfroce'}", faults), ERR_INVALID);
    const struct fault *iclient = fixture_fault(faults, "/iClient", "salesfroce");
    cr_assert(iclient && iclient->hint && strstr(iclient->hint, "salesforce"), "%s", fixture_text(faults));
    cr_assert_eq(add_connection(catalog, "{'name':'c','iClient':'salesforce','tenant':'t'}", faults), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/iClient", "tenant \"t\""), "%s", fixture_text(faults));
    cr_assert_eq(add_connection(catalog, "{'name':'c'}", faults), ERR_INVALID);
    AUTO(fault_list) more = fault_list_create();
    cr_assert_eq(add_connection(catalog, "[]", more), ERR_INVALID);
    cr_assert_eq(fault_list_count(more), 1, "%s", fixture_text(more));
    cr_assert(fixture_fault(more, "", "must be an object"), "%s", fixture_text(more));
}

Test(catalog, iclient_of_another_tenant_is_out_of_reach_by_id_too)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{'tenant':'t'}", faults), OK);
    char by_id[128];
    snprintf(by_id, sizeof by_id, "{'name':'c','iClient':'%s'}", iclient_id(catalog_iclient_at(catalog, 0)));
    cr_assert_eq(add_connection(catalog, by_id, faults), ERR_INVALID);
}

Test(catalog, connections_of_an_iclient_with_faults_are_told_once)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{'oauth2':{'clientId':5}}", faults), ERR_INVALID);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(add_connection(catalog, "{'name':'c','iClient':'crm'}", faults), ERR_INVALID);
    cr_assert_eq(fault_list_count(faults), 2, "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/iClient", "faults of its own"));
}

Test(catalog, implicit_connection_that_lacks_a_value_is_a_warning)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(add_iclient(catalog, "{'oauth2':{'authParams':{'a':'{{{connection.settings.shop}}}'}}}", faults), OK);
    cr_assert_eq(add_iclient(catalog, "{'name':'pw','oauth2':{'grantType':'password'}}", faults), OK);
    cr_assert_eq(add_iclient(catalog,
                             "{'name':'host','settings':{'h':'evil.test'},'oauth2':{'validDomainNames':['example.com'],"
                             "'token':{'uri':'https://{{{connection.settings.h}}}/'}}}",
                             faults),
                 OK);
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    cr_assert(fixture_fault(faults, "/oauth2/token/uri", "evil.test"), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "", "connection.settings.shop"), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "", "username"), "%s", fixture_text(faults));
    cr_assert_not(fault_list_has_errors(faults));
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The bound is loose, for sanitizers and busy machines: a quadratic scan would miss it by far. */
Test(catalog, very_many_documents_load_in_linear_time)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    const double start = seconds_now();
    for (int i = 0; i < 10000; i++) {
        AUTO_JSON document = fixture_document("{}");
        char name[32];
        snprintf(name, sizeof name, "client%d", i);
        json_object_set_new(document, "name", json_string(name));
        cr_assert_eq(catalog_add_iclient(catalog, document, "i.json", faults), OK);
    }
    for (int i = 0; i < 100000; i++) {
        char name[32];
        char reference[32];
        snprintf(name, sizeof name, "connection%d", i);
        snprintf(reference, sizeof reference, "client%d", i / 10);
        AUTO_JSON document = json_pack("{s:s,s:s,s:s}", "name", name, "iClient", reference, "username", name);
        cr_assert_eq(catalog_add_connection(catalog, document, "c.json", faults), OK);
    }
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    cr_assert_eq(catalog_connection_count(catalog), 100000);
    cr_assert_not_null(catalog_find_connection(catalog, "default", "connection99999"));
    cr_assert_lt(seconds_now() - start, 30.0);
}
