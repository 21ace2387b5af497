#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/rule/failure_rule.h"
#include "model/iclient/field_rule.h"
#include "model/iclient/field_set.h"
#include "model/secret/wire_secret.h"
#include "model/template/wire_text.h"

enum {
    POINTER_MAX = 512,
    STRINGS_MAX = 256,
    PARAMS_MAX = 128,
    ID_LENGTH = 24,
};
/* A hundred years in seconds; every count and code is far below it. */
#define NUMBER_MAX INT64_C(3155760000)

struct field_walk {
    const struct field_reader *reader;
    struct document_faults *faults;
    struct field_set *set; /* arrays with room for every field while reading */
};

/* What a kind does: the normal form as a new reference, or NULL. NULL without a fault is out of memory. */
typedef json_t *read_kind(struct field_walk *walk, enum iclient_field field, const json_t *value);

static const char *pointer_of(enum iclient_field field)
{
    return iclient_field_row(field)->pointer;
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",      [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };
    return names[json_typeof(value)];
}

static json_t *wrong_type(struct field_walk *walk, const char *pointer, const char *wanted, const json_t *value)
{
    document_fault(walk->faults, pointer, json_is_null(value) ? "leave it out" : NULL, "must be %s, not %s", wanted,
                   type_name(value));
    return NULL;
}

/* ---- one kind after the other ---- */

static json_t *read_text(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (!json_is_string(value))
        return wrong_type(walk, pointer_of(field), "a string", value);
    const char *broken = field_rule_broken(field, json_string_value(value));
    if (!broken)
        return json_incref((json_t *)value);
    document_fault(walk->faults, pointer_of(field), NULL, "%s", broken);
    return NULL;
}

/* The text, compiled into the set; index: of an element of STRINGS. */
static json_t *read_one_path(struct field_walk *walk, enum iclient_field field, const char *pointer, size_t index,
                             const char *text)
{
    struct reply_path *path = NULL;
    struct error error = {0};
    const char *broken = field_rule_broken(field, text);
    if (broken) {
        document_fault(walk->faults, pointer, NULL, "%s", broken);
        return NULL;
    }
    enum status status = reply_path_compile(text, &path, &error);
    if (!document_check(walk->faults, pointer, status, &error) || !field_set_add_path(walk->set, field, index, path))
        return NULL;
    return json_string(text);
}

static json_t *read_path(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (!json_is_string(value))
        return wrong_type(walk, pointer_of(field), "a string", value);
    return read_one_path(walk, field, pointer_of(field), 0, json_string_value(value));
}

static json_t *read_flag(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (!json_is_boolean(value))
        return wrong_type(walk, pointer_of(field), "true or false", value);
    return json_incref((json_t *)value);
}

static json_t *read_number(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    int64_t number;
    if (!json_is_number(value) || !json_read_integer(value, &number))
        return wrong_type(walk, pointer_of(field), "a whole number", value);
    if (number >= 0 && number <= NUMBER_MAX)
        return json_integer(number);
    document_fault(walk->faults, pointer_of(field), NULL, "must be from 0 to %lld", (long long)NUMBER_MAX);
    return NULL;
}

static json_t *read_lifetime(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (json_is_string(value) && strcmp(json_string_value(value), "never") == 0)
        return json_integer(0);
    if (!json_is_number(value))
        return wrong_type(walk, pointer_of(field), "seconds or \"never\"", value);
    return read_number(walk, field, value);
}

static bool is_id(const char *text)
{
    size_t length = 0;
    while (isxdigit((unsigned char)text[length]))
        length++;
    return length == ID_LENGTH && text[length] == '\0';
}

static json_t *read_id(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (json_is_string(value) && is_id(json_string_value(value)))
        return json_incref((json_t *)value);
    document_fault(walk->faults, pointer_of(field), NULL, "must be a string of %d hex digits", ID_LENGTH);
    return NULL;
}

static json_t *read_time(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    int64_t wall;
    if (json_is_string(value) && clock_parse(json_string_value(value), &wall))
        return json_incref((json_t *)value);
    document_fault(walk->faults, pointer_of(field), "it is read-only: leave it out", "must be an ISO 8601 time");
    return NULL;
}

static json_t *choice_text(struct field_walk *walk, enum iclient_field field, const char *pointer, const char *text)
{
    const struct iclient_field_row *row = iclient_field_row(field);
    const char *choice = field_choice(row, text);
    if (choice)
        return json_string(choice);
    size_t count = 0;
    AUTO_FINISH(text_buffer) list;
    text_buffer_init(&list, ERROR_MESSAGE_MAX);
    for (; row->choices[count]; count++)
        text_buffer_append_format(&list, "%s\"%s\"", count ? ", " : "", row->choices[count]);
    document_fault_nearest(walk->faults, pointer, nearest_name(text, row->choices, count), "must be one of %s",
                           text_buffer_text(&list));
    return NULL;
}

static json_t *read_choice(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (json_is_null(value) && iclient_field_row(field)->choice_nullable)
        return json_null();
    if (!json_is_string(value))
        return wrong_type(walk, pointer_of(field), "a string", value);
    return choice_text(walk, field, pointer_of(field), json_string_value(value));
}

static json_t *read_object(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (!json_is_object(value))
        return wrong_type(walk, pointer_of(field), "an object", value);
    return json_deep_copy(value);
}

/* Text is parsed before anything is rendered: a value cannot add a member. */
static json_t *read_json_object(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (json_is_object(value))
        return json_deep_copy(value);
    if (!json_is_string(value))
        return wrong_type(walk, pointer_of(field), "an object or JSON text of one", value);
    AUTO_JSON parsed = NULL;
    struct error error = {0};
    enum status status = json_read_text(json_string_value(value), json_string_length(value), &parsed, &error);
    if (!document_check(walk->faults, pointer_of(field), status, &error))
        return NULL;
    if (json_is_object(parsed))
        return TAKE(parsed);
    document_fault(walk->faults, pointer_of(field), NULL, "is JSON text of no object");
    return NULL;
}

/* One element of STRINGS. */
static json_t *read_element(struct field_walk *walk, enum iclient_field field, const char *pointer, size_t index,
                            const char *text)
{
    if (iclient_field_row(field)->paths)
        return read_one_path(walk, field, pointer, index, text);
    const char *broken = field_rule_broken(field, text);
    if (broken) {
        document_fault(walk->faults, pointer, NULL, "%s", broken);
        return NULL;
    }
    if (iclient_field_row(field)->choices)
        return choice_text(walk, field, pointer, text);
    return json_string(text);
}

/* "a.example, b.example" as the forms of integrator.io take it. */
static json_t *split_at_commas(struct field_walk *walk, enum iclient_field field, const char *text)
{
    AUTO_JSON elements = json_array();
    if (!elements)
        return NULL;
    for (const char *at = text;;) {
        size_t length = strcspn(at, ",");
        const char *start = at;
        const char *end = at + length;
        while (start < end && isspace((unsigned char)*start))
            start++;
        while (end > start && isspace((unsigned char)end[-1]))
            end--;
        if (end > start && json_array_append_new(elements, json_stringn(start, (size_t)(end - start))) < 0)
            walk->faults->no_memory = true;
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    if (json_array_size(elements) > 0 || walk->faults->no_memory)
        return TAKE(elements);
    document_fault(walk->faults, pointer_of(field), NULL, "is empty: leave it out when there is none");
    return NULL;
}

static json_t *read_strings(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    const char *pointer = pointer_of(field);
    AUTO_JSON given = json_incref((json_t *)value);
    AUTO_JSON elements = json_array();
    if (json_is_string(value)) {
        json_decref(given);
        given = iclient_field_row(field)->comma_separated ? split_at_commas(walk, field, json_string_value(value))
                                                          : json_pack("[O]", value);
    }
    if (!given || !elements)
        return NULL;
    if (!json_is_array(given))
        return wrong_type(walk, pointer, "an array of strings", value);
    bool done = json_array_size(given) <= STRINGS_MAX;
    if (!done)
        document_fault(walk->faults, pointer, NULL, "has more than %d elements", STRINGS_MAX);
    for (size_t i = 0; i < json_array_size(given) && i < STRINGS_MAX; i++) {
        char at[POINTER_MAX];
        snprintf(at, sizeof at, "%s/%zu", pointer, i);
        const json_t *element = json_array_get(given, i);
        json_t *text = json_is_string(element) ? read_element(walk, field, at, i, json_string_value(element))
                                               : wrong_type(walk, at, "a string", element);
        if (!text || json_array_append_new(elements, text) < 0)
            done = false;
    }
    return done ? TAKE(elements) : NULL;
}

static json_t *read_params(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    const char *pointer = pointer_of(field);
    if (!json_is_object(value))
        return wrong_type(walk, pointer, "an object", value);
    bool done = json_object_size(value) <= PARAMS_MAX;
    if (!done)
        document_fault(walk->faults, pointer, NULL, "has more than %d members", PARAMS_MAX);
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        if (*name && !json_is_object(member) && !json_is_array(member))
            continue;
        AUTO_FINISH(text_buffer) at;
        text_buffer_init(&at, POINTER_MAX);
        text_buffer_append_text(&at, pointer);
        json_pointer_append(&at, name);
        document_fault(walk->faults, text_buffer_text(&at), NULL,
                       *name ? "must be a string, a number or a flag" : "has no name");
        done = false;
    }
    return done ? json_deep_copy(value) : NULL;
}

static json_t *read_wire_text(struct field_walk *walk, enum iclient_field field, const json_t *value,
                              enum status (*read)(const json_t *, json_t **, struct error *))
{
    if (!json_is_string(value) && !json_is_object(value) && !json_is_array(value))
        return wrong_type(walk, pointer_of(field), "text or an object", value);
    json_t *parsed = NULL;
    struct error error = {0};
    enum status status = read(value, &parsed, &error);
    return document_check(walk->faults, pointer_of(field), status, &error) ? parsed : NULL;
}

static json_t *read_headers(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    return read_wire_text(walk, field, value, headers_read);
}

static json_t *read_body(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    return read_wire_text(walk, field, value, body_read);
}

static json_t *read_rules(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (!json_is_array(value))
        return wrong_type(walk, pointer_of(field), "an array of {statusCode, path, values}", value);
    AUTO(failure_rules) rules = failure_rules_create();
    if (!rules)
        return NULL;
    bool done = true;
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct error error = {0};
        enum status status = failure_rules_add_json(rules, json_array_get(value, i), &error);
        char at[POINTER_MAX];
        snprintf(at, sizeof at, "%s/%zu", pointer_of(field), i);
        done &= document_check(walk->faults, at, status, &error);
    }
    return done ? json_deep_copy(value) : NULL;
}

static json_t *read_secret(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    const struct secret_reader reader = {.faults = walk->faults, .resolve = walk->reader->resolve};
    bool pem = field == ICLIENT_JWT_PRIVATE_KEY || field == ICLIENT_SALESFORCE_PRIVATE_KEY;
    struct secret *secret = NULL;
    if (!json_is_string(value) && !json_is_object(value))
        return wrong_type(walk, pointer_of(field), "a string or a reference", value);
    if (!secret_value_read(&reader, value, pointer_of(field), pem, &secret))
        return NULL;
    walk->set->secrets[walk->set->secret_count++] = (struct field_secret){.field = field, .secret = secret};
    return json_string(SECRET_MASK);
}

static json_t *read_secret_object(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    if (!json_is_object(value))
        return wrong_type(walk, pointer_of(field), "an object", value);
    const struct secret_reader reader = {.faults = walk->faults, .resolve = walk->reader->resolve};
    json_t *masked = NULL;
    return secret_object_read(&reader, value, pointer_of(field), &masked, &walk->set->encrypted) ? masked : NULL;
}

static read_kind *const readers[] = {
    [FIELD_TEXT] = read_text,
    [FIELD_TEMPLATE] = read_text,
    [FIELD_URI] = read_text,
    [FIELD_FLAG] = read_flag,
    [FIELD_NUMBER] = read_number,
    [FIELD_ID] = read_id,
    [FIELD_TIME] = read_time,
    [FIELD_LIFETIME] = read_lifetime,
    [FIELD_CHOICE] = read_choice,
    [FIELD_SECRET] = read_secret,
    [FIELD_OBJECT] = read_object,
    [FIELD_SECRET_OBJECT] = read_secret_object,
    [FIELD_PARAMS] = read_params,
    [FIELD_STRINGS] = read_strings,
    [FIELD_HEADERS] = read_headers,
    [FIELD_BODY] = read_body,
    [FIELD_RULES] = read_rules,
    [FIELD_PATH] = read_path,
    [FIELD_JSON_OBJECT] = read_json_object,
};

/* ---- the walk through the fixed levels ---- */

/* A preset is no application: nothing that identifies one, nothing secret. */
static bool preset_may_have(enum iclient_field field)
{
    enum iclient_field_kind kind = iclient_field_row(field)->kind;
    if (kind == FIELD_SECRET || kind == FIELD_SECRET_OBJECT || kind == FIELD_ID || kind == FIELD_TIME)
        return false;
    return field != ICLIENT_NAME && field != ICLIENT_TENANT && field != ICLIENT_COMPONENT && field != ICLIENT_VERSION &&
           field != ICLIENT_CLIENT_ID;
}

static void add_to_document(struct field_walk *walk, json_t *level, const char *name, json_t *take_value)
{
    if (json_object_set_new(level, name, take_value) < 0)
        walk->faults->no_memory = true;
}

static json_t *read_normal(struct field_walk *walk, enum iclient_field field, const json_t *value)
{
    const bool had_errors = walk->faults->has_errors;
    walk->faults->has_errors = false;
    json_t *normal = readers[iclient_field_row(field)->kind](walk, field, value);
    walk->faults->no_memory |= !normal && !walk->faults->has_errors;
    walk->faults->has_errors |= had_errors;
    return normal;
}

/*
 * Left blank in a form; at its word it would ask for a token without even a grant_type. A revocation may well have no
 * body.
 */
static bool is_blank_body(enum iclient_field field, const json_t *value)
{
    const char *text = json_string_value(value);
    return (field == ICLIENT_TOKEN_BODY || field == ICLIENT_REFRESH_BODY) && text &&
           text[strspn(text, " \t\r\n")] == '\0';
}

/*
 * What the document shows in place of headers, a body or parameters with literal secrets: their normal form, as JSON
 * text where they were text. NULL: there are none.
 */
static json_t *mask_wire_secrets(struct field_walk *walk, const struct iclient_field_row *row, const json_t *value,
                                 const json_t *normal)
{
    if (!wire_secret_has_kind(row->kind))
        return NULL;
    if (wire_secret_has_mask(normal))
        document_fault(walk->faults, row->pointer, "write the secret itself",
                       "has the mask that stands for a secret, not a secret");
    bool done;
    AUTO_JSON masked = wire_secret_mask(normal, &done);
    json_t *spelled = masked ? wire_secret_spell(value, masked) : NULL;
    walk->faults->no_memory |= !done || (masked && !spelled);
    return spelled;
}

/* Another word for a choice is, too: who wrote it may not know ours. */
static bool is_given_back_as_written(const struct iclient_field_row *row, const json_t *value, const json_t *normal)
{
    if (row->other_words)
        return strcasecmp(json_string_value(value), json_string_value(normal)) != 0;
    return row->kind == FIELD_HEADERS || row->kind == FIELD_BODY || row->kind == FIELD_LIFETIME ||
           row->kind == FIELD_JSON_OBJECT;
}

static void read_field(struct field_walk *walk, enum iclient_field field, const char *name, const json_t *value,
                       json_t *level)
{
    const struct iclient_field_row *row = iclient_field_row(field);
    if (walk->reader->preset && !preset_may_have(field)) {
        document_fault(walk->faults, row->pointer, NULL, "belongs to an iClient, not to a preset");
        return;
    }
    if (row->kind == FIELD_COMPUTED)
        return;
    if (field_set_has(walk->set, field)) {
        document_fault(walk->faults, row->pointer, "leave one of the two out", "stands there twice, once as \"%s\"",
                       name);
        return;
    }
    bool is_blank = is_blank_body(field, value);
    if (is_blank)
        document_warning(walk->faults, row->pointer, "write {} for a request without parameters",
                         "is empty: the default parameters are sent");
    if (is_blank || (json_is_null(value) && !row->choice_nullable)) {
        add_to_document(walk, level, name, json_deep_copy(value));
        return;
    }
    json_t *normal = read_normal(walk, field, value);
    walk->set->values[walk->set->value_count++] = (struct field_value){.field = field, .value = normal};
    if (!normal)
        return;
    json_t *masked = mask_wire_secrets(walk, row, value, normal);
    bool is_as_written = is_given_back_as_written(row, value, normal);
    if (masked)
        add_to_document(walk, level, name, masked);
    else
        add_to_document(walk, level, name, is_as_written ? json_deep_copy(value) : json_incref(normal));
}

static bool is_preset_extra(const struct field_walk *walk, const char *parent, const char *name)
{
    return walk->reader->preset && *parent == '\0' && (strcmp(name, "noGrant") == 0 || strcmp(name, "notes") == 0);
}

static json_t *read_level(struct field_walk *walk, const char *parent, const json_t *object);

static void unknown_member(struct field_walk *walk, const char *parent, const char *name)
{
    AUTO_FINISH(text_buffer) pointer;
    text_buffer_init(&pointer, POINTER_MAX);
    text_buffer_append_text(&pointer, parent);
    json_pointer_append(&pointer, name);
    document_fault_nearest(walk->faults, text_buffer_text(&pointer), iclient_field_nearest(parent, name),
                           "is no field of %s", walk->reader->preset ? "a preset" : "an iClient");
}

static void read_member(struct field_walk *walk, const char *parent, const char *name, const json_t *value,
                        json_t *level)
{
    enum iclient_field field = iclient_field_find(parent, name);
    if (field != ICLIENT_FIELD_COUNT) {
        read_field(walk, field, name, value, level);
        return;
    }
    if (is_preset_extra(walk, parent, name))
        return;
    const char *group = iclient_field_group(parent, name);
    if (group && json_is_object(value))
        add_to_document(walk, level, name, read_level(walk, group, value));
    else if (group && json_is_null(value))
        add_to_document(walk, level, name, json_null());
    else if (group)
        wrong_type(walk, group, "an object", value);
    else
        unknown_member(walk, parent, name);
}

static json_t *read_level(struct field_walk *walk, const char *parent, const json_t *object)
{
    json_t *level = json_object();
    walk->faults->no_memory |= !level;
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)object, name, value) {
        read_member(walk, parent, name, value, level);
    }
    return level;
}

/* Gives back the room that only a document with every field would need. */
static void fit(struct field_set *set)
{
    struct field_value *values = reallocarray(set->values, set->value_count ? set->value_count : 1, sizeof *values);
    if (values)
        set->values = values;
    struct field_secret *secrets =
        reallocarray(set->secrets, set->secret_count ? set->secret_count : 1, sizeof *secrets);
    if (secrets)
        set->secrets = secrets;
}

bool field_set_read(struct field_set *set, const json_t *document, const struct field_reader *reader)
{
    memset(set, 0, sizeof *set);
    if (!json_is_object(document)) {
        document_fault(reader->faults, "", NULL, "must be an object");
        return false;
    }
    set->values = calloc(ICLIENT_FIELD_COUNT, sizeof *set->values);
    set->secrets = calloc(ICLIENT_FIELD_COUNT, sizeof *set->secrets);
    if (!set->values || !set->secrets) {
        reader->faults->no_memory = true;
        return false;
    }
    struct field_walk walk = {.reader = reader, .faults = reader->faults, .set = set};
    set->document = read_level(&walk, "", document);
    fit(set);
    return !reader->faults->has_errors && !reader->faults->no_memory;
}
