#include "iclientd/config/config_keys.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "base/text/url.h"
#include "iclientd/config/config_defaults.h"
#include "io/host/identity_lookup.h"

enum { POINTER_MAX = 512, ALLOWED_NETWORKS_MAX = 256 };

struct config_key;

struct key_reader {
    struct config *config;
    const char *folder;
    struct fault_list *faults;
    const struct config_key *key; /* the one being read */
    bool is_out_of_memory;
};

/* Puts one value into the configuration, or adds a fault. */
typedef void key_read(struct key_reader *reader, const json_t *value);

static key_read read_path, read_file, read_group, read_mode, read_listen, read_base_uri, read_proxy, read_seconds,
    read_count, read_flag, read_networks, read_level, read_tenants;

/* Every key there is: pointer, how it is read, where it goes, its bounds (max of a mode: the bits it may not have). */
struct config_key {
    const char *pointer;
    key_read *read;
    size_t offset;
    int64_t min;
    int64_t max;
};

#define AT(member) offsetof(struct config, member)

static const struct config_key keys[] = {
    {"/tokenSocket/path", read_path, AT(token_socket.path), 0, 0},
    {"/tokenSocket/mode", read_mode, AT(token_socket.mode), 0, 0},
    {"/tokenSocket/group", read_group, AT(token_socket.group), 0, 0},
    {"/adminSocket/path", read_path, AT(admin_socket.path), 0, 0},
    {"/adminSocket/mode", read_mode, AT(admin_socket.mode), 0, 0002},
    {"/adminSocket/group", read_group, AT(admin_socket.group), 0, 0},
    {"/iclientDir", read_path, AT(iclient_dir), 0, 0},
    {"/connectionDir", read_path, AT(connection_dir), 0, 0},
    {"/presetDir", read_path, AT(preset_dir), 0, 0},
    {"/stateDir", read_path, AT(state_dir), 0, 0},
    {"/keyFile", read_path, AT(key_file), 0, 0},
    {"/ballastSize", read_count, AT(ballast_size), 0, 1073741824},
    {"/redirect/listen", read_listen, AT(redirect.listen), 1, 65535},
    {"/redirect/baseUri", read_base_uri, AT(redirect.base_uri), 0, 0},
    {"/http/caFile", read_file, AT(http.ca_file), 0, 0},
    {"/http/proxy", read_proxy, AT(http.proxy), 0, 0},
    {"/http/timeout", read_seconds, AT(http.timeout_ms), 1, 600},
    {"/http/connectTimeout", read_seconds, AT(http.connect_timeout_ms), 1, 600},
    {"/http/maxConcurrent", read_count, AT(http.max_concurrent), 1, 10000},
    {"/http/allowPrivateAddresses", read_networks, AT(http.addresses), 0, 0},
    {"/http/allowLoopbackHttp", read_flag, AT(http.allow_loopback_http), 0, 0},
    {"/limits/connections", read_count, AT(limits.connections), 1, 1000000},
    {"/limits/connectionsPerUid", read_count, AT(limits.connections_per_uid), 1, 1000000},
    {"/limits/waiters", read_count, AT(limits.waiters), 1, 1000000},
    {"/tenants", read_tenants, AT(tenants), 0, 0},
    {"/sandbox", read_flag, AT(sandbox), 0, 0},
    {"/logLevel", read_level, AT(log_level), 0, 0},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static void *place_of(struct key_reader *reader)
{
    return (char *)reader->config + reader->key->offset;
}

#define ADD_FAULT(reader, hint, ...)                                                                                   \
    fault_list_add((reader)->faults, (reader)->config->file, (reader)->key->pointer, hint, __VA_ARGS__)

/* ---- values ---- */

/* NULL and a fault when it is no text, or an empty one. */
static const char *text_value(struct key_reader *reader, const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || text[0] == '\0') {
        ADD_FAULT(reader, "leave the key out for its default", "must be a text that is not empty");
        return NULL;
    }
    return text;
}

static void set_text(struct key_reader *reader, char *take_text)
{
    char **place = place_of(reader);
    free(*place);
    *place = take_text;
    if (!take_text)
        reader->is_out_of_memory = true;
}

static void read_path(struct key_reader *reader, const json_t *value)
{
    const char *path = text_value(reader, value);
    if (path)
        set_text(reader, config_join_path(reader->folder, path));
}

static void read_file(struct key_reader *reader, const json_t *value)
{
    const char *path = text_value(reader, value);
    if (!path)
        return;
    char *file = config_join_path(reader->folder, path);
    set_text(reader, file);
    if (file && access(file, F_OK) != 0)
        ADD_FAULT(reader, NULL, "%s does not exist", file);
}

static void read_group(struct key_reader *reader, const json_t *value)
{
    const char *name = text_value(reader, value);
    if (!name)
        return;
    struct identity_resolver identities = identity_lookup_resolver();
    identities.is_silent = &reader->config->is_database_silent;
    const struct identity_name group = {.name = name, .is_group = true};
    unsigned ignored;
    enum status status = identity_resolver_find(&identities, &group, &ignored);
    if (status == ERR_TIMEOUT)
        ADD_FAULT(reader, NULL, "\"%s\": the host's user database does not answer", name);
    else if (status != OK)
        ADD_FAULT(reader, NULL, "there is no group \"%s\"", name);
    set_text(reader, strdup(name));
}

static void read_mode(struct key_reader *reader, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = text ? strlen(text) : 0;
    size_t zeros = length == 4 && text[0] == '0' ? 1 : 0;
    if (length - zeros != 3 || strspn(text, "01234567") != length) {
        ADD_FAULT(reader, NULL, "must be permission bits as an octal text, such as \"0660\"");
        return;
    }
    unsigned mode = (unsigned)strtoul(text, NULL, 8);
    if (mode & (unsigned)reader->key->max) {
        ADD_FAULT(reader, "give it a group and mode \"0660\"", "must not let everybody write");
        return;
    }
    *(unsigned *)place_of(reader) = mode;
}

static bool read_bounded(struct key_reader *reader, const json_t *value, int64_t *ret_number)
{
    const struct config_key *key = reader->key;
    if (!json_is_integer(value) || json_integer_value(value) < key->min || json_integer_value(value) > key->max) {
        ADD_FAULT(reader, NULL, "must be a whole number from %" PRId64 " to %" PRId64, key->min, key->max);
        return false;
    }
    *ret_number = json_integer_value(value);
    return true;
}

static void read_count(struct key_reader *reader, const json_t *value)
{
    read_bounded(reader, value, place_of(reader));
}

static void read_seconds(struct key_reader *reader, const json_t *value)
{
    int64_t seconds;
    if (read_bounded(reader, value, &seconds))
        *(int64_t *)place_of(reader) = seconds * 1000;
}

static void read_flag(struct key_reader *reader, const json_t *value)
{
    if (json_is_boolean(value))
        *(bool *)place_of(reader) = json_is_true(value);
    else
        ADD_FAULT(reader, NULL, "must be true or false");
}

static void read_level(struct key_reader *reader, const json_t *value)
{
    const char *word = json_string_value(value);
    if (!word || !log_level_from_text(word, place_of(reader)))
        ADD_FAULT(reader, NULL, "must be \"error\", \"warning\", \"notice\", \"info\" or \"debug\"");
}

/* A port written out after the host; the URL parser would put in its scheme's own. */
static bool has_port(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

static void read_listen(struct key_reader *reader, const json_t *value)
{
    const char *address = text_value(reader, value);
    if (!address)
        return;
    AUTO_TEXT as_url = NULL;
    if (asprintf(&as_url, "http://%s", address) < 0) {
        as_url = NULL;
        reader->is_out_of_memory = true;
        return;
    }
    AUTO(url) url = NULL;
    bool is_address = has_port(address) && url_parse(as_url, &url, NULL) == OK && strchr(address, '/') == NULL &&
                      !url_query(url) && url_port(url) >= reader->key->min;
    if (!is_address) {
        ADD_FAULT(reader, NULL, "listen must be an address and a port, such as \"127.0.0.1:8085\"");
        return;
    }
    if (!url_host_is_loopback(url))
        ADD_FAULT(reader, "a browser elsewhere finishes its login by paste: iclientctl login --no-browser NAME",
                  "must be a loopback address: it is for this machine's browser");
    reader->config->redirect.port = url_port(url);
    set_text(reader, strdup(address));
}

static void read_base_uri(struct key_reader *reader, const json_t *value)
{
    const char *text = text_value(reader, value);
    if (!text)
        return;
    AUTO(url) url = NULL;
    struct error error;
    if (url_parse(text, &url, &error) != OK) {
        ADD_FAULT(reader, NULL, "%s", error.message);
        return;
    }
    if (url_query(url))
        ADD_FAULT(reader, NULL, "must have no query");
    /* RFC 8252 §8.3: plain http is for the loopback interface. */
    if (strcmp(url_scheme(url), "http") == 0 && !url_host_is_loopback(url))
        ADD_FAULT(reader, "use https", "plain http is for a loopback host only");
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        length--;
    set_text(reader, strndup(text, length));
}

static void read_proxy(struct key_reader *reader, const json_t *value)
{
    const char *text = text_value(reader, value);
    if (!text)
        return;
    AUTO(url) url = NULL;
    struct error error;
    if (url_parse(text, &url, &error) != OK)
        ADD_FAULT(reader, "such as \"http://proxy.example:3128\"", "%s", error.message);
    else if (strcmp(url_path(url), "/") != 0 || url_query(url))
        ADD_FAULT(reader, NULL, "must have no path and no query");
    set_text(reader, strdup(text));
}

static void read_networks(struct key_reader *reader, const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) > ALLOWED_NETWORKS_MAX) {
        ADD_FAULT(reader, NULL, "must be an array of networks such as \"10.0.0.0/8\", at most %d",
                  (int)ALLOWED_NETWORKS_MAX);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        char pointer[POINTER_MAX];
        snprintf(pointer, sizeof pointer, "%s/%zu", reader->key->pointer, i);
        const char *network = json_string_value(json_array_get(value, i));
        struct error error = {.message = "must be a text such as \"10.0.0.0/8\""};
        enum status status = ERR_INVALID;
        if (network)
            status = address_rule_allow(reader->config->http.addresses, network, &error);
        if (status == ERR_NO_MEMORY)
            reader->is_out_of_memory = true;
        else if (status != OK)
            fault_list_add(reader->faults, reader->config->file, pointer, NULL, "%s", error.message);
    }
}

/* Its own members tell their faults at their own places. */
static void read_tenants(struct key_reader *reader, const json_t *value)
{
    struct identity_resolver identities = identity_lookup_resolver();
    identities.keeps_unknown = reader->config->keeps_unknown_names;
    identities.is_silent = &reader->config->is_database_silent;
    enum status status = tenant_access_from_json(value, reader->config->file, reader->key->pointer, &identities,
                                                 reader->faults, place_of(reader));
    reader->is_out_of_memory |= status == ERR_NO_MEMORY;
}

/* ---- names ---- */

/*
 * The names that may stand below parent ("" or "/http"), each once; a group's keys stand together in the table.
 * ret_names: KEY_COUNT of them, pieces of storage.
 */
static size_t list_names(const char *parent, char storage[KEY_COUNT][64], const char *ret_names[KEY_COUNT])
{
    size_t count = 0;
    size_t length = strlen(parent);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *pointer = keys[i].pointer;
        if (strncmp(pointer, parent, length) != 0 || pointer[length] != '/')
            continue;
        const char *name = pointer + length + 1;
        snprintf(storage[count], sizeof storage[count], "%.*s", (int)strcspn(name, "/"), name);
        if (count > 0 && strcmp(storage[count], storage[count - 1]) == 0)
            continue;
        ret_names[count] = storage[count];
        count++;
    }
    return count;
}

static void add_unknown(struct key_reader *reader, const char *parent, const char *name)
{
    char storage[KEY_COUNT][64];
    const char *names[KEY_COUNT];
    size_t count = list_names(parent, storage, names);
    fault_list_add_unknown(reader->faults, reader->config->file, parent, name, names, count, "there is no such key");
}

/* True when pointer is a key; *ret_is_group when it is only the beginning of some. */
static const struct config_key *find_key(const char *pointer, bool *ret_is_group)
{
    size_t length = strlen(pointer);
    *ret_is_group = false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].pointer, pointer) == 0)
            return &keys[i];
        if (strncmp(keys[i].pointer, pointer, length) == 0 && keys[i].pointer[length] == '/')
            *ret_is_group = true;
    }
    return NULL;
}

static void read_members(struct key_reader *reader, const char *parent, const json_t *object);

static void read_member(struct key_reader *reader, const char *parent, const char *name, const json_t *value)
{
    char pointer[POINTER_MAX];
    bool is_group = false;
    /* A name with '/' in it could spell another key's pointer. */
    bool fits = !strchr(name, '/') && snprintf(pointer, sizeof pointer, "%s/%s", parent, name) < (int)sizeof pointer;
    reader->key = fits ? find_key(pointer, &is_group) : NULL;
    if (reader->key)
        reader->key->read(reader, value);
    else if (!is_group)
        add_unknown(reader, parent, name);
    else if (json_is_object(value))
        read_members(reader, pointer, value);
    else
        fault_list_add(reader->faults, reader->config->file, pointer, NULL, "must be an object");
}

/* One level of groups, so it calls itself once at most. */
static void read_members(struct key_reader *reader, const char *parent, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value)
        read_member(reader, parent, name, value);
}

enum status config_keys_read(struct config *config, const json_t *document, const char *folder,
                             struct fault_list *faults)
{
    struct key_reader reader = {.config = config, .folder = folder, .faults = faults};
    if (json_is_object(document))
        read_members(&reader, "", document);
    else
        fault_list_add(faults, config->file, "", NULL, "must be an object");
    return reader.is_out_of_memory ? ERR_NO_MEMORY : OK;
}
