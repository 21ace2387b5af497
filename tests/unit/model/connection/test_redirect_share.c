#include "model/fixture.h"

#include "model/connection/redirect_share.h"

static struct catalog *catalog_of(const char *const *documents, size_t count)
{
    struct catalog_options options = {.iclient = fixture_options};
    struct catalog *catalog = catalog_create(&options);
    AUTO(fault_list) faults = fault_list_create();
    for (size_t i = 0; i < count; i++) {
        AUTO_JSON document = fixture_document(documents[i]);
        cr_assert_eq(catalog_add_iclient(catalog, document, "a.json", faults), OK, "%s", fixture_text(faults));
    }
    cr_assert_eq(catalog_finish(catalog, faults), OK);
    return catalog;
}

#define OTHER_SERVER "'auth':{'uri':'https://other.example/a'},'token':{'uri':'https://other.example/t'}"
#define SHARED "'redirectUri':'http://127.0.0.1:8085/shared'"
#define TEMPLATED(domain)                                                                                              \
    "'auth':{'uri':'https://{{connection.settings.h}}/a'},'token':{'uri':'https://{{connection.settings.h}}/t'},"      \
    "'validDomainNames':['" domain "']"

/* Two iClients, "one" and "two", and how often the check warns of a shared redirect URI. */
static const struct {
    const char *one, *two; /* members of oauth2 */
    bool is_same_server;
    size_t warnings;
} pairs[] = {
    {SHARED, SHARED, true, 0},
    {SHARED, SHARED "," OTHER_SERVER, false, 1},
    {"", OTHER_SERVER, false, 0},
    {SHARED, "'redirectUri':'http://127.0.0.1:8085/else'," OTHER_SERVER, false, 0},
    /* one address has many hosts; the path alone tells where an answer goes */
    {SHARED, "'redirectUri':'http://localhost:8085/shared?x=1'," OTHER_SERVER, false, 1},
    /* another's default */
    {"", "'redirectUri':'http://127.0.0.1:8085/callback/one'," OTHER_SERVER, false, 1},
    /* an issuer tells them apart */
    {SHARED ",'issuer':'https://login.example'", SHARED "," OTHER_SERVER, false, 0},
    {SHARED ",'issuer':'https://login.example'", SHARED ",'issuer':'https://login.example'," OTHER_SERVER, true, 0},
    {SHARED ",'issuer':'https://login.example/{{connection.settings.h}}'",
     SHARED ",'issuer':'https://login.example/{{connection.settings.h}}'," OTHER_SERVER, false, 0},
    /* a template in the host */
    {SHARED "," TEMPLATED("example.com"), SHARED "," TEMPLATED("example.com"), true, 0},
    {SHARED "," TEMPLATED("example.com"), SHARED "," TEMPLATED("example.org"), false, 1},
};

Test(redirect_share, servers_and_places_that_are_shared)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char one[1024], two[1024];
        snprintf(one, sizeof one, "{'name':'one','oauth2':{'grantType':'authorizecode'%s%s}}", *pairs[i].one ? "," : "",
                 pairs[i].one);
        snprintf(two, sizeof two, "{'name':'two','oauth2':{'grantType':'authorizecode'%s%s}}", *pairs[i].two ? "," : "",
                 pairs[i].two);
        const char *const documents[] = {one, two};
        AUTO(catalog) catalog = catalog_of(documents, 2);
        AUTO(fault_list) faults = fault_list_create();
        cr_expect_eq(redirect_share_is_same_server(catalog_iclient_at(catalog, 0), catalog_iclient_at(catalog, 1)),
                     pairs[i].is_same_server, "row %zu", i);
        cr_assert_eq(redirect_share_check(catalog, faults), OK);
        cr_expect_eq(fault_list_count(faults), pairs[i].warnings, "row %zu: %s", i, fixture_text(faults));
        cr_expect_not(fault_list_has_errors(faults), "row %zu", i);
    }
}

Test(redirect_share, only_logins_have_a_redirect_uri)
{
    static const char *const documents[] = {"{'name':'one','oauth2':{'grantType':'clientcredentials'," SHARED "}}",
                                            "{'name':'two','oauth2':{'grantType':'authorizecode'," SHARED
                                            "," OTHER_SERVER "}}"};
    AUTO(catalog) catalog = catalog_of(documents, 2);
    struct redirect_share_query query = {.path = "/shared"};
    cr_expect_null(redirect_share_find(catalog, catalog_iclient_at(catalog, 1), &query));
    cr_expect_eq(redirect_share_find(catalog, catalog_iclient_at(catalog, 0), &query), catalog_iclient_at(catalog, 1));
}

Test(redirect_share, a_providers_name_for_the_redirect_uri_has_no_path)
{
    cr_expect_null(redirect_share_path("Acme_Ltd-AcmeL-acme-abcdef"));
    AUTO_TEXT path = redirect_share_path("http://127.0.0.1:8085/callback/crm?x=1");
    cr_expect_str_eq(path, "/callback/crm");
}

Test(redirect_share, a_presets_issuer_is_that_of_its_own_authorization_uri)
{
    AUTO_JSON document =
        fixture_json("{'oauth2':{'issuer':'https://login.example','auth':{'uri':'https://login.example/a'},"
                     "'validDomainNames':['login.example']}}");
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = NULL;
    cr_assert_eq(provider_preset_from_json("p", document, "p.json", faults, &preset), OK, "%s", fixture_text(faults));
    static const struct {
        const char *oauth2, *issuer;
    } cases[] = {
        {"'auth':{'uri':'https://login.example.com/a'}", NULL},
        {"'auth':{'uri':'https://login.example.com/a'},'issuer':'https://own.example'", "https://own.example"},
        {"'auth':null", "https://login.example"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char changes[512];
        snprintf(changes, sizeof changes, "{'provider':'p','oauth2':{'grantType':'authorizecode',%s}}",
                 cases[i].oauth2);
        AUTO(iclient) iclient = fixture_iclient_over(changes, preset);
        const char *issuer = iclient_issuer(iclient);
        cr_expect(cases[i].issuer ? issuer && strcmp(issuer, cases[i].issuer) == 0 : !issuer, "%s", cases[i].oauth2);
    }
}
