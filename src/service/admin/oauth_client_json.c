#include "service/admin/oauth_client_json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "model/catalog/document_secrets.h"

#define TYPE "oauth-client"
#define TYPE_OF_OLD "flow" /* what the platform's own documentation asks for in one place */
#define ATTRIBUTES_PLACE "/data/attributes"
#define COMPONENT_PLACE "/data/relationships/component/data/id"

enum { POINTER_MAX = 512 };

/* What an attribute is in an iClient's document. */
static const struct {
    const char *name;
    const char *group; /* NULL: the document itself */
    const char *member;
    bool is_object;
} attributes[] = {
    {"client_id", "oauth2", "clientId", false},
    {"client_secret", "oauth2", "clientSecret", false},
    {"name", NULL, "name", false},
    {"provider", NULL, "provider", false},
    {"description", NULL, "description", false},
    {"oauth2", NULL, "oauth2", true},
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

/* ---- giving ---- */

static void append_text_member(struct text_buffer *buffer, const char *before, const char *text)
{
    text_buffer_append_text(buffer, before);
    if (text)
        text_buffer_append_json_string(buffer, text, strlen(text));
    else
        text_buffer_append_text(buffer, "null");
}

bool oauth_client_append_path(const char *tenant, const char *id, struct text_buffer *buffer)
{
    text_buffer_append_text(buffer, "/v2/tenants/");
    text_buffer_append_percent(buffer, tenant, strlen(tenant));
    text_buffer_append_text(buffer, "/oauth-clients/");
    return text_buffer_append_percent(buffer, id, strlen(id));
}

static void append_component(const struct iclient *iclient, struct text_buffer *buffer)
{
    const char *component = iclient_text(iclient, ICLIENT_COMPONENT);
    text_buffer_append_text(buffer, ",\"relationships\":{\"component\":{\"data\":");
    if (component)
        append_text_member(buffer, "{\"type\":\"component\",\"id\":", component);
    text_buffer_append_text(buffer, component ? "}}}" : "null}}");
}

bool oauth_client_append(const struct iclient *iclient, struct text_buffer *buffer)
{
    append_text_member(buffer, "{\"type\":\"" TYPE "\",\"id\":", iclient_id(iclient));
    append_text_member(buffer, ",\"attributes\":{\"client_id\":", iclient_client_id(iclient));
    append_text_member(buffer, ",\"client_secret\":", iclient_client_secret(iclient) ? SECRET_MASK : NULL);
    append_text_member(buffer, ",\"name\":", iclient_name(iclient));
    append_text_member(buffer, ",\"provider\":", iclient_text(iclient, ICLIENT_PROVIDER));
    append_text_member(buffer, ",\"description\":", iclient_text(iclient, ICLIENT_DESCRIPTION));
    text_buffer_append_text(buffer, "}");
    append_component(iclient, buffer);
    text_buffer_append_text(buffer, ",\"links\":{\"self\":\"");
    oauth_client_append_path(iclient_tenant(iclient), iclient_id(iclient), buffer);
    return text_buffer_append_text(buffer, "\"}}");
}

/* ---- reading ---- */

static void add_fault(struct fault_list *faults, const char *parent, const char *name, const char *hint,
                      const char *message)
{
    fault_list_add_member(faults, "", parent, name, hint, message);
}

static void read_type(const json_t *data, struct fault_list *faults)
{
    const char *type = json_read_string(data, "type");
    if (!type || (strcmp(type, TYPE) != 0 && strcmp(type, TYPE_OF_OLD) != 0))
        add_fault(faults, "/data", "type", NULL, "must be \"" TYPE "\"");
}

static void read_id(const json_t *data, const char *id, struct fault_list *faults)
{
    const json_t *own = json_object_get(data, "id");
    if (!own)
        return;
    if (!id)
        add_fault(faults, "/data", "id", "leave it out", "is the daemon's to choose");
    else if (!json_is_string(own) || strcmp(json_string_value(own), id) != 0)
        add_fault(faults, "/data", "id", NULL, "is not the one of the path");
}

static size_t find_attribute(const char *name)
{
    size_t i = 0;
    while (i < ATTRIBUTES && strcmp(attributes[i].name, name) != 0)
        i++;
    return i;
}

static void add_unknown(struct fault_list *faults, const char *name)
{
    const char *names[ATTRIBUTES];
    for (size_t i = 0; i < ATTRIBUTES; i++)
        names[i] = attributes[i].name;
    fault_list_add_unknown(faults, "", ATTRIBUTES_PLACE, name, names, ATTRIBUTES, "there is no such attribute");
}

/* Where its requests go stays what it was. */
static bool is_fixed(const struct iclient *iclient, const char *name, const json_t *value)
{
    if (!iclient || strcmp(name, "oauth2") == 0)
        return iclient != NULL;
    const char *text = json_string_value(value);
    return strcmp(name, "provider") == 0 && (!text || strcmp(text, iclient_text(iclient, ICLIENT_PROVIDER)) != 0);
}

static void read_attributes(const json_t *data, const struct iclient *iclient, struct fault_list *faults,
                            struct oauth_client_request *request)
{
    request->attributes = json_object_get(data, "attributes");
    if (request->attributes && !json_is_object(request->attributes))
        add_fault(faults, "/data", "attributes", NULL, "must be an object");
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)request->attributes, name, value) {
        size_t i = find_attribute(name);
        if (i == ATTRIBUTES)
            add_unknown(faults, name);
        else if (is_fixed(iclient, name, value))
            add_fault(faults, ATTRIBUTES_PLACE, name, "an operator changes it through /v1/iClients",
                      "is said at creation only");
        else if (attributes[i].is_object && !json_is_object(value))
            add_fault(faults, ATTRIBUTES_PLACE, name, NULL, "must be an object");
    }
}

/* A client that has no component is shown with null, which may come back. A component is not taken away. */
static void read_component(const json_t *data, const struct iclient *iclient, struct fault_list *faults,
                           struct oauth_client_request *request)
{
    const json_t *linkage = json_read_pointer(data, "/relationships/component/data");
    if (json_is_null(linkage) && iclient && !iclient_text(iclient, ICLIENT_COMPONENT))
        return;
    const char *type = json_read_string(linkage, "type");
    request->component = json_read_string(linkage, "id");
    if (linkage && (!type || strcmp(type, "component") != 0))
        add_fault(faults, "/data/relationships/component/data", "type", NULL, "must be \"component\"");
    if (!request->component && (!iclient || linkage))
        add_fault(faults, "/data/relationships/component/data", "id", NULL, "must name the component");
}

enum status oauth_client_request_read(const json_t *document, const struct iclient *iclient, struct fault_list *faults,
                                      struct oauth_client_request *ret_request)
{
    const json_t *data = json_object_get(document, "data");
    *ret_request = (struct oauth_client_request){0};
    if (!json_is_object(data)) {
        add_fault(faults, "", "data", NULL, "must be an object");
        return ERR_INVALID;
    }
    read_type(data, faults);
    read_id(data, iclient ? iclient_id(iclient) : NULL, faults);
    read_attributes(data, iclient, faults, ret_request);
    read_component(data, iclient, faults, ret_request);
    return fault_list_has_errors(faults) ? ERR_INVALID : OK;
}

/* ---- documents ---- */

/* The object called name within document; made when it is not there. */
static json_t *ensure_group(json_t *document, const char *name)
{
    json_t *group = json_object_get(document, name);
    if (json_is_object(group))
        return group;
    return json_object_set_new(document, name, json_object()) == 0 ? json_object_get(document, name) : NULL;
}

/* Null takes an attribute away. What takes a secret away is a null in the document itself (document_secrets.h). */
static bool set_attribute(json_t *level, const char *member, json_t *value)
{
    if (json_is_null(value) && strcmp(member, "clientSecret") != 0) {
        json_object_del(level, member);
        return true;
    }
    return json_object_set(level, member, value) == 0;
}

/* "oauth2" first, so that client_id and client_secret win over what it may say of them. */
static bool lay_over(json_t *document, const struct oauth_client_request *request)
{
    json_t *oauth2 = ensure_group(document, "oauth2");
    const json_t *own = json_object_get(request->attributes, "oauth2");
    bool done = oauth2 && (!own || json_object_update(oauth2, (json_t *)(uintptr_t)own) == 0);
    for (size_t i = 0; done && i < ATTRIBUTES; i++) {
        json_t *value = json_object_get(request->attributes, attributes[i].name);
        json_t *level = attributes[i].group ? ensure_group(document, attributes[i].group) : document;
        if (value && !attributes[i].is_object)
            done = set_attribute(level, attributes[i].member, value);
    }
    return done &&
           (!request->component || json_object_set_new(document, "component", json_string(request->component)) == 0);
}

/* What a definition says of its provider, and nothing of its own application or of accounts. */
static json_t *copy_definition(const struct iclient *definition)
{
    static const char *const members[] = {"provider",     "type",     "allowedGrants", "accessTokenLifetime",
                                          "refreshCount", "settings", "oauth2"};
    static const char *const not_of_oauth2[] = {"clientId", "clientSecret", "username", "password", "encrypted"};
    AUTO_JSON whole = iclient_to_json(definition);
    AUTO_JSON copy = json_object();
    if (!whole || !copy)
        return NULL;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(whole, members[i]);
        if (value && json_object_set(copy, members[i], value) != 0)
            return NULL;
    }
    for (size_t i = 0; i < sizeof not_of_oauth2 / sizeof not_of_oauth2[0]; i++)
        json_object_del(json_object_get(copy, "oauth2"), not_of_oauth2[i]);
    document_secrets_drop_literals(copy);
    return TAKE(copy);
}

static bool set_default(json_t *object, const char *name, const char *text)
{
    return json_object_get(object, name) || json_object_set_new(object, name, json_string(text)) == 0;
}

json_t *oauth_client_create_document(const struct oauth_client_request *request, const struct iclient *definition)
{
    AUTO_JSON document = definition ? copy_definition(definition) : json_object();
    if (!document || !lay_over(document, request) || !set_default(document, "name", request->component) ||
        !set_default(document, "provider", "custom_oauth2"))
        return NULL;
    /* The component's clients log people in; where a preset or a definition knows better, it has said so. */
    bool is_custom = strcmp(json_string_value(json_object_get(document, "provider")) ?: "", "custom_oauth2") == 0;
    if (is_custom && !set_default(json_object_get(document, "oauth2"), "grantType", "authorizecode"))
        return NULL;
    return TAKE(document);
}

json_t *oauth_client_change_document(const struct oauth_client_request *request, const struct iclient *iclient)
{
    AUTO_JSON document = iclient_to_json(iclient);
    return document && lay_over(document, request) ? TAKE(document) : NULL;
}

/* ---- places ---- */

char *oauth_client_place(const char *pointer)
{
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        char own[POINTER_MAX];
        bool grouped = attributes[i].group != NULL;
        snprintf(own, sizeof own, "%s%s/%s", grouped ? "/" : "", grouped ? attributes[i].group : "",
                 attributes[i].member);
        const size_t length = strlen(own);
        if (strncmp(pointer, own, length) != 0)
            continue;
        const char *rest = pointer + length;
        if (*rest != '\0' && (!attributes[i].is_object || *rest != '/'))
            continue;
        char *place;
        return asprintf(&place, "/data/attributes/%s%s", attributes[i].name, rest) < 0 ? NULL : place;
    }
    return strdup(COMPONENT_PLACE);
}
