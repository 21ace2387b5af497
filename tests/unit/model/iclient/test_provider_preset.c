#include "model/fixture.h"

#include <dirent.h>

static enum status read_preset(const char *name, const char *text, struct fault_list *faults,
                               struct provider_preset **ret_preset)
{
    AUTO_JSON document = fixture_json(text);
    return provider_preset_from_json(name, document, "p.json", faults, ret_preset);
}

Test(provider_preset, keeps_name_document_and_reason)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = NULL;
    cr_assert_eq(
        read_preset("netsuite", "{'noGrant':'OAuth 1.0a','notes':['n'],'oauth2':{'scheme':'X'}}", faults, &preset), OK,
        "%s", fixture_text(faults));
    cr_assert_str_eq(provider_preset_name(preset), "netsuite");
    cr_assert_str_eq(provider_preset_no_grant(preset), "OAuth 1.0a");
    cr_assert_str_eq(json_string_value(json_read_pointer(provider_preset_document(preset), "/oauth2/scheme")), "X");
    AUTO(provider_preset) empty = provider_preset_create_empty("custom_oauth2");
    cr_assert_null(provider_preset_no_grant(empty));
    cr_assert_eq(json_object_size(provider_preset_document(empty)), 0);
}

Test(provider_preset, what_belongs_to_an_application_is_refused)
{
    static const struct {
        const char *text, *pointer, *part;
    } cases[] = {
        {"{'name':'x'}", "/name", "preset"},
        {"{'tenant':'x'}", "/tenant", "preset"},
        {"{'_id':'5d0123456789abcdef012345'}", "/_id", "preset"},
        {"{'oauth2':{'clientId':'x'}}", "/oauth2/clientId", "preset"},
        {"{'oauth2':{'clientSecret':'x'}}", "/oauth2/clientSecret", "preset"},
        {"{'jwt':{'privateKey':'x'}}", "/jwt/privateKey", "preset"},
        {"{'oauth2':{'encrypted':{}}}", "/oauth2/encrypted", "preset"},
        {"{'provider':'other'}", "/provider", "google"},
        {"{'noGrant':true}", "/noGrant", "sentence"},
        {"{'notes':[1]}", "/notes", "sentences"},
        {"{'oauth2':{'tokn':{}}}", "/oauth2/tokn", "no field"},
        {"{'oauth2':{'authParams':{'state':'x'}}}", "/oauth2/authParams/state", "daemon"},
        {"{'oauth2':{'token':{'uri':'https://a.test/{{{nope}}}'}}}", "/oauth2/token/uri", "context"},
        {"{'oauth2':{'token':{'uri':'http://a.test/'}}}", "/oauth2/token/uri", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(fault_list) faults = fault_list_create();
        struct provider_preset *preset = NULL;
        cr_expect_eq(read_preset("google", cases[i].text, faults, &preset), ERR_INVALID, "%s", cases[i].text);
        cr_expect(fixture_fault(faults, cases[i].pointer, cases[i].part), "%s:%s", cases[i].text, fixture_text(faults));
        cr_expect_eq(fault_list_count(faults), 1, "%s:%s", cases[i].text, fixture_text(faults));
    }
}

Test(provider_preset, provider_without_a_grant_says_why)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = NULL;
    cr_assert_eq(read_preset("netsuite", "{'noGrant':'it is OAuth 1.0a'}", faults, &preset), OK);
    AUTO_JSON document = fixture_json("{'name':'ns','provider':'netsuite','netsuite':{'consumerKey':'k'}}");
    AUTO(iclient) iclient = NULL;
    cr_assert_eq(fixture_read(document, preset, faults, &iclient), OK, "%s", fixture_text(faults));
    cr_assert_eq(iclient_grant(iclient), GRANT_NONE);
    cr_assert_str_eq(iclient_no_grant_reason(iclient), "it is OAuth 1.0a");
    AUTO(iclient) own = fixture_iclient_over("{}", preset);
    cr_assert_eq(iclient_grant(own), GRANT_AUTHORIZATION_CODE);
    cr_assert_null(iclient_no_grant_reason(own));
}

Test(provider_preset, host_that_only_the_iclient_knows_wants_its_valid_domain_names)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = NULL;
    cr_assert_eq(
        read_preset("acme", "{'oauth2':{'revoke':{'uri':'https://{{{connection.settings.h}}}/r'}}}", faults, &preset),
        OK, "%s", fixture_text(faults));
    AUTO_JSON document = fixture_document("{}");
    struct iclient *iclient = NULL;
    cr_assert_eq(fixture_read(document, preset, faults, &iclient), ERR_INVALID);
    cr_assert(fixture_fault(faults, "/oauth2/revoke/uri", "validDomainNames"), "%s", fixture_text(faults));
    iclient_destroy(fixture_iclient_over("{'oauth2':{'validDomainNames':['example.com']}}", preset));
}

Test(provider_preset, uris_of_an_iclients_own_are_valid_beside_the_presets_domain_names)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = NULL;
    cr_assert_eq(read_preset("acme",
                             "{'oauth2':{'validDomainNames':['acme.test'],'revoke':{'uri':'https://api.acme.test/r'},"
                             "'refresh':{'uri':'https://{{{connection.settings.h}}}.acme.test/r'}}}",
                             faults, &preset),
                 OK, "%s", fixture_text(faults));
    AUTO(iclient) iclient = fixture_iclient_over("{}", preset);
    static const struct {
        const char *url;
        enum status expected;
    } cases[] = {
        {"https://login.example.com/token", OK}, {"https://x.login.example.com/", ERR_DENIED},
        {"https://example.com/", ERR_DENIED},    {"https://api.acme.test/r", OK},
        {"https://eu.api.acme.test/r", OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(url_policy_check_text(iclient_url_policy(iclient), cases[i].url, NULL), cases[i].expected, "%s",
                     cases[i].url);
    AUTO_JSON document = fixture_document("{'oauth2':{'validDomainNames':['acme.test']}}");
    struct iclient *listed = NULL;
    cr_expect_eq(fixture_read(document, preset, faults, &listed), ERR_INVALID);
    cr_expect(fixture_fault(faults, "/oauth2/token/uri", "valid domain names"), "%s", fixture_text(faults));
    AUTO_JSON astray =
        fixture_document("{'oauth2':{'token':{'uri':'https://{{{connection.settings.h}}}.evil.test/'}}}");
    AUTO(fault_list) astray_faults = fault_list_create();
    cr_expect_eq(fixture_read(astray, preset, astray_faults, &listed), ERR_INVALID);
    cr_expect(fixture_fault(astray_faults, "/oauth2/token/uri", "valid domain names"), "%s",
              fixture_text(astray_faults));
}

/* Every preset that is shipped holds, under its file's name. */
Test(provider_preset, shipped_presets_are_without_fault)
{
    static const char folder[] = TEST_SOURCE_DIR "/conf/providers";
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory);
    size_t count = 0;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char path[1024];
        char name[256];
        const char *ending = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.' || !ending || strcmp(ending, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(name, sizeof name, "%.*s", (int)(ending - entry->d_name), entry->d_name);
        json_error_t error;
        AUTO_JSON document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
        cr_assert_not_null(document, "%s: line %d: %s", entry->d_name, error.line, error.text);
        AUTO(fault_list) faults = fault_list_create();
        AUTO(provider_preset) preset = NULL;
        cr_expect_eq(provider_preset_from_json(name, document, entry->d_name, faults, &preset), OK, "%s",
                     fixture_text(faults));
        cr_expect_eq(fault_list_count(faults), 0, "%s", fixture_text(faults));
        count++;
    }
    closedir(directory);
    cr_assert_geq(count, 3);
}
