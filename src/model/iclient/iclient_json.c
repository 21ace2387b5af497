#include <string.h>

#include "base/text/base64.h"
#include "model/iclient/field_rule.h"
#include "model/iclient/iclient.h"
#include "model/iclient/iclient_record.h"
#include "model/iclient/provider_preset_fields.h"
#include "model/template/wire_text.h"

/* ---- load ---- */

static void drop_nulls(json_t *object)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe (object, next, name, value) {
        if (json_is_null(value))
            json_object_del(object, name);
    }
}

/* Both values of a field that is merged member by member, the document's over the preset's. New reference. */
static json_t *merged(enum iclient_field_kind kind, const json_t *below, const json_t *above)
{
    if (kind == FIELD_HEADERS)
        return headers_merge(below, above);
    AUTO_JSON object = json_deep_copy(below);
    if (!object || json_object_update_recursive(object, (json_t *)above) < 0)
        return NULL;
    return TAKE(object);
}

static bool lay_over_preset(struct iclient *iclient)
{
    for (size_t i = 0; i < iclient->fields.value_count; i++) {
        const struct field_value *own = &iclient->fields.values[i];
        const enum iclient_field_kind kind = iclient_field_row(own->field)->kind;
        if (!own->value ||
            (kind != FIELD_OBJECT && kind != FIELD_JSON_OBJECT && kind != FIELD_PARAMS && kind != FIELD_HEADERS))
            continue;
        /* A payload says all that is signed: nothing of the preset's is added to it. */
        if (own->field == ICLIENT_JWT_PAYLOAD)
            continue;
        const json_t *below = provider_preset_own_value(iclient->preset, own->field);
        if (!below && kind != FIELD_PARAMS)
            continue;
        AUTO_JSON value = below ? merged(kind, below, own->value) : json_deep_copy(own->value);
        if (!value)
            return false;
        if (kind == FIELD_PARAMS)
            drop_nulls(value);
        field_set_replace(&iclient->fields, own->field, TAKE(value));
    }
    return true;
}

/* jwt.isSecretBase64Encoded: the key is what jwt.secret is the Base64 of. */
static void decode_jwt_secret(struct iclient *iclient, struct document_faults *faults)
{
    const struct secret *secret = iclient_secret(iclient, ICLIENT_JWT_SECRET);
    if (!secret || !iclient_flag(iclient, ICLIENT_JWT_SECRET_IS_BASE64))
        return;
    AUTO_FINISH(text_buffer) key;
    text_buffer_init(&key, SECRET_MAX);
    enum status status = base64_decode_pasted(secret_reveal(secret), secret_length(secret), &key);
    if (status == ERR_INVALID)
        document_fault(faults, iclient_field_row(ICLIENT_JWT_SECRET)->pointer, NULL,
                       "is no Base64, contrary to jwt.isSecretBase64Encoded");
    else if (status != OK || !(iclient->jwt_key = text_buffer_take_secret(&key)))
        faults->no_memory = true;
}

enum status iclient_from_json(const json_t *document, struct provider_preset *preset, const char *file,
                              const struct iclient_options *options, const struct secret_resolver *resolve,
                              struct fault_list *faults, struct iclient **ret_iclient)
{
    struct document_faults document_faults = {.list = faults, .file = file};
    const struct field_reader reader = {.faults = &document_faults, .resolve = resolve};
    AUTO(iclient) iclient = calloc(1, sizeof *iclient);
    if (!iclient)
        return ERR_NO_MEMORY;
    iclient->holds = 1;
    iclient->preset = provider_preset_hold(preset);
    iclient->file = strdup(file);
    if (!iclient->file)
        return ERR_NO_MEMORY;
    field_set_read(&iclient->fields, document, &reader);
    if (!json_is_object(document) || document_faults.no_memory)
        return document_faults_status(&document_faults);
    decode_jwt_secret(iclient, &document_faults);
    if (!lay_over_preset(iclient) || !iclient_derive(iclient, options))
        return ERR_NO_MEMORY;
    iclient_validate(iclient, options, &document_faults);
    enum status status = document_faults_status(&document_faults);
    if (status == OK)
        *ret_iclient = TAKE(iclient);
    return status;
}

/* ---- give back ---- */

/* The member of object, made when it is not there. Borrowed. */
static json_t *group(json_t *object, const char *name)
{
    json_t *found = json_object_get(object, name);
    if (found)
        return found;
    return json_object_set_new(object, name, json_object()) < 0 ? NULL : json_object_get(object, name);
}

/* What failPath, failValues and failStatusCode come to; NULL also when they are not configured. */
static json_t *flat_failures(const struct iclient *iclient, bool *ret_done)
{
    int status = (int)iclient_number(iclient, ICLIENT_FAIL_STATUS_CODE, 0);
    const char *path = iclient_text(iclient, ICLIENT_FAIL_PATH);
    *ret_done = true;
    if (status == 0 && !path)
        return NULL;
    AUTO(failure_rules) rules = failure_rules_create();
    json_t *failures = NULL;
    if (rules && failure_rules_add(rules, status, path, iclient_json(iclient, ICLIENT_FAIL_VALUES), NULL) == OK)
        failures = failure_rules_to_json(rules);
    *ret_done = failures != NULL;
    return failures;
}

static bool add_computed(const struct iclient *iclient, json_t *document)
{
    json_t *oauth2 = group(document, "oauth2");
    bool done;
    json_t *failures = flat_failures(iclient, &done);
    if (failures)
        done = json_object_set_new(oauth2, "failures", failures) == 0;
    return done && json_object_set_new(oauth2, "useNewAuthFailSchema", json_true()) == 0;
}

/* Defaults that a reader of the document is to see (integrator.io's OpenAPI schema). */
static bool add_defaults(const struct iclient *iclient, json_t *document)
{
    if (json_object_set_new(document, "_id", json_string(iclient->id)) < 0)
        return false;
    const char *form = json_object_get(document, "_httpConnectorId") ? "assistant" : "http";
    if (!json_object_get(document, "formType") && json_object_set_new(document, "formType", json_string(form)) < 0)
        return false;
    return json_object_get(document, "published") || json_object_set_new(document, "published", json_false()) == 0;
}

json_t *iclient_to_json(const struct iclient *iclient)
{
    AUTO_JSON document = json_deep_copy(iclient->fields.document);
    if (!document || !add_defaults(iclient, document) || !add_computed(iclient, document))
        return NULL;
    return TAKE(document);
}
