/* {"rules": […], "status": 200, "body": …}: rules that were taken come back as meant, and only add matches. */
#include "fuzz.h"
#include "model/rule/failure_rule.h"

static struct failure_rules *read_back(const struct failure_rules *rules)
{
    AUTO_JSON array = failure_rules_to_json(rules);
    struct failure_rules *again = failure_rules_create();
    size_t index;
    json_t *rule;
    REQUIRE(array && again, "no memory");
    json_array_foreach (array, index, rule) {
        struct error error = {0};
        REQUIRE(failure_rules_add_json(again, rule, &error) == OK, "rule %zu is refused: %s", index, error.message);
    }
    AUTO_JSON array_again = failure_rules_to_json(again);
    REQUIRE(json_equal(array, array_again), "the rules have changed on the way");
    return again;
}

static bool names_status(const struct failure_rules *rules, int status)
{
    AUTO_JSON array = failure_rules_to_json(rules);
    size_t index;
    json_t *rule;
    json_array_foreach (array, index, rule) {
        if (!json_object_get(rule, "path") && json_integer_value(json_object_get(rule, "statusCode")) == status)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON document = fuzz_json((const char *)data, size);
    if (!document)
        return 0;
    const struct reply_document reply = {.json = json_object_get(document, "body")};
    int status = (int)json_integer_value(json_object_get(document, "status"));
    AUTO(failure_rules) rules = failure_rules_create();
    bool matched = failure_rules_match(rules, status, &reply);
    REQUIRE(!matched, "no rule matches nothing");
    size_t index;
    json_t *rule;
    json_array_foreach (json_object_get(document, "rules"), index, rule) {
        size_t count = failure_rules_count(rules);
        struct error error = {0};
        bool taken = failure_rules_add_json(rules, rule, &error) == OK;
        REQUIRE(failure_rules_count(rules) == count + taken, "a rule counts when it was taken");
        REQUIRE(taken == (error.message[0] == '\0'), "a refusal has words, and nothing else has");
        bool matches = failure_rules_match(rules, status, &reply);
        REQUIRE(matches || !matched, "one more rule has undone a match");
        REQUIRE(taken || matches == matched, "a rule that was refused counts");
        matched = matches;
    }
    REQUIRE(failure_rules_count(rules) <= FAILURE_RULES_MAX, "too many rules");
    AUTO(failure_rules) again = read_back(rules);
    REQUIRE(failure_rules_match(again, status, &reply) == matched, "the same rules judge otherwise");
    REQUIRE(failure_rules_match(rules, status, NULL) == names_status(rules, status),
            "what is no JSON is judged by its status alone");
    return 0;
}
