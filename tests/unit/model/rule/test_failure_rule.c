#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "model/rule/failure_rule.h"

static json_t *parse(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    cr_assert(!text || value, "%s", text);
    return value;
}

static struct failure_rules *rules_from(const char *rule_text)
{
    struct failure_rules *rules = failure_rules_create();
    AUTO_JSON rule = parse(rule_text);
    struct error error = {0};
    cr_assert_eq(failure_rules_add_json(rules, rule, &error), OK, "%s: %s", rule_text, error.message);
    return rules;
}

Test(failure_rule, matches_when_every_part_that_it_has_matches)
{
    static const struct {
        const char *rule;
        int status;
        const char *body;
        bool matches;
    } cases[] = {
        /* status alone */
        {"{\"statusCode\":403}", 403, NULL, true},
        {"{\"statusCode\":403}", 401, NULL, false},
        {"{\"statusCode\":403}", 403, "{}", true},
        {"{\"statusCode\":403.0}", 403, "{}", true},
        /* path alone: what counts */
        {"{\"path\":\"error\"}", 200, "{\"error\":\"invalid_auth\"}", true},
        {"{\"path\":\"error\"}", 500, "{\"error\":1}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":true}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":{}}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":\"0\"}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":\"false\"}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":-1}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":0.5}", true},
        {"{\"path\":\"error\"}", 200, "{\"error\":null}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":false}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":0}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":0.0}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":-0.0}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":\"\"}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":[]}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":[0,\"\",null]}", false},
        {"{\"path\":\"error\"}", 200, "{\"error\":[0,\"x\"]}", true},
        {"{\"path\":\"error\"}", 200, "{}", false},
        {"{\"path\":\"error\"}", 200, "{\"Error\":\"x\"}", false},
        {"{\"path\":\"error\"}", 200, "[]", false},
        {"{\"path\":\"error\"}", 200, "\"error\"", false},
        {"{\"path\":\"error\"}", 200, NULL, false},
        {"{\"path\":\"error\",\"values\":[]}", 200, "{\"error\":\"x\"}", true},
        {"{\"path\":\"error\",\"values\":\"\"}", 200, "{\"error\":\"x\"}", true},
        {"{\"path\":\"error\",\"values\":\" , ,\"}", 200, "{\"error\":\"x\"}", true},
        /* steps */
        {"{\"path\":\"errors.0.code\"}", 200, "{\"errors\":[{\"code\":\"x\"}]}", true},
        {"{\"path\":\"errors.1.code\"}", 200, "{\"errors\":[{\"code\":\"x\"}]}", false},
        {"{\"path\":\"0.code\"}", 200, "[{\"code\":\"x\"}]", true},
        {"{\"path\":\"$.errorMessage\"}", 200, "{\"errorMessage\":\"x\"}", true},
        {"{\"path\":\"$['a']['b']\"}", 200, "{\"a\":{\"b\":\"x\"}}", true},
        {"{\"path\":\"$.errors[1].code\"}", 200, "{\"errors\":[{},{\"code\":1}]}", true},
        {"{\"path\":\"errors.*.code\",\"values\":[\"b\"]}", 200, "{\"errors\":[{\"code\":\"a\"},{\"code\":\"b\"}]}",
         true},
        {"{\"path\":\"errors[*].code\",\"values\":[\"c\"]}", 200, "{\"errors\":[{\"code\":\"a\"},{\"code\":\"b\"}]}",
         false},
        {"{\"path\":\"errors.*.code\"}", 200, "{\"errors\":[{\"code\":0},{\"code\":\"\"},{}]}", false},
        {"{\"path\":\"errors.*\"}", 200, "{\"errors\":[]}", false},
        {"{\"path\":\"/r/error\"}", 200, "{\"r\":{\"error\":\"x\"},\"/r/error\":\"x\"}", false},
        /* values: exact, as strings */
        {"{\"path\":\"e\",\"values\":[\"a\",\"b\"]}", 200, "{\"e\":\"b\"}", true},
        {"{\"path\":\"e\",\"values\":[\"a\",\"b\"]}", 200, "{\"e\":\"B\"}", false},
        {"{\"path\":\"e\",\"values\":[\"a\"]}", 200, "{\"e\":\"a \"}", false},
        {"{\"path\":\"e\",\"values\":[\"a\"]}", 200, "{\"e\":\"ab\"}", false},
        {"{\"path\":\"e\",\"values\":[\"ab\"]}", 200, "{\"e\":\"a\"}", false},
        {"{\"path\":\"e\",\"values\":[\"a\"]}", 200, "{\"e\":\"\"}", false},
        {"{\"path\":\"e\",\"values\":[\"401\"]}", 200, "{\"e\":401}", true},
        {"{\"path\":\"e\",\"values\":[401]}", 200, "{\"e\":\"401\"}", true},
        {"{\"path\":\"e\",\"values\":[401]}", 200, "{\"e\":401.0}", true},
        {"{\"path\":\"e\",\"values\":[\"0.1\"]}", 200, "{\"e\":0.1}", true},
        {"{\"path\":\"ok\",\"values\":[false]}", 200, "{\"ok\":false}", true},
        {"{\"path\":\"ok\",\"values\":[\"false\"]}", 200, "{\"ok\":false}", true},
        {"{\"path\":\"ok\",\"values\":[false]}", 200, "{\"ok\":true}", false},
        {"{\"path\":\"ok\",\"values\":[false]}", 200, "{\"ok\":0}", false},
        {"{\"path\":\"e\",\"values\":[\"0\"]}", 200, "{\"e\":0}", true},
        {"{\"path\":\"e\",\"values\":[\"null\"]}", 200, "{\"e\":null}", true},
        {"{\"path\":\"e\",\"values\":[\"null\"]}", 200, "{}", false},
        {"{\"path\":\"e\",\"values\":[\"\"]}", 200, "{\"e\":\"\"}", true},
        {"{\"path\":\"e\",\"values\":[\"a, b\"]}", 200, "{\"e\":\"a, b\"}", true},
        {"{\"path\":\"e\",\"values\":\"a, b c ,d\"}", 200, "{\"e\":\"b c\"}", true},
        {"{\"path\":\"e\",\"values\":\"a, b c ,d\"}", 200, "{\"e\":\"d\"}", true},
        {"{\"path\":\"e\",\"values\":\"a, b c ,d\"}", 200, "{\"e\":\" b c \"}", false},
        {"{\"path\":\"e\",\"values\":[\"b\"]}", 200, "{\"e\":[\"a\",\"b\"]}", true},
        {"{\"path\":\"e\",\"values\":[\"c\"]}", 200, "{\"e\":[\"a\",\"b\"]}", false},
        {"{\"path\":\"e\",\"values\":[\"b\"]}", 200, "{\"e\":[[\"b\"]]}", false},
        {"{\"path\":\"e\",\"values\":[\"b\"]}", 200, "{\"e\":{\"b\":\"b\"}}", false},
        {"{\"path\":\"e\",\"values\":[\"{}\"]}", 200, "{\"e\":{}}", false},
        /* all parts */
        {"{\"statusCode\":400,\"path\":\"e\",\"values\":[\"x\"]}", 400, "{\"e\":\"x\"}", true},
        {"{\"statusCode\":400,\"path\":\"e\",\"values\":[\"x\"]}", 401, "{\"e\":\"x\"}", false},
        {"{\"statusCode\":400,\"path\":\"e\",\"values\":[\"x\"]}", 400, "{\"e\":\"y\"}", false},
        {"{\"statusCode\":400,\"path\":\"e\",\"values\":[\"x\"]}", 400, NULL, false},
        {"{\"statusCode\":400,\"path\":\"e\"}", 400, "{\"e\":1}", true},
        {"{\"statusCode\":400,\"path\":\"e\"}", 400, "{}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(failure_rules) rules = rules_from(cases[i].rule);
        AUTO_JSON body = parse(cases[i].body);
        cr_assert_eq(failure_rules_match(rules, cases[i].status, &(struct reply_document){.json = body}),
                     cases[i].matches, "%s on %d %s", cases[i].rule, cases[i].status,
                     cases[i].body ? cases[i].body : "(none)");
    }
}

Test(failure_rule, match_names_the_field_and_its_value)
{
    static const struct {
        const char *rule, *body;
        const char *path, *value; /* JSON text; NULL: by the status alone */
    } cases[] = {
        {"{\"path\":\"e.code\"}", "{\"e\":{\"code\":7}}", "e.code", "7"},
        {"{\"path\":\"ok\",\"values\":[\"false\"]}", "{\"ok\":false}", "ok", "false"},
        {"{\"path\":\"e\",\"values\":[\"b\"]}", "{\"e\":[\"a\",\"b\"]}", "e", "\"b\""},
        {"{\"path\":\"e\"}", "{\"e\":{\"a\":1}}", "e", "{\"a\":1}"},
        {"{\"statusCode\":200}", "{\"e\":1}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(failure_rules) rules = rules_from(cases[i].rule);
        AUTO_JSON body = parse(cases[i].body);
        AUTO_JSON value = cases[i].value ? json_loads(cases[i].value, JSON_DECODE_ANY, NULL) : NULL;
        AUTO_FINISH(failure_match) match = {0};
        cr_assert(failure_rules_find(rules, 200, &(struct reply_document){.json = body}, &match), "%s", cases[i].rule);
        if (cases[i].path)
            cr_assert_str_eq(match.path, cases[i].path);
        else
            cr_assert_null(match.path);
        cr_assert(value ? json_equal(match.value, value) : !match.value, "%s", cases[i].rule);
    }
}

Test(failure_rule, xml_is_judged_by_its_texts)
{
    static const struct {
        const char *rule;
        bool matches;
    } cases[] = {
        {"{\"path\":\"/r/error/code\",\"values\":[\"E2\"]}", true},
        {"{\"path\":\"/r/error/code\",\"values\":[\"E3\"]}", false},
        {"{\"path\":\"//error[2]/code\",\"values\":[\"E1\"]}", false},
        {"{\"path\":\"/r/@ok\",\"values\":[false]}", true},
        {"{\"path\":\"/r/none\"}", false},
        {"{\"path\":\"/r/empty\"}", false},
        {"{\"path\":\"plain\",\"values\":[\"p\"]}", true},
        {"{\"path\":\"error.code\"}", false},
        {"{\"statusCode\":400,\"path\":\"/r/error\"}", false},
    };
    static const char text[] = "<r ok='false'><error><code>E1</code></error><error><code> E2\n</code></error><empty/>"
                               "<plain>p</plain></r>";
    AUTO_FINISH(reply_document) document = {0};
    cr_assert_eq(xml_document_read(text, strlen(text), NULL, &document.xml, NULL), OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(failure_rules) rules = rules_from(cases[i].rule);
        cr_expect_eq(failure_rules_match(rules, 200, &document), cases[i].matches, "%s", cases[i].rule);
    }
}

Test(failure_rule, no_rules_match_nothing_and_any_rule_is_enough)
{
    AUTO(failure_rules) rules = failure_rules_create();
    cr_assert_not(failure_rules_match(rules, 401, NULL));
    cr_assert_eq(failure_rules_add(rules, 401, NULL, NULL, NULL), OK);
    cr_assert_eq(failure_rules_add(rules, 0, "error", NULL, NULL), OK);
    cr_assert_eq(failure_rules_count(rules), 2);
    AUTO_JSON body = parse("{\"error\":\"x\"}");
    cr_assert(failure_rules_match(rules, 401, NULL));
    cr_assert(failure_rules_match(rules, 200, &(struct reply_document){.json = body}));
    cr_assert_not(failure_rules_match(rules, 403, NULL));
}

Test(failure_rule, rules_that_say_nothing_or_something_else_are_refused)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "\"x\"",
        "null",
        "{\"statuscode\":401}",
        "{\"statusCode\":401,\"extra\":1}",
        "{\"statusCode\":\"401\"}",
        "{\"statusCode\":99}",
        "{\"statusCode\":600}",
        "{\"statusCode\":0}",
        "{\"statusCode\":-1}",
        "{\"statusCode\":400.5}",
        "{\"statusCode\":4294967697}",
        "{\"statusCode\":null}",
        "{\"path\":1}",
        "{\"path\":\"\"}",
        "{\"path\":null}",
        "{\"values\":[\"x\"]}",
        "{\"statusCode\":401,\"values\":[\"x\"]}",
        "{\"path\":\"e\",\"values\":1}",
        "{\"path\":\"e\",\"values\":{}}",
        "{\"path\":\"e\",\"values\":null}",
        "{\"path\":\"e\",\"values\":[{}]}",
        "{\"path\":\"e\",\"values\":[[\"x\"]]}",
        "{\"values\":[]}",
    };
    AUTO(failure_rules) rules = failure_rules_create();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_JSON rule = parse(texts[i]);
        struct error error = {0};
        cr_assert_eq(failure_rules_add_json(rules, rule, &error), ERR_INVALID, "%s", texts[i]);
        cr_assert_neq(error.message[0], '\0');
    }
    cr_assert_eq(failure_rules_count(rules), 0);
}

Test(failure_rule, flat_fields_are_checked_too)
{
    AUTO(failure_rules) rules = failure_rules_create();
    AUTO_JSON values = parse("[\"x\"]");
    cr_assert_eq(failure_rules_add(rules, 0, NULL, NULL, NULL), ERR_INVALID);
    cr_assert_eq(failure_rules_add(rules, 401, NULL, values, NULL), ERR_INVALID);
    cr_assert_eq(failure_rules_add(rules, 99, NULL, NULL, NULL), ERR_INVALID);
    cr_assert_eq(failure_rules_add(rules, 600, NULL, NULL, NULL), ERR_INVALID);
    cr_assert_eq(failure_rules_add(rules, 100, NULL, NULL, NULL), OK);
    cr_assert_eq(failure_rules_add(rules, 599, "p", values, NULL), OK);
}

Test(failure_rule, rules_and_values_have_maxima)
{
    AUTO(failure_rules) rules = failure_rules_create();
    AUTO_JSON values = json_array();
    for (int i = 0; i < FAILURE_VALUES_MAX; i++)
        json_array_append_new(values, json_integer(i));
    cr_assert_eq(failure_rules_add(rules, 0, "e", values, NULL), OK);
    json_array_append_new(values, json_integer(0));
    cr_assert_eq(failure_rules_add(rules, 0, "e", values, NULL), ERR_TOO_LARGE);
    while (failure_rules_count(rules) < FAILURE_RULES_MAX)
        cr_assert_eq(failure_rules_add(rules, 401, NULL, NULL, NULL), OK);
    cr_assert_eq(failure_rules_add(rules, 401, NULL, NULL, NULL), ERR_TOO_LARGE);
}

Test(failure_rule, to_json_gives_rules_that_read_back_the_same)
{
    AUTO(failure_rules) rules = failure_rules_create();
    AUTO_JSON values = parse("[\"a\",401,true]");
    failure_rules_add(rules, 400, "error.code", values, NULL);
    failure_rules_add(rules, 401, NULL, NULL, NULL);
    failure_rules_add(rules, 0, "e", NULL, NULL);
    AUTO_JSON written = failure_rules_to_json(rules);
    AUTO_JSON expected = parse("[{\"statusCode\":400,\"path\":\"error.code\",\"values\":[\"a\",\"401\",\"true\"]},"
                               "{\"statusCode\":401},{\"path\":\"e\"}]");
    cr_assert(json_equal(written, expected));

    AUTO(failure_rules) again = failure_rules_create();
    for (size_t i = 0; i < json_array_size(written); i++)
        cr_assert_eq(failure_rules_add_json(again, json_array_get(written, i), NULL), OK);
    AUTO_JSON rewritten = failure_rules_to_json(again);
    cr_assert(json_equal(written, rewritten));
}

Test(failure_rule, to_json_shares_nothing_with_the_rules)
{
    AUTO(failure_rules) rules = rules_from("{\"path\":\"e\",\"values\":[\"x\"]}");
    AUTO_JSON written = failure_rules_to_json(rules);
    json_array_clear(json_object_get(json_array_get(written, 0), "values"));
    AUTO_JSON body = parse("{\"e\":\"x\"}");
    cr_assert(failure_rules_match(rules, 200, &(struct reply_document){.json = body}));
}

/* A small generator with a fixed seed: the same hostile values on every run. */
static unsigned next_number(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

static json_t *make_hostile_scalar(unsigned *state)
{
    static const char *const texts[] = {"",    "0",    "1",  "-1",       "true",      "false", "null", "0.1",
                                        "1e3", "1000", " 1", "1 ",       "a",         "A",     "a,b",  "{}",
                                        "[]",  "\\",   "\"", "\xC3\xA9", "e\xCC\x81", "\x01",  "%00"};
    switch (next_number(state) % 5) {
    case 0:
        return json_integer((int)(next_number(state) % 5) - 2);
    case 1:
        return json_real(((double)(next_number(state) % 21) - 10.0) / 10.0);
    case 2:
        return json_boolean(next_number(state) % 2);
    case 3:
        return json_null();
    default:
        return json_string(texts[next_number(state) % (sizeof texts / sizeof texts[0])]);
    }
}

/* What "as JSON writes them" means, written a second time and more simply. */
static void write_reference(const json_t *value, char text[64])
{
    if (json_is_string(value))
        snprintf(text, 64, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, 64, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, 64, "%g", json_real_value(value) == 0.0 ? 0.0 : json_real_value(value));
    else
        snprintf(text, 64, "%s", json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}

Test(failure_rule, values_match_exactly_when_their_texts_are_equal)
{
    unsigned state = 1;
    size_t matches = 0;
    for (int run = 0; run < 20000; run++) {
        AUTO_JSON listed = make_hostile_scalar(&state);
        AUTO_JSON found = make_hostile_scalar(&state);
        AUTO_JSON rule = json_pack("{s:s,s:[O]}", "path", "e", "values", listed);
        AUTO_JSON body = json_pack("{s:O}", "e", found);
        AUTO(failure_rules) rules = failure_rules_create();
        cr_assert_eq(failure_rules_add_json(rules, rule, NULL), OK);
        char listed_text[64];
        char found_text[64];
        write_reference(listed, listed_text);
        write_reference(found, found_text);
        const bool equal = strcmp(listed_text, found_text) == 0;
        matches += equal;
        cr_assert_eq(failure_rules_match(rules, 200, &(struct reply_document){.json = body}), equal, "%s and %s",
                     listed_text, found_text);
    }
    cr_assert_gt(matches, 200, "the generator makes some that match");
}

Test(failure_rule, array_matches_exactly_when_an_element_does)
{
    unsigned state = 2;
    for (int run = 0; run < 5000; run++) {
        AUTO_JSON listed = make_hostile_scalar(&state);
        AUTO_JSON elements = json_array();
        AUTO_JSON rule =
            run % 2 ? json_pack("{s:s,s:[O]}", "path", "e", "values", listed) : json_pack("{s:s}", "path", "e");
        AUTO(failure_rules) rules = failure_rules_create();
        cr_assert_eq(failure_rules_add_json(rules, rule, NULL), OK);
        bool any = false;
        for (unsigned i = next_number(&state) % 5; i > 0; i--) {
            AUTO_JSON element = make_hostile_scalar(&state);
            AUTO_JSON alone = json_pack("{s:O}", "e", element);
            any = any || failure_rules_match(rules, 200, &(struct reply_document){.json = alone});
            json_array_append(elements, element);
        }
        AUTO_JSON body = json_pack("{s:O}", "e", elements);
        cr_assert_eq(failure_rules_match(rules, 200, &(struct reply_document){.json = body}), any);
    }
}
