#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_path.h"
#include "base/json/json_read.h"

static json_t *parse(const char *text)
{
    json_t *document = NULL;
    cr_assert_eq(json_read_text(text, strlen(text), &document, NULL), OK, "%s", text);
    return document;
}

static struct json_path *compile(const char *text)
{
    struct json_path *path = NULL;
    struct error error = {0};
    cr_assert_eq(json_path_compile(text, &path, &error), OK, "%s: %s", text, error.message);
    return path;
}

static bool append(void *context, json_t *value)
{
    char *list = context;
    strcat(list, *list ? "," : "");
    strcat(list, json_string_value(value));
    return false;
}

/* The strings that a path leads to, joined with commas. */
static void find(const char *text, const json_t *document, char list[static 128])
{
    AUTO(json_path) path = compile(text);
    list[0] = '\0';
    cr_expect_not(json_path_each(path, document, append, list));
}

static const char sample[] =
    "{\"a\":{\"b\":\"1\",\"c.d\":\"2\",\"\":\"9\"},\"x.y\":\"3\",\"list\":[{\"t\":\"4\"},[\"5\",\"6\"],{\"t\":\"7\"}],"
    "\"0\":\"8\",\"list.1.0\":\"shadowed\",\"user.id\":{\"n.m\":\"10\"},\"o\":{\"0\":\"11\",\"it's\":\"12\"},"
    "\"@odata.error\":\"13\",\"$x\":\"14\",\"caf\\u00e9\":\"15\",\"e\":[],\"a b\":\"16\",\"x[0]\":\"17\"}";

Test(json_path, every_notation_leads_to_the_same_values)
{
    static const struct {
        const char *path, *found;
    } cases[] = {
        {"a.b", "1"},
        {"$.a.b", "1"},
        {"$['a']['b']", "1"},
        {"$[\"a\"].b", "1"},
        {"['a'].b", "1"},
        {"a['b']", "1"},
        {"list.0.t", "4"},
        {"list[0].t", "4"},
        {"$.list[0].t", "4"},
        {"$['list'][0]['t']", "4"},
        {"list[1][0]", "5"},
        {"list.1[1]", "6"},
        {"list.*.t", "4,7"},
        {"list[*].t", "4,7"},
        {"$.list[*]['t']", "4,7"},
        {"list.1.*", "5,6"},
        {"list.*.*", "5,6"},
        {"*", ""},
        {"a.*", ""},
        {"e.*", ""},
        /* A name with dots in it, found when the steps lead nowhere. */
        {"a.c.d", "2"},
        {"x.y", "3"},
        {"list.1.0", "5"},
        {"$.x.y", "3"},
        {"$['x.y']", "3"},
        {"@odata.error", "13"},
        {"['user.id']['n.m']", "10"},
        {"['user.id'].n.m", "10"},
        {"['list.1.0']", "shadowed"},
        {"x[0]", "17"},
        {"0", "8"},
        {"$[0]", "8"},
        {"['0']", "8"},
        {"o[0]", "11"},
        {"o[\"it's\"]", "12"},
        {"list['0'].t", ""},
        {"a['']", "9"},
        {"$x", "14"},
        {"caf\xC3\xA9", "15"},
        {"a b", "16"},
        {"['x[0]']", "17"},
        {"missing", ""},
        {"a.b.c", ""},
        {"list.3", ""},
        {"list.01", ""},
        {"list[999999999]", ""},
        {"A.b", ""},
        {"list.-1", ""},
        {"list.99999999999999999999", ""},
    };
    AUTO_JSON document = parse(sample);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char list[128];
        find(cases[i].path, document, list);
        cr_expect_str_eq(list, cases[i].found, "%s gave \"%s\"", cases[i].path, list);
        find(cases[i].path, NULL, list);
        cr_expect_str_empty(list, "%s leads somewhere in nothing", cases[i].path);
    }
}

Test(json_path, any_other_notation_is_refused_with_its_place)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"", "character 1"},
        {"$", "character 2"},
        {".a", "character 1"},
        {"a.", "character 3"},
        {"a..b", "character 3"},
        {"$..a", "character 3"},
        {"$a.", "character 4"},
        {"a[", "character 3"},
        {"a[]", "character 3"},
        {"a[-1]", "character 3"},
        {"a[01]", "character 3"},
        {"a[0:2]", "character 3"},
        {"a[?(@.b)]", "character 3"},
        {"a['b", "character 3"},
        {"a['b'", "character 6"},
        {"a['b',c]", "character 6"},
        {"a['b\\'c']", "backslash"},
        {"a[b]", "character 3"},
        {"a[0]b", "character 5"},
        {"a]", "character 2"},
        {"a*", "character 2"},
        {"*a", "character 1"},
        {"a.b()", "character 4"},
        {"a|b", "character 2"},
        {"a,b", "character 2"},
        {"{{{a}}}", "character 1"},
        {"https://as.example.com/x", "character 7"},
        {"a'b", "character 2"},
        {"a[1000000000]", "character 3"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "more than 32 steps"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_path *path = NULL;
        struct error error = {0};
        cr_expect_eq(json_path_compile(cases[i].path, &path, &error), ERR_INVALID, "%s is taken", cases[i].path);
        cr_expect_null(path);
        cr_expect(strstr(error.message, cases[i].says), "%s: %s", cases[i].path, error.message);
    }
}

static bool stop(void *context, json_t *value)
{
    *(json_t **)context = value;
    return true;
}

Test(json_path, a_visit_can_end_the_search)
{
    AUTO_JSON document = parse("{\"l\":[{\"t\":\"1\"},{\"t\":\"2\"}]}");
    AUTO(json_path) path = compile("l.*.t");
    json_t *first = NULL;
    cr_assert(json_path_each(path, document, stop, &first));
    cr_assert_str_eq(json_string_value(first), "1");
}

Test(json_path, says_what_it_is)
{
    static const struct {
        const char *path, *name;
        bool is_many;
    } cases[] = {{"error", "error", false}, {"a.b", NULL, false},   {"$.error", NULL, false},
                 {"*", NULL, true},         {"a[*].b", NULL, true}, {"['*']", NULL, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(json_path) path = compile(cases[i].path);
        const char *name = json_path_single_name(path);
        cr_expect_eq(json_path_is_many(path), cases[i].is_many, "%s", cases[i].path);
        cr_expect_str_eq(name ? name : "", cases[i].name ? cases[i].name : "", "%s", cases[i].path);
    }
}
