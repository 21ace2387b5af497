#include "model/iclient/iclient_schema.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/iclient/iclient_field.h"

enum { POINTER_SIZE = 128 };

/* Where the schema speaks of a field: "/oauth2/token/uri" is properties, oauth2, properties, token, properties, uri. */
static const json_t *schema_of(const json_t *schema, const char *pointer)
{
    char steps[POINTER_SIZE];
    strcpy(steps, pointer);
    char *rest;
    for (char *step = strtok_r(steps, "/", &rest); step; step = strtok_r(NULL, "/", &rest))
        schema = json_object_get(json_object_get(schema, "properties"), step);
    return schema;
}

Test(iclient_schema, has_each_field_with_its_description_and_default)
{
    AUTO_JSON schema = iclient_schema_create();
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const struct iclient_field_row *row = iclient_field_row(field);
        const json_t *part = schema_of(schema, row->pointer);
        cr_assert(json_is_object(part), "%s", row->pointer);
        cr_assert(json_is_string(json_object_get(part, "description")), "%s", row->pointer);
        AUTO_JSON fallback = row->fallback ? json_loads(row->fallback, JSON_DECODE_ANY, NULL) : NULL;
        cr_assert(json_equal(json_object_get(part, "default"), fallback) || !fallback, "%s", row->pointer);
        cr_assert_eq(json_object_get(part, "default") == NULL, fallback == NULL, "%s", row->pointer);
    }
}

Test(iclient_schema, closes_each_level)
{
    static const char *const levels[] = {"", "/jwt", "/oauth2", "/oauth2/token", "/oauth2/revoke", "/ebay"};
    AUTO_JSON schema = iclient_schema_create();
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const json_t *level = schema_of(schema, levels[i]);
        cr_assert(json_is_false(json_object_get(level, "additionalProperties")), "%s", levels[i]);
    }
}

Test(iclient_schema, refers_to_definitions_that_it_has)
{
    AUTO_JSON schema = iclient_schema_create();
    const json_t *definitions = json_object_get(schema, "$defs");
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++) {
        const json_t *part = schema_of(schema, iclient_field_row(field)->pointer);
        const char *reference = json_string_value(json_object_get(part, "$ref"));
        cr_assert(!reference || json_object_get(definitions, reference + strlen("#/$defs/")), "%s", reference);
    }
}
