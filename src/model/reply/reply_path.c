#include "model/reply/reply_path.h"

#include <stdlib.h>
#include <string.h>

#include "base/json/json_path.h"

struct reply_path {
    char *text;
    struct json_path *json; /* exactly one of the two is set */
    struct xml_path *xml;
};

enum status reply_path_compile(const char *text, struct reply_path **ret_path, struct error *ret_error)
{
    if (*text == '\0' || strlen(text) > REPLY_PATH_MAX)
        return error_set(ret_error, ERR_INVALID, "path is empty or longer than %d bytes", REPLY_PATH_MAX);
    AUTO(reply_path) path = calloc(1, sizeof *path);
    if (!path || !(path->text = strdup(text)))
        return error_set(ret_error, ERR_NO_MEMORY, "path");
    enum status status =
        *text == '/' ? xml_path_compile(text, &path->xml, ret_error) : json_path_compile(text, &path->json, ret_error);
    if (status == OK)
        *ret_path = TAKE(path);
    return status;
}

void reply_path_destroy(struct reply_path *path)
{
    if (!path)
        return;
    json_path_destroy(path->json);
    xml_path_destroy(path->xml);
    free(path->text);
    free(path);
}

const char *reply_path_text(const struct reply_path *path)
{
    return path->text;
}

bool reply_path_is_xpath(const struct reply_path *path)
{
    return path->xml != NULL;
}

/* ---- gathering values ---- */

struct gathering {
    json_t *values; /* an array */
    size_t size;
};

static bool gather(void *context, json_t *value)
{
    struct gathering *gathering = context;
    if (json_array_append(gathering->values, value) != 0)
        return true;
    return json_array_size(gathering->values) == REPLY_VALUES_MAX;
}

static bool gather_text(void *context, const char *text)
{
    struct gathering *gathering = context;
    size_t length = strlen(text);
    if (length > REPLY_VALUES_SIZE_MAX - gathering->size)
        return true;
    gathering->size += length;
    AUTO_JSON value = json_stringn(text, length);
    return !value || gather(gathering, value);
}

static void gather_from_xml(const struct reply_path *path, const struct xml_document *xml, struct gathering *gathering)
{
    const char *name = path->json ? json_path_single_name(path->json) : NULL;
    if (path->xml)
        xml_path_each(path->xml, xml, gather_text, gathering);
    else if (name)
        xml_document_each_child(xml, name, gather_text, gathering);
}

/* An array of all values; NULL: no memory. */
static json_t *find_all(const struct reply_path *path, const struct reply_document *document)
{
    struct gathering gathering = {.values = json_array()};
    if (!gathering.values)
        return NULL;
    if (document->xml)
        gather_from_xml(path, document->xml, &gathering);
    else if (path->json)
        json_path_each(path->json, document->json, gather, &gathering);
    return gathering.values;
}

static bool keep_first(void *context, json_t *value)
{
    json_t **first = context;
    *first = json_incref(value);
    return true;
}

static bool may_be_many(const struct reply_path *path, const struct reply_document *document)
{
    return document->xml || (path->json && json_path_is_many(path->json));
}

json_t *reply_path_find(const struct reply_path *path, const struct reply_document *document)
{
    json_t *value = NULL;
    if (!path || !document)
        return NULL;
    if (may_be_many(path, document)) {
        AUTO_JSON values = find_all(path, document);
        if (json_array_size(values) == 1 && document->xml)
            return json_incref(json_array_get(values, 0));
        return json_array_size(values) > 0 ? TAKE(values) : NULL;
    }
    if (path->json)
        json_path_each(path->json, document->json, keep_first, &value);
    return value;
}

static bool says_something(const json_t *value)
{
    return !json_is_null(value) && !(json_is_string(value) && json_string_length(value) == 0);
}

json_t *reply_path_find_one(const struct reply_path *path, const struct reply_document *document)
{
    if (!path || !document || !may_be_many(path, document))
        return reply_path_find(path, document);
    AUTO_JSON values = find_all(path, document);
    size_t index;
    json_t *value;
    json_array_foreach (values, index, value) {
        if (says_something(value))
            return json_incref(value);
    }
    return NULL;
}
