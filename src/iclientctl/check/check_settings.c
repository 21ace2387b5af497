#include "iclientctl/check/check_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "io/files/file_load.h"
#include "io/files/preset_directory.h"

#define DEFAULT_BASE_URI "http://127.0.0.1:8085"

static char *join(const char *folder, const char *path)
{
    char *joined;
    return asprintf(&joined, "%s/%s", folder, path) < 0 ? NULL : joined;
}

/* As the daemon finds it without --config. */
static char *default_file(void)
{
    if (geteuid() == 0)
        return strdup("/etc/iclientd/iclientd.json");
    const char *folder = getenv("XDG_CONFIG_HOME");
    if (folder && folder[0] == '/')
        return join(folder, "iclientd/iclientd.json");
    const char *home = getenv("HOME");
    return join(home ? home : "", ".config/iclientd/iclientd.json");
}

/* Paths in the file are relative to the file. */
static char *path_beside(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || !slash)
        return strdup(path);
    char *joined;
    return asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0 ? NULL : joined;
}

static char *read_folder(const struct check_settings *settings, const json_t *document, const char *key,
                         const char *fallback)
{
    const char *path = json_read_string(document, key);
    return path_beside(settings->file, path ? path : fallback);
}

static enum status find_presets(struct check_settings *settings, const struct arguments *arguments,
                                const json_t *document, struct error *ret_error)
{
    const char *named = arguments->options[OPTION_PRESET_DIR];
    const char *configured = json_read_string(document, "presetDir");
    if (!named && !configured) {
        settings->presets = preset_directory_find();
        return OK;
    }
    settings->presets = named ? strdup(named) : path_beside(settings->file, configured);
    return settings->presets ? OK : error_set(ret_error, ERR_NO_MEMORY, "out of memory");
}

static char *make_redirect_uri(const json_t *document)
{
    const char *base = json_read_string(json_object_get(document, "redirect"), "baseUri");
    if (!base)
        base = DEFAULT_BASE_URI;
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    char *uri;
    return asprintf(&uri, "%.*s/callback", (int)length, base) < 0 ? NULL : uri;
}

static enum status read_document(const struct arguments *arguments, const char *file, json_t **ret_document,
                                 struct error *ret_error)
{
    bool named = arguments->options[OPTION_CONFIG];
    if (!named && access(file, F_OK) != 0) {
        *ret_document = NULL;
        return OK;
    }
    json_t *document;
    enum status status = file_load_json(file, &document, ret_error);
    if (status != OK)
        return status;
    *ret_document = document;
    return OK;
}

enum status check_settings_init(struct check_settings *settings, const struct arguments *arguments,
                                struct error *ret_error)
{
    *settings = (struct check_settings){0};
    const char *named = arguments->options[OPTION_CONFIG];
    settings->file = named ? strdup(named) : default_file();
    if (!settings->file)
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    AUTO_JSON document = NULL;
    enum status status = read_document(arguments, settings->file, &document, ret_error);
    if (status != OK)
        return status;

    settings->iclients = read_folder(settings, document, "iclientDir", "iclients.d");
    settings->connections = read_folder(settings, document, "connectionDir", "connections.d");
    status = find_presets(settings, arguments, document, ret_error);
    if (status != OK)
        return status;
    settings->redirect_uri = make_redirect_uri(document);
    const json_t *http = json_object_get(document, "http");
    settings->allow_loopback_http = json_is_true(json_object_get(http, "allowLoopbackHttp"));
    if (!settings->iclients || !settings->connections || !settings->redirect_uri)
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    return OK;
}

void check_settings_finish(struct check_settings *settings)
{
    free(settings->file);
    free(settings->iclients);
    free(settings->connections);
    free(settings->presets);
    free(settings->redirect_uri);
}
