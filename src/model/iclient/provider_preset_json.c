#include <string.h>

#include "model/iclient/field_view.h"
#include "model/rule/name_rule.h"
#include "model/iclient/provider_preset_record.h"
#include "model/iclient/reserved_param.h"
#include "model/template/template_check.h"
#include "model/rule/uri_policy.h"

/* "noGrant" and "notes" are a preset's alone, so they are not in the iClient's table. */
static void read_extras(struct provider_preset *preset, const json_t *document, struct document_faults *faults)
{
    const json_t *no_grant = json_object_get(document, "noGrant");
    if (json_is_string(no_grant) && json_string_length(no_grant) > 0) {
        preset->no_grant = strdup(json_string_value(no_grant));
        faults->no_memory |= !preset->no_grant;
    } else if (no_grant) {
        document_fault(faults, "/noGrant", NULL, "must be a sentence that says why");
    }
    const json_t *notes = json_object_get(document, "notes");
    bool sentences = !notes || json_is_array(notes);
    for (size_t i = 0; i < json_array_size(notes); i++)
        sentences = sentences && json_is_string(json_array_get(notes, i));
    if (!sentences)
        document_fault(faults, "/notes", NULL, "must be an array of sentences");
}

static void check_preset(const struct provider_preset *preset, struct document_faults *faults)
{
    const struct field_view view = {.own = &preset->fields};
    const char *provider = field_view_text(&view, ICLIENT_PROVIDER);
    if (!name_is_valid(preset->name))
        document_fault(faults, "", "rename the file", "the preset's name " NAME_RULE_TEXT);
    if (provider && strcmp(provider, preset->name) != 0)
        document_fault(faults, "/provider", NULL, "must be the preset's own name, \"%s\"", preset->name);
    template_check_fields(&view, true, faults, NULL, NULL);
    reserved_param_check(&view, faults);
    url_policy_destroy(uri_policy_create(&view, false, faults));
}

enum status provider_preset_from_json(const char *name, const json_t *document, const char *file,
                                      struct fault_list *faults, struct provider_preset **ret_preset)
{
    struct document_faults document_faults = {.list = faults, .file = file};
    const struct field_reader reader = {.faults = &document_faults, .preset = true};
    AUTO(provider_preset) preset = calloc(1, sizeof *preset);
    if (!preset || !(preset->name = strdup(name)))
        return ERR_NO_MEMORY;
    preset->holds = 1;
    field_set_read(&preset->fields, document, &reader);
    read_extras(preset, document, &document_faults);
    check_preset(preset, &document_faults);
    document_faults.no_memory |= !provider_preset_read_defaults(preset);
    enum status status = document_faults_status(&document_faults);
    if (status == OK)
        *ret_preset = TAKE(preset);
    return status;
}
