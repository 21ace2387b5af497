#include <criterion/criterion.h>
#include <string.h>

#include "model/reply/token_binding.h"

/* One part of a binding that is not as below. */
struct change {
    enum binding_part part;
    const char *value; /* NULL: absent */
};
#define UNCHANGED                                                                                                      \
    {                                                                                                                  \
        BINDING_GRANT, "authorizecode"                                                                                 \
    }

static const char *const granted_values[BINDING_PART_COUNT] = {
    [BINDING_GRANT] = "authorizecode",
    [BINDING_CLIENT] = "id",
    [BINDING_TOKEN_ORIGIN] = "https://a.example",
    [BINDING_REFRESH_ORIGIN] = "https://a.example",
    [BINDING_SCOPE] = "a b",
};

static struct token_binding *make(const struct change *changes, size_t count)
{
    const char *values[BINDING_PART_COUNT];
    memcpy(values, granted_values, sizeof values);
    for (size_t i = 0; i < count; i++)
        values[changes[i].part] = changes[i].value;
    struct token_binding *binding = token_binding_create(values);
    cr_assert_not_null(binding);
    return binding;
}

static const struct {
    struct change stored, present;
    enum binding_part conflict;
} conflicts[] = {
    {UNCHANGED, UNCHANGED, BINDING_PART_COUNT},
    {UNCHANGED, {BINDING_CLIENT, "other"}, BINDING_CLIENT},
    {UNCHANGED, {BINDING_CLIENT, NULL}, BINDING_CLIENT},
    {UNCHANGED, {BINDING_GRANT, "password"}, BINDING_GRANT},
    {UNCHANGED, {BINDING_TOKEN_ORIGIN, "https://b.example"}, BINDING_TOKEN_ORIGIN},
    {UNCHANGED, {BINDING_TOKEN_ORIGIN, "http://a.example"}, BINDING_TOKEN_ORIGIN},
    /* What cannot be rendered now is not sent to now. */
    {UNCHANGED, {BINDING_TOKEN_ORIGIN, NULL}, BINDING_PART_COUNT},
    /* A revoke URI that is new: at a server that knows the tokens, or elsewhere. */
    {UNCHANGED, {BINDING_REVOKE_ORIGIN, "https://a.example"}, BINDING_PART_COUNT},
    {UNCHANGED, {BINDING_REVOKE_ORIGIN, "https://b.example"}, BINDING_REVOKE_ORIGIN},
    {{BINDING_USERNAME, "u"}, {BINDING_USERNAME, "v"}, BINDING_USERNAME},
    {UNCHANGED, {BINDING_SCOPE, "c"}, BINDING_PART_COUNT},
    {{BINDING_FINGERPRINT, "ab"}, UNCHANGED, BINDING_FINGERPRINT},
};

Test(token_binding, names_the_part_that_is_another)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof conflicts[0]; i++) {
        AUTO(token_binding) stored = make(&conflicts[i].stored, 1);
        AUTO(token_binding) present = make(&conflicts[i].present, 1);
        cr_expect_eq(token_binding_conflict(stored, present), conflicts[i].conflict, "row %zu", i);
    }
    AUTO(token_binding) present = make(&conflicts[0].present, 1);
    cr_expect_eq(token_binding_conflict(NULL, present), BINDING_FINGERPRINT);
}

static const struct {
    const char *granted, *refreshed, *wanted;
    enum asked_change change;
    const char *after; /* the refresh: what its tokens were asked with, NULL: the whole grant */
} scopes[] = {
    {"a b", NULL, "b a", ASKED_SAME, NULL},     {"a b", NULL, "a", ASKED_NARROWER, "a"},
    {"a b", NULL, "a c", ASKED_OTHER, NULL},    {"a b", NULL, NULL, ASKED_OTHER, NULL},
    {NULL, NULL, "a", ASKED_OTHER, NULL},       {NULL, NULL, NULL, ASKED_SAME, NULL},
    {"a b c", "a b", "a b", ASKED_SAME, "a b"}, {"a b c", "a b", "c", ASKED_NARROWER, "c"},
    {"a b", "a", "a b", ASKED_WHOLE, NULL},     {"a b", "a", "d", ASKED_OTHER, NULL},
};

Test(token_binding, a_refresh_asks_for_no_more_than_was_granted)
{
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        const struct change of_stored[] = {{BINDING_SCOPE, scopes[i].granted},
                                           {BINDING_REFRESHED_SCOPE, scopes[i].refreshed}};
        const struct change of_present = {BINDING_SCOPE, scopes[i].wanted};
        AUTO(token_binding) stored = make(of_stored, 2);
        AUTO(token_binding) present = make(&of_present, 1);
        enum binding_part part;
        cr_expect_eq(token_binding_asked(stored, present, &part), scopes[i].change, "row %zu", i);
        AUTO(token_binding) after = token_binding_refreshed(stored, present);
        const char *refreshed = token_binding_value(after, BINDING_REFRESHED_SCOPE);
        cr_expect_str_eq(refreshed ? refreshed : "", scopes[i].after ? scopes[i].after : "", "row %zu", i);
        const char *granted = token_binding_value(after, BINDING_SCOPE);
        cr_expect_str_eq(granted ? granted : "", scopes[i].granted ? scopes[i].granted : "", "row %zu", i);
    }
}

static const struct {
    struct change change;
    enum binding_part endpoint;
    const char *client_id, *url;
    enum status status;
    const char *words;
} requests[] = {
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "id", "https://a.example/other/path?q=1", OK, ""},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "id", "https://A.EXAMPLE:443/", OK, ""},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "id", "https://b.example/token", ERR_DENIED, "belong to https://a.example"},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "id", "https://b.example/token", ERR_DENIED, "not sent to https://b.example"},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "id", "http://a.example/token", ERR_DENIED, "not sent to http://a.example"},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "id", "https://a.example:8443/", ERR_DENIED, "https://a.example:8443"},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, "other", "https://a.example/token", ERR_DENIED, "another client id"},
    {UNCHANGED, BINDING_REFRESH_ORIGIN, NULL, "https://a.example/token", ERR_DENIED, "another client id"},
    {UNCHANGED, BINDING_REVOKE_ORIGIN, "id", "https://a.example/revoke", OK, ""},
    {UNCHANGED, BINDING_REVOKE_ORIGIN, "id", "https://b.example/revoke", ERR_DENIED, "https://b.example"},
    {{BINDING_REVOKE_ORIGIN, "https://c.example"},
     BINDING_REVOKE_ORIGIN,
     "id",
     "https://a.example/revoke",
     ERR_DENIED,
     "belong to https://c.example"},
    {{BINDING_FINGERPRINT, "ab"}, BINDING_REVOKE_ORIGIN, "id", "https://a.example/revoke", ERR_DENIED, "not known"},
};

Test(token_binding, the_last_look_lets_a_request_go_to_its_own_server_alone)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        AUTO(token_binding) binding = make(&requests[i].change, 1);
        struct error error = {0};
        enum status status =
            token_binding_check_request(binding, requests[i].endpoint, requests[i].client_id, requests[i].url, &error);
        cr_expect_eq(status, requests[i].status, "row %zu: %s", i, error.message);
        cr_expect(strstr(error.message, requests[i].words), "row %zu: %s", i, error.message);
    }
}
