#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault_list.h"

Test(fault_list, keeps_faults_in_order_with_copies_of_all_texts)
{
    AUTO(fault_list) faults = fault_list_create();
    char file[] = "a.json";
    fault_list_add(faults, file, "/oauth2", "did you mean \"clientId\"?", "unknown field %s", "clientid");
    fault_list_warn(faults, "", "", NULL, "second");
    memset(file, 'x', sizeof file - 1);
    cr_assert_eq(fault_list_count(faults), 2);
    const struct fault *first = fault_list_at(faults, 0);
    cr_assert_str_eq(first->file, "a.json");
    cr_assert_str_eq(first->pointer, "/oauth2");
    cr_assert_str_eq(first->message, "unknown field clientid");
    cr_assert_str_eq(first->hint, "did you mean \"clientId\"?");
    cr_assert_not(first->warning);
    cr_assert(fault_list_at(faults, 1)->warning);
    cr_assert_null(fault_list_at(faults, 1)->hint);
    cr_assert_null(fault_list_at(faults, 2));
}

Test(fault_list, warnings_are_no_errors)
{
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_not(fault_list_has_errors(faults));
    fault_list_warn(faults, "f", "/a", NULL, "hm");
    cr_assert_not(fault_list_has_errors(faults));
    fault_list_add(faults, "f", "/a", NULL, "no");
    cr_assert(fault_list_has_errors(faults));
}

Test(fault_list, says_how_many_were_left_out)
{
    AUTO(fault_list) faults = fault_list_create();
    for (int i = 0; i < FAULT_LIST_MAX; i++)
        fault_list_warn(faults, "f", "/a", NULL, "fault %d", i);
    cr_assert_eq(fault_list_count(faults), FAULT_LIST_MAX);
    fault_list_warn(faults, "f", "/a", NULL, "one more");
    fault_list_add(faults, "f", "/a", NULL, "and an error");
    fault_list_warn(faults, "f", "/a", NULL, "and a warning");
    cr_assert_eq(fault_list_count(faults), FAULT_LIST_MAX + 1);
    cr_assert_str_eq(fault_list_at(faults, FAULT_LIST_MAX)->message, "3 more faults were left out");
    cr_assert_not(fault_list_at(faults, FAULT_LIST_MAX)->warning);
    cr_assert(fault_list_has_errors(faults), "an error counts though it was left out");
    cr_assert_null(fault_list_at(faults, FAULT_LIST_MAX + 1));
}

Test(fault_list, format_writes_place_message_and_hint)
{
    static const struct {
        struct fault fault;
        const char *expected;
    } cases[] = {
        {{.file = "a.json", .pointer = "/x/y", .message = "bad", .hint = "good"}, "a.json: /x/y: bad (good)"},
        {{.file = "a.json", .pointer = "", .message = "bad"}, "a.json: bad"},
        {{.file = "", .pointer = "/x", .message = "bad"}, "/x: bad"},
        {{.file = "", .pointer = "", .message = "bad"}, "bad"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_TEXT text = fault_format(&cases[i].fault);
        cr_assert_str_eq(text, cases[i].expected);
    }
}

Test(fault_list, fault_of_a_member_points_to_it)
{
    static const char *const known[] = {"path", "mode"};
    AUTO(fault_list) faults = fault_list_create();
    fault_list_add_member(faults, "f", "/a", "b/c~d", "mend it", "is wrong");
    fault_list_add_member(faults, "", "/a", NULL, NULL, "is wrong");
    fault_list_add_unknown(faults, "f", "/socket", "pth", known, 2, "there is no such key");
    fault_list_add_unknown(faults, "f", "", "elsewhere", known, 2, "there is no such key");
    static const struct {
        const char *pointer, *hint, *message;
    } expected[] = {
        {"/a/b~1c~0d", "mend it", "is wrong"},
        {"/a", NULL, "is wrong"},
        {"/socket/pth", "did you mean \"path\"?", "there is no such key"},
        {"/elsewhere", NULL, "there is no such key"},
    };
    cr_assert_eq(fault_list_count(faults), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct fault *fault = fault_list_at(faults, i);
        cr_expect_str_eq(fault->pointer, expected[i].pointer);
        cr_expect_str_eq(fault->message, expected[i].message);
        cr_expect_eq(fault->hint == NULL, expected[i].hint == NULL);
        cr_expect_str_eq(fault->hint ? fault->hint : "", expected[i].hint ? expected[i].hint : "");
    }
}

Test(fault_list, nearest_name_finds_misspellings_within_a_third)
{
    static const char *const names[] = {"clientId", "clientSecret", "grantType", "scope", "auth", "token"};
    static const struct {
        const char *word;
        const char *expected;
    } cases[] = {
        {"clientID", "clientId"},
        {"client_id", "clientId"},
        {"cleintId", "clientId"},
        {"clientsecret", "clientSecret"},
        {"clientSecert", "clientSecret"},
        {"grant_type", "grantType"},
        {"scopes", "scope"},
        {"scpoe", "scope"},
        {"tokn", "token"},
        {"atuh", "auth"},
        {"xyz", NULL},
        {"scopxyz", NULL},
        {"", NULL},
        {"a", NULL},
        {"completelyDifferent", NULL},
        {"au", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = nearest_name(cases[i].word, names, sizeof names / sizeof names[0]);
        if (cases[i].expected)
            cr_assert_str_eq(nearest ? nearest : "(none)", cases[i].expected, "%s", cases[i].word);
        else
            cr_assert_null(nearest, "%s gave %s", cases[i].word, nearest);
    }
    cr_assert_null(nearest_name("scope", NULL, 0));
}

Test(fault_list, nearest_name_prefers_the_nearest_and_counts_a_swap_once)
{
    static const char *const names[] = {"abcdxx", "abdcef"};
    cr_assert_str_eq(nearest_name("abcdef", names, 2), "abdcef");
}

Test(fault_list, nearest_name_survives_long_words)
{
    char word[10000];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *const names[] = {"aaa", word};
    cr_assert_null(nearest_name(word, names, 2));
    cr_assert_str_eq(nearest_name("aaa", names, 2), "aaa");
    word[64] = '\0';
    cr_assert_eq(nearest_name(word, names, 2), word);
}
