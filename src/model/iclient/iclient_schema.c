#include "model/iclient/iclient_schema.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text/text_buffer.h"
#include "model/catalog/document_secrets.h"
#include "model/iclient/field_rule.h"
#include "model/iclient/iclient_description.h"

/* JSON as it is written: the preprocessor puts the quotes. */
#define JSON(...) #__VA_ARGS__

enum { PATTERN_MAX = 2048, POINTER_MAX = 128 };

/* ---- kinds: what one field's value may be ---- */

/* A CHOICE is built from the words of its own row. */
static const struct {
    const char *name, *schema;
} kinds[] = {
    [FIELD_TEXT] = {"text", JSON({"type" : "string", "maxLength" : 8192})},
    [FIELD_TEMPLATE] = {"template", JSON({"type" : "string", "maxLength" : 8192})},
    [FIELD_URI] = {"uri", JSON({"type" : "string", "maxLength" : 8192, "pattern" : "^[Hh][Tt][Tt][Pp][Ss]?://"})},
    [FIELD_FLAG] = {"flag", JSON({"type" : "boolean"})},
    [FIELD_NUMBER] = {"number", JSON({"type" : "integer", "minimum" : 0})},
    [FIELD_ID] = {"id", JSON({"type" : "string", "pattern" : "^[0-9A-Fa-f]{24}$"})},
    [FIELD_TIME] = {"time", JSON({"type" : "string", "format" : "date-time", "readOnly" : true})},
    [FIELD_LIFETIME] = {"lifetime", JSON({"anyOf" : [ {"type" : "integer", "minimum" : 0}, {"const" : "never"} ]})},
    [FIELD_COMPUTED] = {"computed", JSON({"readOnly" : true})},
    [FIELD_SECRET] = {"secret", JSON({"anyOf" : [ {"$ref" : "#/$defs/literal"}, {"$ref" : "#/$defs/reference"} ]})},
    [FIELD_SECRET_OBJECT] = {"secretObject",
                             JSON({"type" : "object", "additionalProperties" : {"$ref" : "#/$defs/secretMember"}})},
    [FIELD_OBJECT] = {"object", JSON({"type" : "object"})},
    [FIELD_PARAMS] = {"params", JSON({
                          "type" : "object",
                          "maxProperties" : 128,
                          "propertyNames" : {"minLength" : 1},
                          "additionalProperties" : {"type" : [ "string", "number", "boolean", "null" ]}
                      })},
    [FIELD_STRINGS] =
        {"strings",
         JSON(
             {"anyOf" : [ {"type" : "string"}, {"type" : "array", "maxItems" : 256, "items" : {"type" : "string"}} ]})},
    [FIELD_HEADERS] = {"headers", JSON({
                           "anyOf" : [
                               {"type" : "string"}, {"type" : "object", "additionalProperties" : {"type" : "string"}},
                               {"type" : "array", "items" : {"$ref" : "#/$defs/header"}}
                           ]
                       })},
    [FIELD_BODY] = {"body", JSON({"anyOf" : [ {"type" : "string"}, {"type" : "object", "maxProperties" : 128} ]})},
    [FIELD_PATH] = {"path", JSON({"type" : "string", "minLength" : 1, "maxLength" : 256})},
    [FIELD_JSON_OBJECT] = {"jsonObject", JSON({"type" : [ "object", "string" ]})},
    [FIELD_RULES] = {"rules", JSON({"type" : "array", "maxItems" : 64, "items" : {"$ref" : "#/$defs/rule"}})},
};

/* What the kinds refer to. */
static const struct {
    const char *name, *schema;
} parts[] = {
    {"literal", "{\"type\": \"string\", \"minLength\": 1, \"not\": {\"const\": \"" SECRET_MASK "\"}}"},
    {"reference", JSON({
         "type" : "object",
         "minProperties" : 1,
         "maxProperties" : 1,
         "additionalProperties" : false,
         "properties" : {
             "$file" : {"type" : "string", "minLength" : 1, "description" : "A file, relative to this document."},
             "$credential" : {"type" : "string", "minLength" : 1, "description" : "A systemd credential."},
             "$env" : {"type" : "string", "minLength" : 1, "description" : "A variable of the daemon's environment."}
         }
     })},
    {"secretMember", JSON({
         "anyOf" : [
             {"$ref" : "#/$defs/literal"}, {"type" : [ "number", "boolean", "null" ]},
             {"type" : "array", "items" : {"$ref" : "#/$defs/secretMember"}}, {
                 "type" : "object",
                 "if" : {"minProperties" : 1, "maxProperties" : 1, "propertyNames" : {"pattern" : "^\\$"}},
                 "then" : {"$ref" : "#/$defs/reference"},
                 "else" : {"additionalProperties" : {"$ref" : "#/$defs/secretMember"}}
             }
         ]
     })},
    {"header", JSON({
         "type" : "object",
         "required" : [ "name", "value" ],
         "additionalProperties" : false,
         "properties" : {"name" : {"type" : "string"}, "value" : {"type" : "string"}}
     })},
    {"rule", JSON({
         "type" : "object",
         "additionalProperties" : false,
         "anyOf" : [ {"required" : ["statusCode"]}, {"required" : ["path"]} ],
         "properties" : {
             "statusCode" : {"type" : "integer", "minimum" : 100, "maximum" : 599},
             "path" : {"type" : "string", "minLength" : 1, "maxLength" : 256},
             "values" : {
                 "anyOf" : [
                     {"type" : "string"}, {
                         "type" : "array",
                         "maxItems" : 256,
                         "items" : {"type" : [ "string", "number", "boolean", "null" ]}
                     }
                 ]
             }
         }
     })},
};

/* What single fields ask for beyond their kind. */
static const struct {
    enum iclient_field field;
    const char *schema;
} details[] = {
    {ICLIENT_NAME, JSON({"pattern" : "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"})},
    {ICLIENT_PROVIDER, JSON({"pattern" : "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"})},
    {ICLIENT_TENANT, JSON({"pattern" : "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"})},
    {ICLIENT_COMPONENT, JSON({"pattern" : "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"})},
    {ICLIENT_VERSION, JSON({"pattern" : "^[!-~]{1,64}$"})},
    {ICLIENT_FAIL_STATUS_CODE, JSON({"minimum" : 100, "maximum" : 599})},
};

/* ---- one field ---- */

static bool set(json_t *object, const char *name, json_t *take_value)
{
    return take_value && json_object_set_new(object, name, take_value) == 0;
}

static json_t *reference_to_kind(enum iclient_field_kind kind)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/$defs/%s", kinds[kind].name));
}

/* Words are read in any case, and JSON Schema has only patterns for that. */
static void append_any_case(struct text_buffer *pattern, const char *word)
{
    text_buffer_append_text(pattern, pattern->length > 0 ? "|" : "^(");
    for (const char *at = word; *at; at++) {
        if (isalpha((unsigned char)*at))
            text_buffer_append_format(pattern, "[%c%c]", toupper((unsigned char)*at), tolower((unsigned char)*at));
        else
            text_buffer_append(pattern, at, 1);
    }
}

static json_t *any_case(const struct iclient_field_row *row)
{
    AUTO_FINISH(text_buffer) pattern;
    text_buffer_init(&pattern, PATTERN_MAX);
    for (size_t i = 0; row->choices[i]; i++)
        append_any_case(&pattern, row->choices[i]);
    for (const struct iclient_field_word *other = row->other_words; other && other->word; other++)
        append_any_case(&pattern, other->word);
    text_buffer_append_text(&pattern, ")$");
    return pattern.failed ? NULL : json_pack("{s:s, s:s}", "type", "string", "pattern", text_buffer_text(&pattern));
}

/* The words themselves first: what an editor offers. */
static json_t *word_of(const struct iclient_field_row *row)
{
    AUTO_JSON words = json_array();
    for (size_t i = 0; row->choices[i]; i++) {
        if (json_array_append_new(words, json_string(row->choices[i])) != 0)
            return NULL;
    }
    if (row->choice_nullable && json_array_append_new(words, json_null()) != 0)
        return NULL;
    return json_pack("{s:[{s:o}, o]}", "anyOf", "enum", TAKE(words), any_case(row));
}

static json_t *words_of(const struct iclient_field_row *row)
{
    AUTO_JSON word = word_of(row);
    return json_pack("{s:[O, {s:s, s:O}]}", "anyOf", word, "type", "array", "items", word);
}

static bool is_required(const struct iclient_field_row *row)
{
    return row == iclient_field_row(ICLIENT_NAME) || row == iclient_field_row(ICLIENT_PROVIDER);
}

/* Null is the same as nothing, but where it is a value of its own or something has to be there. */
static json_t *value_schema(const struct iclient_field_row *row)
{
    if (row->choice_nullable || is_required(row))
        return row->kind == FIELD_CHOICE ? word_of(row) : reference_to_kind(row->kind);
    AUTO_JSON schema = row->kind == FIELD_CHOICE ? word_of(row)
                       : row->choices            ? words_of(row)
                                                 : reference_to_kind(row->kind);
    return json_pack("{s:[O, {s:s}]}", "anyOf", schema, "type", "null");
}

static bool add_details(json_t *schema, enum iclient_field field)
{
    for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
        if (details[i].field != field)
            continue;
        AUTO_JSON detail = json_loads(details[i].schema, 0, NULL);
        return detail && json_object_update(schema, detail) == 0;
    }
    return true;
}

/* The keywords say nothing of values of other types. An empty list with commas is refused where an element may be
 * empty. */
static bool refuse_empty(json_t *schema, enum iclient_field field)
{
    const struct iclient_field_row *row = iclient_field_row(field);
    if (row->kind != FIELD_TEXT && row->kind != FIELD_STRINGS)
        return true;
    bool refused = field_rule_broken(field, "") != NULL;
    if ((refused || row->comma_separated) && !set(schema, "minLength", json_integer(1)))
        return false;
    return !refused || row->kind != FIELD_STRINGS || set(schema, "items", json_pack("{s:i}", "minLength", 1));
}

static json_t *field_schema(enum iclient_field field)
{
    const struct iclient_field_row *row = iclient_field_row(field);
    AUTO_JSON schema = value_schema(row);
    bool done = set(schema, "description", json_string(iclient_field_description(field)));
    if (row->fallback)
        done = done && set(schema, "default", json_loads(row->fallback, JSON_DECODE_ANY, NULL));
    return done && refuse_empty(schema, field) && add_details(schema, field) ? TAKE(schema) : NULL;
}

/* ---- the document ---- */

/* The level called name within properties; borrowed. Made when it is not there yet. */
static json_t *find_level(json_t *properties, const char *name)
{
    json_t *level = json_object_get(properties, name);
    if (level)
        return level;
    level = json_pack("{s:[s, s], s:b, s:{}}", "type", "object", "null", "additionalProperties", 0, "properties");
    return set(properties, name, level) ? level : NULL;
}

static bool add_field(json_t *properties, const char *at, enum iclient_field field)
{
    char pointer[POINTER_MAX];
    snprintf(pointer, sizeof pointer, "%s", at);
    char *name = pointer + 1;
    for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
        *slash = '\0';
        properties = json_object_get(find_level(properties, name), "properties");
    }
    return set(properties, name, field_schema(field));
}

static bool add_definitions(json_t *definitions)
{
    bool done = true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].name)
            done = done && set(definitions, kinds[i].name, json_loads(kinds[i].schema, 0, NULL));
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        done = done && set(definitions, parts[i].name, json_loads(parts[i].schema, 0, NULL));
    return done;
}

json_t *iclient_schema_create(void)
{
    AUTO_JSON schema = json_pack("{s:s, s:s, s:s, s:s, s:[s, s], s:b, s:{}, s:{}}", "$schema",
                                 "https://json-schema.org/draft/2020-12/schema", "title", "iClient", "description",
                                 "An application that is registered at an OAuth 2.0 provider.", "type", "object",
                                 "required", "name", "provider", "additionalProperties", 0, "properties", "$defs");
    bool done = add_definitions(json_object_get(schema, "$defs"));
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++)
        done = done && add_field(json_object_get(schema, "properties"), iclient_field_row(field)->pointer, field);
    enum iclient_field field;
    const char *pointer;
    for (size_t i = 0; (pointer = iclient_field_second_pointer(i, &field)); i++)
        done = done && add_field(json_object_get(schema, "properties"), pointer, field);
    return done ? TAKE(schema) : NULL;
}
