#include "model/catalog/component_import.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/catalog/component_client.h"
#include "model/catalog/component_uri.h"
#include "model/iclient/reserved_param.h"

#define NAME_FALLBACK "component"

enum { NAME_LENGTH = 64, DESCRIPTION_LENGTH = 8192, POINTER_LENGTH = 512 };

/* ---- name and description ---- */

/* "Pizza Van (v2)" becomes "pizza-van-v2". */
static void append_name(const char *title, struct text_buffer *name)
{
    for (; *title && name->length < NAME_LENGTH; title++) {
        char letter = (char)tolower((unsigned char)*title);
        if (isalnum((unsigned char)letter))
            text_buffer_append(name, &letter, 1);
        else if (name->length > 0 && name->data[name->length - 1] != '-')
            text_buffer_append_text(name, "-");
    }
    while (name->length > 0 && name->data[name->length - 1] == '-')
        text_buffer_truncate(name, name->length - 1);
}

static bool add_name(struct component_reading *reading)
{
    AUTO_FINISH(text_buffer) name;
    text_buffer_init(&name, NAME_LENGTH);
    const char *title = json_read_string(reading->component, "title");
    if (reading->options->name)
        text_buffer_append_text(&name, reading->options->name);
    else if (title)
        append_name(title, &name);
    if (name.length == 0) {
        component_note(reading, "/title", "gives no name: the iClient is called \"" NAME_FALLBACK "\"");
        text_buffer_append_text(&name, NAME_FALLBACK);
    }
    const char *tenant = reading->options->tenant;
    bool done = component_set(reading->iclient, "name", json_string(text_buffer_text(&name))) &&
                component_set(reading->iclient, "provider", json_string("custom_oauth2")) &&
                component_set(reading->iclient, "component", json_string(text_buffer_text(&name)));
    return done && (!tenant || component_set(reading->iclient, "tenant", json_string(tenant)));
}

static bool add_description(struct component_reading *reading)
{
    const char *description = json_read_string(reading->component, "description");
    if (!description || !*description)
        return true;
    if (strlen(description) <= DESCRIPTION_LENGTH)
        return component_set(reading->iclient, "description", json_string(description));
    component_note(reading, "/description", "is too long and left out");
    return true;
}

/* ---- what is asked for ---- */

static bool add_grant(struct component_reading *reading)
{
    bool login = component_text(reading, "auth_uri") != NULL;
    if (!login)
        component_note(reading, "", "has no auth_uri: taken for the client credentials grant");
    return component_set(reading->oauth2, "grantType", json_string(login ? "authorizecode" : "clientcredentials"));
}

static bool add_scope(struct component_reading *reading)
{
    const char *const names[] = {"scopes", "scope"};
    AUTO_JSON scopes = json_array();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *value = json_object_get(reading->block, names[i]);
        if (json_is_string(value) && json_string_length(value) > 0)
            json_array_append(scopes, (json_t *)(uintptr_t)value);
        size_t index;
        json_t *element;
        json_array_foreach (value, index, element) {
            if (json_string_length(element) > 0)
                json_array_append(scopes, element);
            else
                component_note(reading, names[i], "has an element that is no text, which is left out");
        }
    }
    return json_array_size(scopes) == 0 || component_set(reading->oauth2, "scope", TAKE(scopes));
}

static bool add_params(struct component_reading *reading)
{
    AUTO_JSON params = json_object();
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get(reading->block, "additional_params"), name, value) {
        char pointer[POINTER_LENGTH];
        snprintf(pointer, sizeof pointer, "additional_params/%.256s", name);
        if (reserved_param_is_of_login(name))
            component_note(reading, pointer, "is left out: the daemon sets it itself");
        else if (json_is_object(value) || json_is_array(value) || json_is_null(value))
            component_note(reading, pointer, "is left out: it is no text, number or flag");
        else if (json_object_set(params, name, value) != 0)
            return false;
    }
    return json_object_size(params) == 0 || component_set(reading->oauth2, "authParams", TAKE(params));
}

/* ---- what is left over ---- */

static void note_unknown_members(const struct component_reading *reading)
{
    static const char *const known[] = {"client_id",  "client_secret", "auth_uri", "token_uri",        "refresh_uri",
                                        "revoke_uri", "scopes",        "scope",    "additional_params"};
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)reading->block, name, value) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known |= strcmp(name, known[i]) == 0;
        if (!is_known)
            component_note(reading, name, "has no counterpart in an iClient");
    }
    if (component_text(reading, "token_uri"))
        component_note(reading, "",
                       "does not say how the client authenticates: the Authorization header is assumed; for the "
                       "body set oauth2.clientCredentialsLocation to \"body\"");
}

/* ---- the whole ---- */

static bool find_block(struct component_reading *reading)
{
    static const char *const places[] = {"/oauth2", "/credentials/oauth2"};
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !reading->block; i++) {
        reading->place = places[i];
        reading->block = json_read_pointer(reading->component, places[i]);
    }
    if (json_is_object(reading->block) && component_text(reading, "token_uri"))
        return true;
    fault_list_add(reading->notes, reading->file, reading->block ? reading->place : "", NULL,
                   reading->block ? "has no token_uri: nothing could be fetched"
                                  : "no \"oauth2\" block, at the top or in \"credentials\"");
    return false;
}

static bool fill(struct component_reading *reading)
{
    return add_name(reading) && add_description(reading) && add_grant(reading) && component_uris_add(reading) &&
           component_client_add(reading) && add_scope(reading) && add_params(reading) &&
           (json_object_size(reading->settings) == 0 ||
            json_object_set(reading->iclient, "settings", reading->settings) == 0) &&
           json_object_set(reading->iclient, "oauth2", reading->oauth2) == 0;
}

enum status component_import(const json_t *component, const char *file, const struct component_import_options *options,
                             struct fault_list *notes, json_t **ret_iclient)
{
    struct component_reading reading = {.component = component, .file = file, .options = options, .notes = notes};
    if (!find_block(&reading))
        return ERR_INVALID;
    AUTO_JSON iclient = json_object();
    AUTO_JSON oauth2 = json_object();
    AUTO_JSON settings = json_object();
    reading.iclient = iclient;
    reading.oauth2 = oauth2;
    reading.settings = settings;
    if (!iclient || !oauth2 || !settings || !fill(&reading))
        return ERR_NO_MEMORY;
    note_unknown_members(&reading);
    *ret_iclient = TAKE(iclient);
    return OK;
}
