#include "model/connection/connection_digest.h"
#include "model/fixture.h"

#include <stdlib.h>
#include <time.h>

#include "model/catalog/catalog.h"
#include "model/catalog/catalog_edit.h"

#define ID(digit) "5d000000000000000000000" #digit

static struct catalog *new_catalog(void)
{
    const struct catalog_options options = {.iclient = fixture_options, .resolve_secrets = &fixture_resolver};
    struct catalog *catalog = catalog_create(&options);
    cr_assert_not_null(catalog);
    return catalog;
}

static struct catalog *finished_catalog(void)
{
    struct catalog *catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    return catalog;
}

/* Puts, applies, and leaves the faults to the caller. */
static enum status put_iclient(struct catalog *catalog, const char *changes, struct fault_list *faults)
{
    AUTO_JSON document = fixture_document(changes);
    AUTO(catalog_edit) edit = NULL;
    struct error error;
    enum status status = catalog_edit_put_iclient(catalog, document, faults, &edit, &error);
    if (status == OK)
        catalog_edit_apply(edit);
    return status;
}

static enum status put_connection(struct catalog *catalog, const char *text, struct fault_list *faults)
{
    AUTO_JSON document = fixture_json(text);
    AUTO(catalog_edit) edit = NULL;
    struct error error;
    enum status status = catalog_edit_put_connection(catalog, document, faults, &edit, &error);
    if (status == OK)
        catalog_edit_apply(edit);
    return status;
}

static enum status remove_iclient(struct catalog *catalog, const char *id, struct error *ret_error)
{
    AUTO(catalog_edit) edit = NULL;
    enum status status = catalog_edit_remove_iclient(catalog, id, &edit, ret_error);
    if (status == OK)
        catalog_edit_apply(edit);
    return status;
}

static enum status remove_connection(struct catalog *catalog, const char *name, struct error *ret_error)
{
    AUTO(catalog_edit) edit = NULL;
    enum status status = catalog_edit_remove_connection(catalog, "default", name, &edit, ret_error);
    if (status == OK)
        catalog_edit_apply(edit);
    return status;
}

static const char *scheme_of(const struct catalog *catalog, const char *connection)
{
    const struct connection *found = catalog_find_connection(catalog, "default", connection);
    cr_assert_not_null(found, "no connection %s", connection);
    return iclient_text(connection_iclient(found), ICLIENT_SCHEME);
}

Test(catalog_edit, new_iclient_is_found_with_its_implicit_connection)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','component':'k'}", faults), OK, "%s", fixture_text(faults));
    const struct iclient *iclient = catalog_find_iclient_by_id(catalog, ID(1));
    cr_assert_not_null(iclient);
    cr_assert_str_eq(iclient_file(iclient), "");
    cr_assert_eq(catalog_find_iclient(catalog, "default", "CRM"), iclient);
    cr_assert_eq(connection_iclient(catalog_find_connection(catalog, "default", "crm")), iclient);
    cr_assert_eq(catalog_iclient_count(catalog), 1);
    cr_assert_eq(catalog_connection_count(catalog), 1);
}

Test(catalog_edit, edit_that_is_not_applied_leaves_no_trace)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    struct error error;
    for (int i = 0; i < 2; i++) {
        AUTO_JSON document = fixture_document("{'_id':'" ID(1) "','component':'k','tenant':'t'}");
        AUTO(catalog_edit) edit = NULL;
        cr_assert_eq(catalog_edit_put_iclient(catalog, document, faults, &edit, &error), OK);
        cr_assert_eq(catalog_edit_change_count(edit), 1);
        cr_assert_null(catalog_find_iclient_by_id(catalog, ID(1)));
        cr_assert_null(catalog_find_connection(catalog, "t", "crm"));
    }
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "'}", faults), OK);
    {
        AUTO_JSON document = fixture_json("{'name':'sales','iClient':'crm'}");
        AUTO(catalog_edit) edit = NULL;
        cr_assert_eq(catalog_edit_put_connection(catalog, document, faults, &edit, &error), OK);
        cr_assert_eq(catalog_edit_change_count(edit), 2, "sales comes, the implicit one goes");
    }
    cr_assert_null(catalog_find_connection(catalog, "default", "sales"));
    cr_assert_not_null(catalog_find_connection(catalog, "default", "crm"));
    cr_assert_eq(catalog_connection_count(catalog), 1);
}

Test(catalog_edit, replaced_iclient_takes_its_connections_along)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "'}", faults), OK);
    cr_assert_eq(put_connection(catalog,
                                "{'name':'sales','iClient':'crm','scope':['a','b'],'username':'u',"
                                "'encrypted':{'k':'v'},'params':{'p':'1'},'settings':{'s':1}}",
                                faults),
                 OK, "%s", fixture_text(faults));
    cr_assert_eq(put_connection(catalog, "{'name':'by-id','iClient':'" ID(1) "'}", faults), OK);
    AUTO(connection) before = connection_hold(catalog_find_connection(catalog, "default", "sales"));
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','oauth2':{'scheme':'Token','scopeDelimiter':','}}", faults),
                 OK, "%s", fixture_text(faults));
    cr_assert_str_eq(scheme_of(catalog, "sales"), "Token");
    cr_assert_str_eq(scheme_of(catalog, "by-id"), "Token");
    const struct connection *after = catalog_find_connection(catalog, "default", "sales");
    cr_assert_str_eq(connection_scope(before), "a b");
    cr_assert_str_eq(connection_scope(after), "a,b");
    cr_assert_str_eq(connection_username(after), "u");
    AUTO_FINISH(text_buffer) secret;
    text_buffer_init(&secret, 100);
    cr_assert_eq(connection_lookup(after, "encrypted.k", &secret), OK);
    cr_assert_str_eq(text_buffer_text(&secret), "v");
    AUTO_JSON old_document = connection_to_json(before);
    AUTO_JSON new_document = connection_to_json(after);
    cr_assert(json_equal(old_document, new_document));
    cr_assert_eq(catalog_connection_count(catalog), 2);
}

Test(catalog_edit, identity_is_for_good)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "'}", faults), OK);
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','name':'other','tenant':'t'}", faults), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/name", "crm"), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/tenant", "default"), "%s", fixture_text(faults));
    cr_assert_null(catalog_find_iclient(catalog, "t", "other"));
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','version':'2'}", faults), OK, "its version may change");
    cr_assert_eq(catalog_iclient_count(catalog), 1);
}

Test(catalog_edit, connector_id_stays_once_it_is_set)
{
    static const struct {
        const char *first, *second; /* members of the two documents */
        bool is_taken;
    } cases[] = {
        {"", ",'_httpConnectorId':'" ID(7) "'", true},
        {",'_httpConnectorId':'" ID(7) "'", ",'_httpConnectorId':'" ID(7) "'", true},
        {",'_httpConnectorId':'" ID(7) "'", ",'_httpConnectorId':'" ID(8) "'", false},
        {",'_httpConnectorId':'" ID(7) "'", ",'_httpConnectorId':null", false},
        {",'_httpConnectorId':'" ID(7) "'", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(catalog) catalog = finished_catalog();
        AUTO(fault_list) faults = fault_list_create();
        char document[256];
        snprintf(document, sizeof document, "{'_id':'" ID(1) "'%s}", cases[i].first);
        cr_assert_eq(put_iclient(catalog, document, faults), OK, "%s", fixture_text(faults));
        snprintf(document, sizeof document, "{'_id':'" ID(1) "'%s}", cases[i].second);
        cr_assert_eq(put_iclient(catalog, document, faults), cases[i].is_taken ? OK : ERR_INVALID, "%s", document);
        cr_assert(cases[i].is_taken || fixture_fault(faults, "/_httpConnectorId", "cannot be changed"), "%s", document);
    }
}

Test(catalog_edit, what_is_taken_is_refused)
{
    static const struct {
        const char *second, *pointer;
    } cases[] = {
        {"{'_id':'" ID(2) "','name':'CRM','version':'V1'}", "/name"},
        {"{'_id':'" ID(2) "','name':'other','component':'k'}", "/component"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(catalog) catalog = finished_catalog();
        AUTO(fault_list) faults = fault_list_create();
        cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','version':'v1','component':'k'}", faults), OK);
        cr_assert_eq(put_iclient(catalog, cases[i].second, faults), ERR_INVALID);
        cr_assert(fixture_fault(faults, cases[i].pointer, "made through the API"), "%s", fixture_text(faults));
        cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','version':'v1','component':'k'}", faults), OK,
                     "it does not stand in its own way");
        cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','version':'v1','component':'l'}", faults), OK);
        cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(2) "','name':'other','component':'k'}", faults), OK,
                     "what it left is free: %s", fixture_text(faults));
    }
}

Test(catalog_edit, edit_that_would_break_a_connection_is_refused_and_names_it)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "'}", faults), OK);
    cr_assert_eq(put_connection(catalog, "{'name':'sales','iClient':'crm'}", faults), OK);
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','oauth2':{'grantType':'password'}}", faults), ERR_INVALID);
    cr_assert(fixture_fault(faults, "", "\"sales\""), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "", "/username"), "%s", fixture_text(faults));
    cr_assert_eq(iclient_grant(catalog_find_iclient_by_id(catalog, ID(1))), GRANT_AUTHORIZATION_CODE);
    AUTO(fault_list) more = fault_list_create();
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','oauth2':{'useIClientFields':true}}", more), OK);
    cr_assert_eq(put_connection(catalog, "{'name':'sales','iClient':'crm','scope':'x'}", more), ERR_INVALID);
    cr_assert_eq(fault_list_count(more), 1, "%s", fixture_text(more));
}

Test(catalog_edit, documents_of_files_are_read_only_and_named)
{
    AUTO(catalog) catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    AUTO_JSON iclient = fixture_document("{'_id':'" ID(1) "'}");
    AUTO_JSON unused = fixture_document("{'_id':'" ID(3) "','name':'unused'}");
    AUTO_JSON connection = fixture_json("{'name':'sales','iClient':'crm'}");
    cr_assert_eq(catalog_add_iclient(catalog, iclient, "crm.json", faults), OK);
    cr_assert_eq(catalog_add_iclient(catalog, unused, "unused.json", faults), OK);
    cr_assert_eq(catalog_add_connection(catalog, connection, "sales.json", faults), OK);
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    AUTO(catalog_edit) edit = NULL;
    struct error error;
    cr_assert_eq(catalog_edit_put_iclient(catalog, iclient, faults, &edit, &error), ERR_DENIED);
    cr_assert(strstr(error.message, "crm.json"), "%s", error.message);
    cr_assert_eq(catalog_edit_remove_iclient(catalog, ID(3), &edit, &error), ERR_DENIED);
    cr_assert(strstr(error.message, "unused.json"), "%s", error.message);
    cr_assert_eq(catalog_edit_remove_iclient(catalog, ID(1), &edit, &error), ERR_CONFLICT,
                 "that it is used comes first");
    cr_assert(strstr(error.message, "sales.json"), "%s", error.message);
    cr_assert_eq(catalog_edit_put_connection(catalog, connection, faults, &edit, &error), ERR_DENIED);
    cr_assert(strstr(error.message, "sales.json"), "%s", error.message);
    cr_assert_eq(catalog_edit_remove_connection(catalog, "default", "sales", &edit, &error), ERR_DENIED);
    cr_assert(strstr(error.message, "sales.json"), "%s", error.message);
    cr_assert_null(edit);
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(2) "'}", faults), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/name", "crm.json"), "%s", fixture_text(faults));
    cr_assert_eq(put_connection(catalog, "{'name':'more','iClient':'crm'}", faults), OK,
                 "a file's iClient may be used");
}

Test(catalog_edit, connection_without_an_iclient_tells_its_other_faults_too)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(put_connection(catalog, "{'name':'a b','iclient':'crm','active':'no'}", faults), ERR_INVALID);
    cr_assert_eq(fault_list_count(faults), 4, "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/iClient", "is required"), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/iclient", "no field"), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/name", ""), "%s", fixture_text(faults));
    cr_assert(fixture_fault(faults, "/active", ""), "%s", fixture_text(faults));
    AUTO(fault_list) more = fault_list_create();
    cr_assert_eq(put_connection(catalog, "{'iClient':'crm','scope':'x','tenant':'t'}", more), ERR_INVALID);
    cr_assert_eq(fault_list_count(more), 2, "%s", fixture_text(more));
    cr_assert_eq(catalog_connection_count(catalog), 0);
}

Test(catalog_edit, iclient_in_use_stays)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    struct error error;
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "'}", faults), OK);
    cr_assert_eq(put_connection(catalog, "{'name':'sales','iClient':'crm'}", faults), OK);
    cr_assert_eq(remove_iclient(catalog, ID(1), &error), ERR_CONFLICT);
    cr_assert(strstr(error.message, "\"sales\""), "%s", error.message);
    cr_assert_eq(remove_connection(catalog, "crm", &error), ERR_NOT_FOUND);
    cr_assert_eq(remove_connection(catalog, "sales", &error), OK);
    cr_assert_eq(remove_connection(catalog, "crm", &error), ERR_CONFLICT, "the implicit one is back");
    cr_assert_eq(remove_iclient(catalog, ID(1), &error), OK);
    cr_assert_eq(remove_iclient(catalog, ID(1), &error), ERR_NOT_FOUND);
    cr_assert_eq(catalog_iclient_count(catalog), 0);
    cr_assert_eq(catalog_connection_count(catalog), 0);
    cr_assert_null(catalog_find_connection(catalog, "default", "crm"));
}

Test(catalog_edit, references_to_files_are_refused)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(put_iclient(catalog, "{'_id':'" ID(1) "','oauth2':{'clientSecret':{'$env':'HOME'}}}", faults),
                 ERR_INVALID);
    cr_assert(fixture_fault(faults, "/oauth2/clientSecret", "write the secret itself"), "%s", fixture_text(faults));
}

/* ---- any sequence of edits ends where loading the same documents ends ---- */

enum { NAMES = 3, VERSIONS = 2, CONNECTIONS = 4, STEPS = 4000 };

struct world {
    struct catalog *catalog;
    char *iclients[NAMES * VERSIONS]; /* the documents that are there */
    char *connections[CONNECTIONS];
};

static char *iclient_text_of(int index, unsigned choice)
{
    static const char *const names[NAMES] = {"crm", "Erp", "sales"};
    static const char *const grants[] = {"authorizecode", "clientcredentials", "password"};
    char *text = NULL;
    int length = asprintf(
        &text,
        "{'_id':'5d00000000000000000000%02d','name':'%s','version':'%d','oauth2':{'grantType':'%s','scheme':'S%u'}%s}",
        index, names[index / VERSIONS], index % VERSIONS, grants[choice % 8 == 0 ? 2 : choice % 2], choice,
        choice % 5 == 0 ? ",'component':'k'" : "");
    cr_assert(length > 0);
    return text;
}

static char *connection_text_of(int index, unsigned choice)
{
    static const char *const names[CONNECTIONS] = {"one", "crm", "Erp", "sales"};
    static const char *const references[] = {"crm", "erp", "sales", "5d0000000000000000000000",
                                             "5d0000000000000000000003"};
    char *text = NULL;
    int length = asprintf(&text, "{'name':'%s','iClient':'%s'%s}", names[index], references[choice % 5],
                          choice % 3 == 0 ? ",'username':'u','password':'p'" : "");
    cr_assert(length > 0);
    return text;
}

static void keep_text(char **place, char *text, bool is_kept)
{
    if (!is_kept) {
        free(text);
        return;
    }
    free(*place);
    *place = text;
}

static void random_edit(struct world *world)
{
    AUTO(fault_list) faults = fault_list_create();
    struct error error;
    unsigned choice = (unsigned)rand();
    int iclient = rand() % (NAMES * VERSIONS);
    int connection = rand() % CONNECTIONS;
    char id[32];
    static const char *const names[CONNECTIONS] = {"one", "crm", "Erp", "sales"};
    switch (rand() % 5) {
    case 0:
    case 1: {
        char *text = iclient_text_of(iclient, choice % 100);
        keep_text(&world->iclients[iclient], text, put_iclient(world->catalog, text, faults) == OK);
        break;
    }
    case 2: {
        char *text = connection_text_of(connection, choice % 100);
        keep_text(&world->connections[connection], text, put_connection(world->catalog, text, faults) == OK);
        break;
    }
    case 3:
        snprintf(id, sizeof id, "5d00000000000000000000%02d", iclient);
        if (remove_iclient(world->catalog, id, &error) == OK)
            keep_text(&world->iclients[iclient], NULL, true);
        break;
    default:
        if (remove_connection(world->catalog, names[connection], &error) == OK)
            keep_text(&world->connections[connection], NULL, true);
    }
}

static struct catalog *load_world(const struct world *world)
{
    struct catalog *catalog = new_catalog();
    AUTO(fault_list) faults = fault_list_create();
    for (int i = 0; i < NAMES * VERSIONS; i++) {
        AUTO_JSON document = world->iclients[i] ? fixture_document(world->iclients[i]) : NULL;
        if (document)
            cr_assert_eq(catalog_add_iclient(catalog, document, "", faults), OK, "%s", fixture_text(faults));
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        AUTO_JSON document = world->connections[i] ? fixture_json(world->connections[i]) : NULL;
        if (document)
            cr_assert_eq(catalog_add_connection(catalog, document, "", faults), OK, "%s", fixture_text(faults));
    }
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    return catalog;
}

static void check_same(const struct catalog *edited, const struct catalog *loaded)
{
    cr_assert_eq(catalog_iclient_count(edited), catalog_iclient_count(loaded));
    cr_assert_eq(catalog_connection_count(edited), catalog_connection_count(loaded));
    for (size_t i = 0; i < catalog_iclient_count(loaded); i++) {
        const struct iclient *expected = catalog_iclient_at(loaded, i);
        const struct iclient *found = catalog_find_iclient_by_id(edited, iclient_id(expected));
        cr_assert_not_null(found);
        AUTO_JSON a = iclient_to_json(expected);
        AUTO_JSON b = iclient_to_json(found);
        cr_assert(json_equal(a, b));
        cr_assert_str_eq(iclient_id(catalog_find_iclient(edited, "default", iclient_name(expected))),
                         iclient_id(catalog_find_iclient(loaded, "default", iclient_name(expected))));
    }
    for (size_t i = 0; i < catalog_connection_count(loaded); i++) {
        const struct connection *expected = catalog_connection_at(loaded, i);
        const struct connection *found = catalog_find_connection(edited, "default", connection_name(expected));
        cr_assert_not_null(found, "%s", connection_name(expected));
        cr_assert_str_eq(iclient_id(connection_iclient(found)), iclient_id(connection_iclient(expected)));
        cr_assert_eq(connection_iclient(found),
                     catalog_find_iclient_by_id(edited, iclient_id(connection_iclient(found))), "the present object");
        cr_assert_eq(connection_is_implicit(found), connection_is_implicit(expected));
        char found_digest[CONNECTION_DIGEST_SIZE], expected_digest[CONNECTION_DIGEST_SIZE];
        cr_assert(connection_digest(found, found_digest) && connection_digest(expected, expected_digest));
        cr_assert_str_eq(found_digest, expected_digest);
        bool is_listed = false;
        for (size_t j = 0; j < catalog_connection_count(edited); j++)
            is_listed |= catalog_connection_at(edited, j) == found;
        cr_assert(is_listed);
    }
}

Test(catalog_edit, any_edits_end_where_loading_the_same_documents_ends)
{
    struct world world = {.catalog = finished_catalog()};
    srand(7);
    for (int i = 0; i < STEPS; i++) {
        random_edit(&world);
        AUTO(catalog) loaded = load_world(&world);
        check_same(world.catalog, loaded);
    }
    for (int i = 0; i < NAMES * VERSIONS; i++)
        free(world.iclients[i]);
    for (int i = 0; i < CONNECTIONS; i++)
        free(world.connections[i]);
    catalog_destroy(world.catalog);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The bound is loose, for sanitizers and busy machines: a rebuild for each edit would miss it by far. */
Test(catalog_edit, edits_of_a_large_catalog_cost_what_those_of_a_small_one_do)
{
    AUTO(catalog) catalog = finished_catalog();
    AUTO(fault_list) faults = fault_list_create();
    const double start = seconds_now();
    for (int i = 0; i < 10000; i++) {
        char changes[128];
        snprintf(changes, sizeof changes, "{'_id':'5d%022d','name':'n%d'}", i, i);
        cr_assert_eq(put_iclient(catalog, changes, faults), OK, "%s", fixture_text(faults));
    }
    struct error error;
    for (int i = 0; i < 10000; i++) {
        char id[32];
        snprintf(id, sizeof id, "5d%022d", i);
        cr_assert_eq(remove_iclient(catalog, id, &error), OK);
    }
    cr_assert_lt(seconds_now() - start, 20.0);
    cr_assert_eq(catalog_connection_count(catalog), 0);
}
