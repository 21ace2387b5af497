#include "protocol/request/template_json.h"

#include <stdint.h>

#include "base/cleanup.h"
#include "base/text/text_buffer.h"

static enum status render_string(const json_t *value, template_lookup *lookup, const void *context,
                                 json_t **ret_rendered, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TEMPLATE_RESULT_MAX);
    enum status status =
        template_render(json_string_value(value), TEMPLATE_IN_VALUE, lookup, context, &text, ret_error);
    if (status != OK)
        return status;
    *ret_rendered = json_stringn(text_buffer_text(&text), text.length);
    return *ret_rendered ? OK : error_set(ret_error, ERR_INVALID, "a rendered value is not UTF-8");
}

static enum status render_object(const json_t *value, template_lookup *lookup, const void *context,
                                 json_t **ret_rendered, struct error *ret_error)
{
    AUTO_JSON object = json_object();
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
        json_t *rendered = NULL;
        enum status status = template_json_render(member, lookup, context, &rendered, ret_error);
        if (status != OK)
            return status;
        if (json_object_set_new(object, name, rendered) != 0)
            return error_set(ret_error, ERR_NO_MEMORY, "%s", name);
    }
    *ret_rendered = TAKE(object);
    return *ret_rendered ? OK : error_set(ret_error, ERR_NO_MEMORY, "object");
}

static enum status render_array(const json_t *value, template_lookup *lookup, const void *context,
                                json_t **ret_rendered, struct error *ret_error)
{
    AUTO_JSON array = json_array();
    size_t index;
    json_t *element;
    json_array_foreach (value, index, element) {
        json_t *rendered = NULL;
        enum status status = template_json_render(element, lookup, context, &rendered, ret_error);
        if (status != OK)
            return status;
        if (json_array_append_new(array, rendered) != 0)
            return error_set(ret_error, ERR_NO_MEMORY, "array");
    }
    *ret_rendered = TAKE(array);
    return *ret_rendered ? OK : error_set(ret_error, ERR_NO_MEMORY, "array");
}

enum status template_json_render(const json_t *value, template_lookup *lookup, const void *context,
                                 json_t **ret_rendered, struct error *ret_error)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return render_string(value, lookup, context, ret_rendered, ret_error);
    case JSON_OBJECT:
        return render_object(value, lookup, context, ret_rendered, ret_error);
    case JSON_ARRAY:
        return render_array(value, lookup, context, ret_rendered, ret_error);
    default:
        *ret_rendered = json_incref((json_t *)(uintptr_t)value);
        return OK;
    }
}
