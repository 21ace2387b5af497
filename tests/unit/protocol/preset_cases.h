#ifndef TEST_PRESET_CASES_H
#define TEST_PRESET_CASES_H

#include "fixture.h"

/*
 * The cases of presets/<provider>.json, completed from preset_defaults.json. A row says what differs from the defaults
 * of its kind: a case names its kind by "grant", a request by "exchange", a reply by "reply". The "defaults" of a
 * provider's own file are merged over the common ones. "*" holds for all rows of a list. Objects are merged member by
 * member, everything else is replaced, and "$none" takes a member away.
 */

/* The member that names a row's kind. */
struct case_list {
    const char *name, *kind;
};

/* base with what row says instead; base may be NULL. Caller frees. */
static inline json_t *merge_row(const json_t *base, const json_t *row)
{
    if (!json_is_object(row))
        return json_deep_copy(row);
    json_t *merged = json_is_object(base) ? json_deep_copy(base) : json_object();
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)row, name, value) {
        const char *text = json_string_value(value);
        if (text && strcmp(text, "$none") == 0)
            cr_assert_eq(json_object_del(merged, name), 0, "\"%s\" is \"$none\", but the defaults do not have it",
                         name);
        else
            json_object_set_new(merged, name, merge_row(json_object_get(base, name), value));
    }
    return merged;
}

static inline json_t *complete_row(const json_t *defaults, const struct case_list *list, const json_t *row)
{
    const json_t *kinds = json_object_get(defaults, list->name);
    const char *kind = json_read_string(row, list->kind);
    if (!kind)
        return json_deep_copy(row);
    const json_t *of_kind = json_object_get(kinds, kind);
    const json_t *of_all = json_object_get(kinds, "*");
    cr_assert(of_all || of_kind, "no defaults for \"%s\": \"%s\"", list->kind, kind);
    AUTO_JSON both = of_kind ? merge_row(of_all, of_kind) : json_deep_copy(of_all);
    return merge_row(both, row);
}

static inline void complete_rows(const json_t *defaults, const struct case_list *list, json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        json_array_set_new(rows, i, complete_row(defaults, list, json_array_get(rows, i)));
}

/* The array of a provider's cases; caller frees. */
static inline json_t *complete_cases(const json_t *common, const json_t *document, const char *provider)
{
    static const struct case_list cases_by = {"cases", "grant"};
    static const struct case_list lists[] = {{"requests", "exchange"}, {"replies", "reply"}};
    const json_t *own = json_object_get(document, "defaults");
    AUTO_JSON defaults = own ? merge_row(common, own) : json_deep_copy(common);
    json_t *cases = json_deep_copy(json_object_get(document, "cases"));
    complete_rows(defaults, &cases_by, cases);
    size_t i;
    json_t *one;
    json_array_foreach (cases, i, one) {
        for (size_t at = 0; at < sizeof lists / sizeof lists[0]; at++)
            complete_rows(defaults, &lists[at], json_object_get(one, lists[at].name));
        json_t *iclient = json_object_get(one, "iClient");
        if (!json_object_get(iclient, "provider"))
            json_object_set_new(iclient, "provider", json_string(provider));
    }
    return cases;
}

#endif
