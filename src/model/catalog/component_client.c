#include "model/catalog/component_client.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"

enum { VARIABLE_LENGTH = 128, POINTER_LENGTH = 256 };

/* Names of the two variables; "" where there is none. */
struct client_variables {
    char id[VARIABLE_LENGTH];
    char secret[VARIABLE_LENGTH];
};

/* The more telling ending first. */
static const struct {
    const char *id, *secret;
} endings[] = {{"CLIENT_ID", "CLIENT_SECRET"}, {"KEY", "SECRET"}, {"ID", "SECRET"}};
enum { ENDINGS = sizeof endings / sizeof endings[0] };

/* ---- the variables ---- */

/* How much of name stands before the ending, which is a word of its own; -1 when name does not end so. */
static int beginning_of(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t end = strlen(ending);
    if (length < end || strcmp(name + length - end, ending) != 0)
        return -1;
    return length == end || name[length - end - 1] == '_' ? (int)(length - end) : -1;
}

static bool find_pair(const json_t *variables, const char *secret, struct client_variables *found)
{
    for (size_t i = 0; i < ENDINGS; i++) {
        char id[VARIABLE_LENGTH];
        int beginning = beginning_of(secret, endings[i].secret);
        if (beginning < 0 || strlen(secret) >= sizeof found->secret)
            continue;
        int length = snprintf(id, sizeof id, "%.*s%s", beginning, secret, endings[i].id);
        if (length >= (int)sizeof id || !json_object_get(variables, id))
            continue;
        memcpy(found->id, id, sizeof id);
        snprintf(found->secret, sizeof found->secret, "%s", secret);
        return true;
    }
    return false;
}

static void find_single(const json_t *variables, struct client_variables *found)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)variables, name, value) {
        if (strlen(name) >= VARIABLE_LENGTH)
            continue;
        if (!*found->secret && beginning_of(name, "SECRET") >= 0)
            snprintf(found->secret, sizeof found->secret, "%s", name);
        else if (!*found->id && beginning_of(name, "CLIENT_ID") >= 0)
            snprintf(found->id, sizeof found->id, "%s", name);
    }
}

/* OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, else the first pair, else what looks like one half. */
static void find_variables(const json_t *variables, struct client_variables *found)
{
    if (find_pair(variables, "OAUTH_CLIENT_SECRET", found) && json_object_get(variables, found->secret))
        return;
    *found = (struct client_variables){0};
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)variables, name, value) {
        if (find_pair(variables, name, found))
            return;
    }
    find_single(variables, found);
}

/* The name in "{{NAME}}"; false when text is anything else. */
static bool read_placeholder(const char *text, char ret_name[VARIABLE_LENGTH])
{
    int end = 0;
    char name[VARIABLE_LENGTH];
    if (sscanf(text, " {{ %127[A-Za-z0-9_] }}%n", name, &end) != 1 || end == 0)
        return false;
    while (isspace((unsigned char)text[end]))
        end++;
    if (text[end] != '\0')
        return false;
    memcpy(ret_name, name, sizeof name);
    return true;
}

/* ---- id and secret ---- */

static bool set_id_from(struct component_reading *reading, const char *variable)
{
    const char *value = variable && *variable ? reading->options->find_variable(variable) : NULL;
    if (value && *value) {
        component_note(reading, "client_id", "is taken from %s in this environment", variable);
        return component_set(reading->oauth2, "clientId", json_string(value));
    }
    const char *named = variable && *variable ? variable : "the client id";
    component_note(reading, "client_id", "is not in the component: put %s into oauth2.clientId", named);
    return component_set(reading->oauth2, "clientId", json_string("replace-with-the-client-id"));
}

static bool add_id(struct component_reading *reading, struct client_variables *variables)
{
    const char *text = component_text(reading, "client_id");
    if (text && read_placeholder(text, variables->id))
        text = NULL;
    return text ? component_set(reading->oauth2, "clientId", json_string(text)) : set_id_from(reading, variables->id);
}

static bool add_secret(struct component_reading *reading, struct client_variables *variables)
{
    const char *text = component_text(reading, "client_secret");
    if (text && !read_placeholder(text, variables->secret)) {
        component_note(reading, "client_secret", "stands in the component as it is; better give a reference to it");
        return component_set(reading->oauth2, "clientSecret", json_string(text));
    }
    if (!*variables->secret && !json_object_get(reading->block, "client_secret")) {
        component_note(reading, "", "has no client_secret, and no variable looks like one: taken for a public client");
        return component_set(reading->iclient, "type", json_string("public"));
    }
    if (!*variables->secret) {
        component_note(reading, "client_secret",
                       "is empty, and no variable looks like it: OAUTH_CLIENT_SECRET is assumed");
        snprintf(variables->secret, sizeof variables->secret, "OAUTH_CLIENT_SECRET");
    }
    return component_set(reading->oauth2, "clientSecret", json_pack("{s:s}", "$env", variables->secret));
}

static void note_other_variables(const struct component_reading *reading, const json_t *variables,
                                 const struct client_variables *used)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)variables, name, value) {
        bool is_used =
            strcmp(name, used->id) == 0 || strcmp(name, used->secret) == 0 || json_object_get(reading->settings, name);
        char pointer[POINTER_LENGTH];
        snprintf(pointer, sizeof pointer, "/envVars/%.200s", name);
        if (!is_used)
            component_note(reading, pointer, "is the component's own and has no place in an iClient");
    }
}

bool component_client_add(struct component_reading *reading)
{
    const json_t *variables = json_object_get(reading->component, "envVars");
    struct client_variables found = {0};
    find_variables(variables, &found);
    if (!add_id(reading, &found) || !add_secret(reading, &found))
        return false;
    note_other_variables(reading, variables, &found);
    return true;
}
