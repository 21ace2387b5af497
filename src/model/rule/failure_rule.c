#include "model/rule/failure_rule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/reply/reply_path.h"

enum { STATUS_MIN = 100, STATUS_MAX = 599, VALUE_MAX_LENGTH = 1024 };

struct failure_rule {
    int status;              /* 0: any */
    struct reply_path *path; /* NULL: none */
    json_t *values;          /* array of strings, never empty; NULL: any value that counts */
};

struct failure_rules {
    size_t count;
    struct failure_rule *rules;
};

struct failure_rules *failure_rules_create(void)
{
    return calloc(1, sizeof(struct failure_rules));
}

void failure_rules_destroy(struct failure_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++) {
        reply_path_destroy(rules->rules[i].path);
        json_decref(rules->rules[i].values);
    }
    free(rules->rules);
    free(rules);
}

static bool is_scalar(const json_t *value)
{
    return value && !json_is_object(value) && !json_is_array(value);
}

static enum status append_value(json_t *values, const char *text, size_t length, struct error *ret_error)
{
    if (json_array_size(values) == FAILURE_VALUES_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "more than %d values", FAILURE_VALUES_MAX);
    if (json_array_append_new(values, json_stringn(text, length)) != 0)
        return error_set(ret_error, ERR_NO_MEMORY, "failure rule");
    return OK;
}

static enum status append_array(json_t *values, const json_t *array, struct error *ret_error)
{
    size_t index;
    const json_t *value;
    json_array_foreach (array, index, value) {
        if (!is_scalar(value))
            return error_set(ret_error, ERR_INVALID, "a value is no string, number or boolean");
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, VALUE_MAX_LENGTH);
        if (!json_read_as_text(value, &text))
            return error_set(ret_error, ERR_TOO_LARGE, "a value is longer than %d bytes", VALUE_MAX_LENGTH);
        enum status status = append_value(values, text_buffer_text(&text), text.length, ret_error);
        if (status != OK)
            return status;
    }
    return OK;
}

/* As the form field takes them: "a, b,c". */
static enum status append_list(json_t *values, const char *list, struct error *ret_error)
{
    static const char blanks[] = " \t\r\n";
    for (;;) {
        list += strspn(list, blanks);
        size_t length = strcspn(list, ",");
        const char *next = list + length;
        while (length > 0 && strchr(blanks, list[length - 1]))
            length--;
        enum status status = length > 0 ? append_value(values, list, length, ret_error) : OK;
        if (status != OK || *next == '\0')
            return status;
        list = next + 1;
    }
}

/* Numbers and booleans become their text, so that matching compares strings alone. *ret_values: NULL when empty. */
static enum status normalise_values(const json_t *values, json_t **ret_values, struct error *ret_error)
{
    AUTO_JSON texts = json_array();
    if (!texts)
        return error_set(ret_error, ERR_NO_MEMORY, "failure rule");
    enum status status = OK;
    if (json_is_array(values))
        status = append_array(texts, values, ret_error);
    else if (json_is_string(values))
        status = append_list(texts, json_string_value(values), ret_error);
    else if (values)
        status = error_set(ret_error, ERR_INVALID, "values are neither an array nor a comma-separated string");
    if (status == OK)
        *ret_values = json_array_size(texts) > 0 ? TAKE(texts) : NULL;
    return status;
}

static enum status check_parts(int status, const char *path, const json_t *values, struct error *ret_error)
{
    if (status != 0 && (status < STATUS_MIN || status > STATUS_MAX))
        return error_set(ret_error, ERR_INVALID, "statusCode is not from %d to %d", STATUS_MIN, STATUS_MAX);
    if (values && !path)
        return error_set(ret_error, ERR_INVALID, "values without a path");
    if (status == 0 && !path)
        return error_set(ret_error, ERR_INVALID, "a failure rule needs a statusCode or a path");
    return OK;
}

static enum status append_rule(struct failure_rules *rules, const struct failure_rule *rule, struct error *ret_error)
{
    if (rules->count == FAILURE_RULES_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "more than %d failure rules", FAILURE_RULES_MAX);
    struct failure_rule *grown = reallocarray(rules->rules, rules->count + 1, sizeof *grown);
    if (!grown)
        return error_set(ret_error, ERR_NO_MEMORY, "failure rule");
    rules->rules = grown;
    rules->rules[rules->count++] = *rule;
    return OK;
}

enum status failure_rules_add(struct failure_rules *rules, int status, const char *path, const json_t *values,
                              struct error *ret_error)
{
    AUTO_JSON texts = NULL;
    enum status result = normalise_values(values, &texts, ret_error);
    if (result == OK)
        result = check_parts(status, path, texts, ret_error);
    if (result != OK)
        return result;
    AUTO(reply_path) compiled = NULL;
    if (path)
        result = reply_path_compile(path, &compiled, ret_error);
    if (result == OK)
        result =
            append_rule(rules, &(struct failure_rule){.status = status, .path = compiled, .values = texts}, ret_error);
    if (result == OK) {
        compiled = NULL;
        texts = NULL;
    }
    return result;
}

static bool is_known_member(const char *name)
{
    return strcmp(name, "statusCode") == 0 || strcmp(name, "path") == 0 || strcmp(name, "values") == 0;
}

enum status failure_rules_add_json(struct failure_rules *rules, const json_t *rule, struct error *ret_error)
{
    if (!json_is_object(rule))
        return error_set(ret_error, ERR_INVALID, "a failure rule is no object");
    const char *name;
    json_t *value;
    /* jansson iterates over a mutable object only; nothing is changed. */
    json_object_foreach ((json_t *)(uintptr_t)rule, name, value) {
        if (!is_known_member(name))
            return error_set(ret_error, ERR_INVALID, "a failure rule has no member \"%.100s\"", name);
    }
    const json_t *status_code = json_object_get(rule, "statusCode");
    const json_t *path = json_object_get(rule, "path");
    int64_t status = 0;
    if (status_code && (!json_is_number(status_code) || !json_read_integer(status_code, &status) ||
                        status < STATUS_MIN || status > STATUS_MAX))
        return error_set(ret_error, ERR_INVALID, "statusCode is no number from %d to %d", STATUS_MIN, STATUS_MAX);
    if (path && !json_is_string(path))
        return error_set(ret_error, ERR_INVALID, "path is no string");
    return failure_rules_add(rules, (int)status, json_string_value(path), json_object_get(rule, "values"), ret_error);
}

size_t failure_rules_count(const struct failure_rules *rules)
{
    return rules->count;
}

/* Anything but null, false, 0 and "". */
static bool value_counts(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) > 0;
    if (json_is_number(value))
        return json_number_value(value) != 0.0;
    return !json_is_null(value) && !json_is_false(value);
}

static bool value_is_listed(const json_t *value, const json_t *texts)
{
    if (!is_scalar(value))
        return false;
    AUTO_FINISH(text_buffer) number;
    enum { NUMBER_TEXT_MAX = 64 };
    text_buffer_init(&number, NUMBER_TEXT_MAX);
    const char *text = json_string_value(value);
    if (!text) {
        json_read_as_text(value, &number);
        text = text_buffer_text(&number);
    }
    size_t index;
    const json_t *listed;
    json_array_foreach (texts, index, listed) {
        if (strcmp(text, json_string_value(listed)) == 0)
            return true;
    }
    return false;
}

static bool value_fails(const struct failure_rule *rule, const json_t *value)
{
    return rule->values ? value_is_listed(value, rule->values) : value_counts(value);
}

/* The value that counts of what stands at the rule's path; NULL: none. New reference. */
static json_t *find_failing(const struct failure_rule *rule, const struct reply_document *body)
{
    AUTO_JSON found = reply_path_find(rule->path, body);
    if (!json_is_array(found))
        return found && value_fails(rule, found) ? TAKE(found) : NULL;
    size_t index;
    json_t *element;
    json_array_foreach (found, index, element) {
        if (value_fails(rule, element))
            return json_incref(element);
    }
    return NULL;
}

void failure_match_finish(struct failure_match *match)
{
    json_decref(TAKE(match->value));
}

bool failure_rules_find(const struct failure_rules *rules, int status, const struct reply_document *body,
                        struct failure_match *ret_match)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct failure_rule *rule = &rules->rules[i];
        if (rule->status != 0 && rule->status != status)
            continue;
        json_t *value = rule->path ? find_failing(rule, body) : NULL;
        if (rule->path && !value)
            continue;
        *ret_match = (struct failure_match){.path = rule->path ? reply_path_text(rule->path) : NULL, .value = value};
        return true;
    }
    return false;
}

bool failure_rules_match(const struct failure_rules *rules, int status, const struct reply_document *body)
{
    AUTO_FINISH(failure_match) match = {0};
    return failure_rules_find(rules, status, body, &match);
}

static json_t *rule_to_json(const struct failure_rule *rule)
{
    AUTO_JSON object = json_object();
    if (rule->status != 0 && json_object_set_new(object, "statusCode", json_integer(rule->status)) != 0)
        return NULL;
    if (rule->path && json_object_set_new(object, "path", json_string(reply_path_text(rule->path))) != 0)
        return NULL;
    if (rule->values && json_object_set_new(object, "values", json_deep_copy(rule->values)) != 0)
        return NULL;
    return TAKE(object);
}

json_t *failure_rules_to_json(const struct failure_rules *rules)
{
    AUTO_JSON array = json_array();
    for (size_t i = 0; i < rules->count; i++) {
        if (json_array_append_new(array, rule_to_json(&rules->rules[i])) != 0)
            return NULL;
    }
    return TAKE(array);
}
