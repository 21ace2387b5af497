#include "model/reply/reply_document.h"

void reply_document_finish(struct reply_document *document)
{
    json_decref(document->json);
    xml_document_destroy(document->xml);
    *document = (struct reply_document){0};
}

static bool keep_text(void *context, const char *text)
{
    json_t **value = context;
    *value = json_string(text);
    return true;
}

json_t *reply_document_member(const struct reply_document *document, const char *name)
{
    json_t *value = NULL;
    if (document->xml)
        xml_document_each_child(document->xml, name, keep_text, &value);
    else
        value = json_incref(json_object_get(document->json, name));
    return value;
}
