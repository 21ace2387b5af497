#include <criterion/criterion.h>
#include <string.h>

#include "service/api/route.h"

static void handler(struct api_request *request)
{
    (void)request;
}

static const struct route routes[] = {
    {HTTP_VERB_GET, "/v1/token/*", NEED_ACCESS, 0, handler},
    {HTTP_VERB_POST, "/v1/token/*/rejected", NEED_ACCESS, 10, handler},
    {HTTP_VERB_GET, "/v1/things/*/parts/*", NEED_ACCESS, 0, handler},
    {HTTP_VERB_PUT, "/v1/things/*/parts/*", NEED_ACCESS, 0, handler},
    {HTTP_VERB_GET, "/healthz", NEED_ANYBODY, 0, handler},
};
static const struct route_table exact = {routes, sizeof routes / sizeof routes[0], false};
static const struct route_table folded = {routes, sizeof routes / sizeof routes[0], true};

static struct http_text text_of(const char *text)
{
    return (struct http_text){text, strlen(text)};
}

static bool text_is(struct http_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.data, word, text.length) == 0;
}

Test(route, finds_a_route_and_the_name_in_its_path)
{
    struct route_match match;
    cr_assert(route_find(&exact, HTTP_VERB_GET, text_of("/v1/token/crm"), &match));
    cr_assert_eq(match.route, &routes[0]);
    cr_assert(text_is(match.names[0], "crm"));
    cr_assert(route_find(&exact, HTTP_VERB_POST, text_of("/v1/token/c%72m/rejected"), &match));
    cr_assert_eq(match.route, &routes[1]);
    cr_assert(text_is(match.names[0], "c%72m"), "decoding comes later");
}

Test(route, finds_two_names)
{
    struct route_match match;
    cr_assert(route_find(&exact, HTTP_VERB_PUT, text_of("/v1/things/a/parts/b"), &match));
    cr_assert_eq(match.route, &routes[3]);
    cr_assert(text_is(match.names[0], "a"));
    cr_assert(text_is(match.names[1], "b"));
}

Test(route, other_paths_are_unknown)
{
    static const char *const paths[] = {"/",           "/v1/token",    "/v1/token/",          "/v1/token/a/b",
                                        "/v1/token//", "/healthz/",    "/healthzz",           "/health",
                                        "/v1/Token/a", "/v1/token/a/", "/v1/token//rejected", "/v1/things/a/parts/"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct route_match match;
        cr_assert_not(route_find(&exact, HTTP_VERB_GET, text_of(paths[i]), &match), "%s", paths[i]);
        cr_assert_null(match.route);
        cr_assert(match.allowed_verbs == 0, "%s", paths[i]);
    }
}

Test(route, a_slash_at_the_end_is_ignored_where_case_is)
{
    static const struct {
        const char *path;
        bool is_found;
    } paths[] = {
        {"/healthz/", true},    {"/v1/token/a/", true},   {"/v1/Things/a/parts/b/", true}, {"/healthz//", false},
        {"/v1/token//", false}, {"/v1/token/a//", false}, {"/v1/token/", false},           {"/", false},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct route_match match;
        cr_assert_eq(route_find(&folded, HTTP_VERB_GET, text_of(paths[i].path), &match), paths[i].is_found, "%s",
                     paths[i].path);
    }
}

Test(route, other_verbs_are_told_which_ones_there_are)
{
    struct route_match match;
    char allow[ROUTE_ALLOW_SIZE];
    cr_assert_not(route_find(&exact, HTTP_VERB_DELETE, text_of("/v1/things/a/parts/b"), &match));
    route_format_allow(match.allowed_verbs, allow);
    cr_assert_str_eq(allow, "GET, PUT");
    cr_assert_not(route_find(&exact, HTTP_VERB_OTHER, text_of("/healthz"), &match));
    route_format_allow(match.allowed_verbs, allow);
    cr_assert_str_eq(allow, "GET");
    route_format_allow(0x3f, allow);
    cr_assert_str_eq(allow, "GET, HEAD, POST, PUT, PATCH, DELETE");
}

Test(route, case_of_the_literal_parts_is_ignored_where_the_table_says_so)
{
    struct route_match match;
    cr_assert(route_find(&folded, HTTP_VERB_GET, text_of("/V1/toKEN/CrM"), &match));
    cr_assert(text_is(match.names[0], "CrM"));
    cr_assert_not(route_find(&folded, HTTP_VERB_GET, text_of("/v1\x0ftoken/a"), &match), "only letters fold");
}

Test(route, name_is_decoded)
{
    static const struct {
        const char *encoded;
        const char *name; /* NULL: refused */
    } cases[] = {
        {"crm", "crm"},
        {"c%72m", "crm"},
        {"%C3%a4", "\xC3\xA4"},
        {"a+b", "a+b"},
        {"%25", "%"},
        {"a%2Fb", NULL},
        {"a%2fb", NULL},
        {"%", NULL},
        {"%4", NULL},
        {"%zz", NULL},
        {"a%00b", NULL},
        {"a%0ab", NULL},
        {"a%7f", NULL},
        {"%4g", NULL},
        {"123456789012345", "123456789012345"},
        {"1234567890123456", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[16];
        size_t length = 0;
        bool decoded = route_decode_name(text_of(cases[i].encoded), name, sizeof name, &length);
        cr_assert_eq(decoded, cases[i].name != NULL, "%s", cases[i].encoded);
        if (decoded) {
            cr_assert_str_eq(name, cases[i].name);
            cr_assert_eq(length, strlen(name));
        }
    }
}
