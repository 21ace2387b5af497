#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/iclient/iclient_field.h"

Test(iclient_field, every_row_is_found_by_its_own_pointer)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        char parent[128];
        strcpy(parent, iclient_field_row(field)->pointer);
        char *slash = strrchr(parent, '/');
        *slash = '\0';
        cr_assert_eq(iclient_field_find(parent, slash + 1), field, "%s", iclient_field_row(field)->pointer);
        cr_assert(parent[0] == '\0' || iclient_field_group("", parent + 1) || strchr(parent + 1, '/'));
    }
}

Test(iclient_field, every_default_is_json_and_every_choice_field_has_choices)
{
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        AUTO_JSON fallback = row->fallback ? json_loads(row->fallback, JSON_DECODE_ANY, NULL) : NULL;
        cr_assert(!row->fallback || fallback, "%s", row->pointer);
        cr_assert(row->kind != FIELD_CHOICE || row->choices, "%s", row->pointer);
    }
}

Test(iclient_field, groups_and_names_of_other_levels_are_told_apart)
{
    cr_assert_str_eq(iclient_field_group("/oauth2", "token"), "/oauth2/token");
    cr_assert_null(iclient_field_group("", "token"));
    cr_assert_null(iclient_field_group("/oauth2", "clientId"));
    cr_assert_eq(iclient_field_find("", "clientId"), ICLIENT_FIELD_COUNT);
    cr_assert_eq(iclient_field_find("/oauth2", "clientId"), ICLIENT_CLIENT_ID);
    cr_assert_eq(iclient_field_find("/salesforce", "clientId"), ICLIENT_SALESFORCE_CLIENT_ID);
}

Test(iclient_field, unknown_name_leads_to_the_nearest_known_one)
{
    static const struct {
        const char *parent, *name, *nearest;
    } cases[] = {
        {"/oauth2", "clientID", "clientId"},
        {"/oauth2", "grant_type", "grantType"},
        {"/oauth2", "tokn", "token"},
        {"", "clientSecret", "/oauth2/clientSecret"},
        {"", "oauth", "oauth2"},
        {"", "token", "/oauth2/token"},
        {"/oauth2", "JWT", "/jwt"},
        {"/oauth2/token", "url", "uri"},
        {"", "zzzzzzzzzzzz", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = iclient_field_nearest(cases[i].parent, cases[i].name);
        if (!cases[i].nearest)
            cr_assert_null(nearest, "%s", nearest);
        else
            cr_assert_str_eq(nearest, cases[i].nearest, "%s: %s", cases[i].name, nearest);
    }
}

Test(iclient_field, template_path_is_split_into_field_and_rest)
{
    const char *rest = NULL;
    cr_assert_eq(iclient_field_find_path("oauth2.unencrypted.a.b", &rest), ICLIENT_UNENCRYPTED);
    cr_assert_str_eq(rest, "a.b");
    cr_assert_eq(iclient_field_find_path("name", &rest), ICLIENT_NAME);
    cr_assert_str_eq(rest, "");
    cr_assert_eq(iclient_field_find_path("settingsFor", &rest), ICLIENT_FIELD_COUNT);
    cr_assert_eq(iclient_field_find_path("oauth2", &rest), ICLIENT_FIELD_COUNT);
}
