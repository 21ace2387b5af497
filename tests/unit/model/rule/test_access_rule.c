#include <criterion/criterion.h>
#include <string.h>

#include "model/rule/access_rule.h"

enum { OWN_UID = 500, WEB = 1000, BOB = 1001, STRANGER = 4242, STAFF = 50, ICLIENTD = 51, OTHERS = 99 };

struct known {
    const char *name;
    unsigned id;
};

static const struct known users[] = {{"web", WEB}, {"bob", BOB}, {"svc$", 7}, {"alice@corp.example", 8}, {NULL, 0}};
static const struct known groups[] = {{"staff", STAFF}, {"iclientd", ICLIENTD}, {NULL, 0}};

struct database {
    enum status trouble; /* OK: it answers */
    bool lacks_iclientd;
    size_t asked;
};

static enum status find(void *context, const struct identity_name *name, unsigned *ret_id)
{
    struct database *database = context;
    if (database) {
        database->asked++;
        if (database->trouble != OK)
            return database->trouble;
        if (database->lacks_iclientd && strcmp(name->name, "iclientd") == 0)
            return ERR_NOT_FOUND;
    }
    for (const struct known *row = name->is_group ? groups : users; row->name; row++) {
        if (strcmp(row->name, name->name) == 0) {
            *ret_id = row->id;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static const struct identity_resolver resolver = {.find = find, .own_uid = OWN_UID};

static struct access_rule *rule_from(const char *text, const struct identity_resolver *resolve)
{
    struct access_rule *rule = NULL;
    struct error error = {0};
    AUTO_JSON allow = text ? json_loads(text, 0, NULL) : NULL;
    cr_assert(!text || allow);
    cr_assert_eq(access_rule_from_json(allow, resolve, &rule, &error), OK, "%s: %s", text, error.message);
    return rule;
}

static struct peer make_peer(uid_t uid, gid_t gid, const char *unit)
{
    return (struct peer){.uid = uid, .gid = gid, .pid = 1, .unit = unit};
}

Test(access_rule, any_match_allows)
{
    static const struct {
        const char *allow;
        uid_t uid;
        gid_t gid;
        const char *unit;
        bool allowed;
    } cases[] = {
        {"{\"users\":[\"web\"]}", WEB, OTHERS, NULL, true},
        {"{\"users\":[\"web\"]}", BOB, OTHERS, NULL, false},
        {"{\"users\":[1001]}", BOB, OTHERS, NULL, true},
        {"{\"users\":[\"web\",1001]}", BOB, OTHERS, NULL, true},
        {"{\"users\":[\"alice@corp.example\"]}", 8, OTHERS, NULL, true},
        {"{\"users\":[50]}", STRANGER, 50, NULL, false},
        {"{\"groups\":[1000]}", WEB, OTHERS, NULL, false},
        {"{\"groups\":[\"staff\"]}", STRANGER, STAFF, NULL, true},
        {"{\"groups\":[\"staff\"]}", STRANGER, OTHERS, NULL, false},
        {"{\"groups\":[50]}", STRANGER, STAFF, NULL, true},
        {"{\"units\":[\"web.service\"]}", STRANGER, OTHERS, "web.service", true},
        {"{\"units\":[\"web.service\"]}", STRANGER, OTHERS, "Web.service", false},
        {"{\"units\":[\"web.service\"]}", STRANGER, OTHERS, "web.service2", false},
        {"{\"units\":[\"web.service\"]}", STRANGER, OTHERS, "xweb.service", false},
        {"{\"units\":[\"web.service\"]}", STRANGER, OTHERS, "", false},
        {"{\"units\":[\"web.service\"]}", STRANGER, OTHERS, NULL, false},
        {"{\"units\":[\"a.service\",\"app@1.service\"]}", STRANGER, OTHERS, "app@1.service", true},
        {"{\"users\":[\"bob\"],\"groups\":[\"staff\"],\"units\":[\"web.service\"]}", STRANGER, STAFF, NULL, true},
        {"{\"users\":[\"bob\"],\"groups\":[\"staff\"],\"units\":[\"web.service\"]}", BOB, OTHERS, NULL, true},
        {"{\"users\":[\"bob\"],\"groups\":[\"staff\"],\"units\":[\"web.service\"]}", WEB, OTHERS, "web.service", true},
        {"{\"users\":[\"bob\"],\"groups\":[\"staff\"],\"units\":[\"web.service\"]}", WEB, OTHERS, "x.service", false},
        /* the highest id but one is an id; nobody has the highest */
        {"{\"users\":[4294967294]}", 4294967294U, OTHERS, NULL, true},
        {"{\"users\":[4294967294]}", 4294967295U, OTHERS, NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(access_rule) rule = rule_from(cases[i].allow, &resolver);
        struct peer peer = make_peer(cases[i].uid, cases[i].gid, cases[i].unit);
        cr_assert_eq(access_rule_allows(rule, &peer), cases[i].allowed, "%s: uid %u gid %u", cases[i].allow,
                     cases[i].uid, cases[i].gid);
        /* Every row with a unit needs it. */
        cr_assert_eq(access_rule_allows_user(rule, &peer), cases[i].allowed && !cases[i].unit, "%s", cases[i].allow);
    }
}

Test(access_rule, supplementary_groups_count)
{
    AUTO(access_rule) rule = rule_from("{\"groups\":[\"staff\"]}", &resolver);
    static const gid_t with[] = {4, STAFF, 5};
    static const gid_t without[] = {4, 5};
    struct peer peer = make_peer(STRANGER, OTHERS, NULL);
    peer.groups = with;
    peer.group_count = 3;
    cr_assert(access_rule_allows(rule, &peer));
    peer.groups = without;
    peer.group_count = 2;
    cr_assert_not(access_rule_allows(rule, &peer));
}

Test(access_rule, root_and_the_daemon_itself_are_always_allowed)
{
    static const char *const texts[] = {NULL, "{}", "{\"users\":[]}", "{\"users\":[\"web\"]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(access_rule) rule = rule_from(texts[i], &resolver);
        struct peer root = make_peer(0, OTHERS, NULL);
        struct peer own = make_peer(OWN_UID, OTHERS, NULL);
        cr_assert(access_rule_allows(rule, &root), "%s", texts[i]);
        cr_assert(access_rule_allows(rule, &own), "%s", texts[i]);
    }
}

Test(access_rule, root_group_alone_is_not_root)
{
    AUTO(access_rule) rule = rule_from("{\"users\":[\"web\"]}", &resolver);
    struct peer peer = make_peer(STRANGER, 0, NULL);
    cr_assert_not(access_rule_allows(rule, &peer));
}

Test(access_rule, default_rule_lets_the_group_in_and_nobody_else)
{
    AUTO(access_rule) rule = rule_from(NULL, &resolver);
    struct peer member = make_peer(STRANGER, ICLIENTD, NULL);
    struct peer stranger = make_peer(STRANGER, STAFF, "web.service");
    cr_assert(access_rule_allows(rule, &member));
    cr_assert_not(access_rule_allows(rule, &stranger));
    cr_assert_not(access_rule_needs_unit(rule));
}

Test(access_rule, default_rule_without_the_group_is_no_error)
{
    struct database database = {.lacks_iclientd = true};
    const struct identity_resolver without = {
        .find = find, .own_uid = OWN_UID, .keeps_unknown = true, .context = &database};
    AUTO(access_rule) rule = rule_from(NULL, &without);
    struct peer peer = make_peer(STRANGER, ICLIENTD, NULL);
    struct peer root_group = make_peer(STRANGER, 0, NULL);
    cr_assert_not(access_rule_allows(rule, &peer));
    cr_assert_not(access_rule_allows(rule, &root_group), "a group that was not found is not group 0");
    cr_assert_eq(access_rule_unknown_count(rule), 0, "nobody waits for it");
}

Test(access_rule, names_that_are_kept_match_nobody_until_they_are_learned)
{
    static const enum status troubles[] = {ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO};
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        struct database database = {.trouble = troubles[i]};
        const struct identity_resolver absent = {
            .find = find, .own_uid = OWN_UID, .keeps_unknown = true, .context = &database};
        AUTO(access_rule) rule = rule_from("{\"users\":[\"web\",1001],\"groups\":[\"staff\",\"web\"]}", &absent);
        struct peer web = make_peer(WEB, OTHERS, NULL);
        struct peer bob = make_peer(BOB, OTHERS, NULL);
        struct peer staff = make_peer(STRANGER, STAFF, NULL);
        struct peer root_group = make_peer(STRANGER, 0, NULL);
        cr_expect_eq(access_rule_unknown_count(rule), 3);
        cr_expect_not(access_rule_allows(rule, &web));
        cr_expect(access_rule_allows(rule, &bob), "numbers need nobody");
        cr_expect_not(access_rule_allows(rule, &root_group));
        access_rule_learn(rule, &(struct identity_name){"web", false}, WEB);
        cr_expect(access_rule_allows(rule, &web));
        cr_expect_not(access_rule_allows(rule, &(struct peer){.uid = STRANGER, .gid = WEB}), "it is no group's id");
        access_rule_learn(rule, &(struct identity_name){"nosuch", true}, 0);
        cr_expect_not(access_rule_allows(rule, &root_group), "the rule does not have that name");
        cr_expect_not(access_rule_allows(rule, &staff));
        access_rule_learn(rule, &(struct identity_name){"staff", true}, STAFF);
        cr_expect(access_rule_allows(rule, &staff));
        cr_assert_eq(access_rule_unknown_count(rule), 1);
        struct identity_name left = access_rule_unknown_at(rule, 0);
        cr_expect_str_eq(left.name, "web");
        cr_expect(left.is_group);
    }
}

Test(access_rule, default_group_is_waited_for_when_nobody_answers)
{
    struct database database = {.trouble = ERR_TIMEOUT};
    const struct identity_resolver absent = {
        .find = find, .own_uid = OWN_UID, .keeps_unknown = true, .context = &database};
    AUTO(access_rule) rule = rule_from(NULL, &absent);
    struct peer member = make_peer(STRANGER, ICLIENTD, NULL);
    cr_assert_not(access_rule_allows(rule, &member));
    access_rule_learn(rule, &(struct identity_name){"iclientd", true}, ICLIENTD);
    cr_assert(access_rule_allows(rule, &member));
}

Test(access_rule, database_that_does_not_answer_is_asked_once)
{
    struct database database = {.trouble = ERR_TIMEOUT};
    bool is_silent = false;
    struct identity_resolver absent = {.find = find, .keeps_unknown = true, .context = &database};
    AUTO(access_rule) alone = rule_from("{\"users\":[\"web\",\"bob\"],\"groups\":[\"staff\"]}", &absent);
    cr_assert_eq(database.asked, 1);
    cr_assert_eq(access_rule_unknown_count(alone), 3);
    absent.is_silent = &is_silent;
    AUTO(access_rule) first = rule_from("{\"users\":[\"web\",\"bob\"]}", &absent);
    AUTO(access_rule) second = rule_from("{\"groups\":[\"staff\"]}", &absent);
    cr_assert_eq(database.asked, 2, "a resolver that remembers holds for all rules");
    cr_assert(is_silent);
    cr_assert_eq(access_rule_unknown_count(first) + access_rule_unknown_count(second), 3);
}

Test(access_rule, why_a_name_is_refused_is_said)
{
    static const struct {
        enum status trouble;
        enum status status;
        const char *says;
    } rows[] = {
        {ERR_NOT_FOUND, ERR_INVALID, "allow.users[0]: \"web\" does not exist"},
        {ERR_TIMEOUT, ERR_INVALID, "allow.users[0]: \"web\": the host's user database does not answer"},
        {ERR_IO, ERR_INVALID, "allow.users[0]: \"web\": the host's user database cannot be asked"},
        {ERR_NO_MEMORY, ERR_NO_MEMORY, "access rule"},
    };
    AUTO_JSON allow = json_loads("{\"users\":[\"web\"]}", 0, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct database database = {.trouble = rows[i].trouble};
        const struct identity_resolver absent = {.find = find, .context = &database};
        struct access_rule *rule = NULL;
        struct error error = {0};
        cr_expect_eq(access_rule_from_json(allow, &absent, &rule, &error), rows[i].status);
        cr_expect(strstr(error.message, rows[i].says), "%s", error.message);
    }
}

Test(access_rule, empty_allow_lets_nobody_else_in)
{
    static const char *const texts[] = {"{}", "{\"users\":[],\"groups\":[],\"units\":[]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(access_rule) rule = rule_from(texts[i], &resolver);
        struct peer member = make_peer(STRANGER, ICLIENTD, NULL);
        struct peer user = make_peer(WEB, STAFF, "web.service");
        cr_assert_not(access_rule_allows(rule, &member));
        cr_assert_not(access_rule_allows(rule, &user));
        cr_assert_not(access_rule_needs_unit(rule));
    }
}

Test(access_rule, without_a_resolver_names_match_nobody_and_numbers_do)
{
    AUTO(access_rule) rule = rule_from("{\"users\":[\"nosuch\",1001,\"web\"],\"groups\":[\"nosuch\",50]}", NULL);
    struct peer bob = make_peer(BOB, OTHERS, NULL);
    struct peer staff = make_peer(STRANGER, STAFF, NULL);
    struct peer web = make_peer(WEB, OTHERS, NULL);
    struct peer own = make_peer(OWN_UID, OTHERS, NULL);
    cr_assert(access_rule_allows(rule, &bob));
    cr_assert(access_rule_allows(rule, &staff));
    cr_assert_not(access_rule_allows(rule, &web));
    struct peer root_group = make_peer(STRANGER, 0, NULL);
    cr_assert_not(access_rule_allows(rule, &root_group), "a name that was not looked up is not id 0");
    cr_assert_not(access_rule_allows(rule, &own), "whose user the daemon is, is not known here");
    AUTO(access_rule) usual = rule_from(NULL, NULL);
    struct peer member = make_peer(STRANGER, ICLIENTD, NULL);
    cr_assert_not(access_rule_allows(usual, &member));
}

Test(access_rule, needs_the_unit_only_when_it_names_one)
{
    AUTO(access_rule) with = rule_from("{\"units\":[\"session-1.scope\"]}", &resolver);
    AUTO(access_rule) without = rule_from("{\"users\":[\"web\"]}", &resolver);
    cr_assert(access_rule_needs_unit(with));
    cr_assert_not(access_rule_needs_unit(without));
}

Test(access_rule, mistakes_are_refused_and_named)
{
    static const struct {
        const char *allow;
        const char *says;
    } cases[] = {
        {"[]", "allow is no object"},
        {"{\"user\":[]}", "\"user\""},
        {"{\"users\":\"web\"}", "allow.users"},
        {"{\"users\":null}", "allow.users"},
        {"{\"groups\":{}}", "allow.groups"},
        {"{\"units\":\"web.service\"}", "allow.units"},
        {"{\"users\":[\"nosuch\"]}", "allow.users[0]: \"nosuch\" does not exist"},
        {"{\"users\":[\"web\",\"Web\"]}", "allow.users[1]: \"Web\" does not exist"},
        {"{\"groups\":[\"web\"]}", "allow.groups[0]: \"web\" does not exist"},
        {"{\"users\":[null]}", "allow.users[0]"},
        {"{\"users\":[1.5]}", "allow.users[0]"},
        {"{\"users\":[true]}", "allow.users[0]"},
        {"{\"users\":[-1]}", "allow.users[0]"},
        {"{\"users\":[4294967295]}", "allow.users[0]"},
        {"{\"users\":[4294968296]}", "allow.users[0]"},
        {"{\"users\":[\"\"]}", "allow.users[0]"},
        {"{\"users\":[\"1001\"]}", "as a number"},
        {"{\"users\":[\"*\"]}", "allow.users[0]"},
        {"{\"users\":[\"-web\"]}", "allow.users[0]"},
        {"{\"users\":[\"a b\"]}", "allow.users[0]"},
        {"{\"users\":[\"a:b\"]}", "allow.users[0]"},
        {"{\"users\":[\"a\\nb\"]}", "allow.users[0]"},
        {"{\"users\":[\"a$b\"]}", "allow.users[0]"},
        {"{\"units\":[1]}", "allow.units[0]"},
        {"{\"units\":[\"web\"]}", "web.service"},
        {"{\"units\":[\".service\"]}", "allow.units[0]"},
        {"{\"units\":[\"*.service\"]}", "allow.units[0]"},
        {"{\"units\":[\"a/b.service\"]}", "allow.units[0]"},
        {"{\"units\":[\"web.socket\"]}", "allow.units[0]"},
        {"{\"units\":[\"ok.service\",\"\"]}", "allow.units[1]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct access_rule *rule = NULL;
        struct error error = {0};
        AUTO_JSON allow = json_loads(cases[i].allow, 0, NULL);
        cr_assert_eq(access_rule_from_json(allow, &resolver, &rule, &error), ERR_INVALID, "%s", cases[i].allow);
        cr_assert_null(rule);
        cr_assert(strstr(error.message, cases[i].says), "%s says %s", cases[i].allow, error.message);
    }
}

Test(access_rule, form_is_checked_without_a_resolver_too)
{
    struct access_rule *rule = NULL;
    AUTO_JSON allow = json_loads("{\"users\":[\"a b\"]}", 0, NULL);
    cr_assert_eq(access_rule_from_json(allow, NULL, &rule, NULL), ERR_INVALID);
}

Test(access_rule, has_a_maximum_of_entries_over_all_members)
{
    AUTO_JSON ids = json_array();
    for (int i = 0; i < ACCESS_ENTRIES_MAX; i++)
        json_array_append_new(ids, json_integer(2000 + i));
    AUTO_JSON allow = json_pack("{s:O}", "users", ids);
    AUTO(access_rule) rule = NULL;
    cr_assert_eq(access_rule_from_json(allow, &resolver, &rule, NULL), OK);
    struct peer last = make_peer(2000 + ACCESS_ENTRIES_MAX - 1, OTHERS, NULL);
    cr_assert(access_rule_allows(rule, &last));
    json_object_set_new(allow, "groups", json_pack("[i]", 1));
    AUTO(access_rule) too_many = NULL;
    cr_assert_eq(access_rule_from_json(allow, &resolver, &too_many, NULL), ERR_INVALID);
}
