#include "model/catalog/component_uri.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/template/template.h"

enum { URI_LENGTH = 8192, NAME_LENGTH = 128, HOST_LENGTH = 256 };

static const struct {
    const char *name;   /* in the component */
    const char *member; /* in oauth2: {member: {"uri": …}} */
} uris[] = {{"auth_uri", "auth"}, {"token_uri", "token"}, {"refresh_uri", "refresh"}, {"revoke_uri", "revoke"}};
enum { URIS = sizeof uris / sizeof uris[0] };

/* ---- placeholders ---- */

/* A variable's value belongs to the iClient. */
static bool add_setting(struct component_reading *reading, const char *name)
{
    if (json_object_get(reading->settings, name))
        return true;
    const char *value = reading->options->find_variable(name);
    if (!value || !*value) {
        component_note(reading, "", "names the variable %s: put its value into settings.%s", name, name);
        value = "replace-me";
    }
    return component_set(reading->settings, name, json_string(value));
}

static bool append_placeholder(struct component_reading *reading, const char *member, const char *name,
                               struct text_buffer *uri)
{
    bool is_variable = json_object_get(json_object_get(reading->component, "envVars"), name) != NULL;
    if (!is_variable)
        component_note(reading, member, "has {{%s}} in it: each connection must have settings.%s", name, name);
    text_buffer_append_format(uri, "{{{%s.settings.%s}}}", is_variable ? "iClient" : "connection", name);
    return !is_variable || add_setting(reading, name);
}

/* The name between two or three braces at *at, which is moved behind them. False when there is none. */
static bool read_placeholder(const char **at, char ret_name[NAME_LENGTH])
{
    const char *from = *at + strspn(*at, "{");
    while (isspace((unsigned char)*from))
        from++;
    size_t length = 0;
    while (isalnum((unsigned char)from[length]) || (from[length] && strchr("_.-", from[length])))
        length++;
    const char *end = from + length;
    while (isspace((unsigned char)*end))
        end++;
    if (length == 0 || length >= NAME_LENGTH || strncmp(end, "}}", 2) != 0)
        return false;
    memcpy(ret_name, from, length);
    ret_name[length] = '\0';
    *at = end + strspn(end, "}");
    return true;
}

static bool convert(struct component_reading *reading, const char *member, const char *text, struct text_buffer *uri)
{
    while (*text) {
        char name[NAME_LENGTH];
        if (strncmp(text, "{{", 2) != 0 || !read_placeholder(&text, name))
            text_buffer_append(uri, text++, 1);
        else if (!append_placeholder(reading, member, name, uri))
            return false;
    }
    return !uri->failed;
}

/* ---- hosts ---- */

static const char *authority_of(const char *uri, size_t *ret_length)
{
    const char *start = strstr(uri, "://");
    start = start ? start + 3 : uri;
    *ret_length = strcspn(start, "/?#");
    return start;
}

/* The host, or what stands behind its last template: ".zendesk.com" gives "zendesk.com". */
static void read_domain(const char *uri, char ret_domain[HOST_LENGTH])
{
    size_t length;
    const char *start = authority_of(uri, &length);
    for (const char *at = start; at < start + length; at++) {
        if (*at == '}') {
            length -= (size_t)(at + 1 - start);
            start = at + 1;
        }
    }
    while (length > 0 && *start == '.') {
        start++;
        length--;
    }
    size_t host = strcspn(start, ":");
    snprintf(ret_domain, HOST_LENGTH, "%.*s", (int)(host < length ? host : length), start);
}

static bool has_element(const json_t *array, const char *text)
{
    size_t i;
    json_t *element;
    json_array_foreach (array, i, element) {
        if (strcmp(json_string_value(element), text) == 0)
            return true;
    }
    return false;
}

/* Only a host with a template needs them; then all hosts do. */
static bool add_domains(struct component_reading *reading)
{
    AUTO_JSON domains = json_array();
    bool needed = false;
    for (size_t i = 0; i < URIS; i++) {
        const char *uri = json_read_string(json_object_get(reading->oauth2, uris[i].member), "uri");
        char domain[HOST_LENGTH];
        if (!uri)
            continue;
        needed |= template_is_in_authority(uri);
        read_domain(uri, domain);
        if (*domain && !has_element(domains, domain) && json_array_append_new(domains, json_string(domain)) != 0)
            return false;
    }
    return !needed || component_set(reading->oauth2, "validDomainNames", TAKE(domains));
}

bool component_uris_add(struct component_reading *reading)
{
    for (size_t i = 0; i < URIS; i++) {
        const char *text = component_text(reading, uris[i].name);
        if (!text)
            continue;
        AUTO_FINISH(text_buffer) uri;
        text_buffer_init(&uri, URI_LENGTH);
        if (!convert(reading, uris[i].name, text, &uri) ||
            !component_set(reading->oauth2, uris[i].member, json_pack("{s:s}", "uri", text_buffer_text(&uri))))
            return false;
    }
    return add_domains(reading);
}
