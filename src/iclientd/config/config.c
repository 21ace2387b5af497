#include "iclientd/config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "base/text/url.h"
#include "iclientd/config/config_defaults.h"
#include "iclientd/config/config_keys.h"
#include "io/files/file_load.h"

void config_destroy(struct config *config)
{
    if (!config)
        return;
    free(config->file);
    free(config->token_socket.path);
    free(config->token_socket.group);
    free(config->admin_socket.path);
    free(config->admin_socket.group);
    free(config->iclient_dir);
    free(config->connection_dir);
    free(config->preset_dir);
    free(config->state_dir);
    free(config->key_file);
    free(config->redirect.listen);
    free(config->redirect.base_uri);
    free(config->http.ca_file);
    free(config->http.proxy);
    address_rule_destroy(config->http.addresses);
    tenant_access_destroy(config->tenants);
    free(config);
}

/* The directory of an absolute path. */
static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

static enum status find_file(const char *path, char **ret_file, struct fault_list *faults)
{
    struct error error;
    if (!path) {
        enum status status = config_default_file(ret_file, &error);
        if (status == ERR_INVALID)
            fault_list_add(faults, "", "", NULL, "%s", error.message);
        return status;
    }
    AUTO_TEXT here = path[0] == '/' ? strdup("/") : getcwd(NULL, 0);
    char *file = here ? config_join_path(here, path) : NULL;
    if (!file)
        return ERR_NO_MEMORY;
    *ret_file = file;
    return OK;
}

/* *ret_document NULL: the default file does not exist. */
static enum status read_document(const char *file, bool is_named, json_t **ret_document, struct fault_list *faults)
{
    struct error error;
    enum status status = file_load_json(file, ret_document, &error);
    if (status == OK || status == ERR_NO_MEMORY)
        return status;
    *ret_document = NULL;
    if (status == ERR_NOT_FOUND && !is_named)
        return OK;
    /* The fault names the file already. */
    size_t prefix = strlen(file);
    bool has_prefix = strncmp(error.message, file, prefix) == 0 && strncmp(error.message + prefix, ": ", 2) == 0;
    fault_list_add(faults, file, "", NULL, "%s", error.message + (has_prefix ? prefix + 2 : 0));
    return ERR_INVALID;
}

/* ---- what several keys have to agree on ---- */

static void check_socket_path(const struct config *config, const char *pointer, const char *path,
                              struct fault_list *faults)
{
    enum { SOCKET_PATH_MAX = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
    if (strlen(path) > SOCKET_PATH_MAX)
        fault_list_add(faults, config->file, pointer, NULL, "the path is longer than a socket's may be (%d bytes)",
                       (int)SOCKET_PATH_MAX);
}

/* Another port than the one that is listened on is right behind a proxy or a forwarded port, and rare. */
static void check_base_uri(const struct config *config, struct fault_list *faults)
{
    AUTO(url) base = NULL;
    if (url_parse(config->redirect.base_uri, &base, NULL) != OK)
        return;
    if (url_host_is_loopback(base) && url_port(base) != config->redirect.port)
        fault_list_warn(faults, config->file, "/redirect/baseUri", NULL,
                        "browsers are sent to port %d, but redirect.listen is port %d", url_port(base),
                        config->redirect.port);
}

/*
 * Peers who may use some tenant's OAuth clients are no operators, and have to be let in: every route of the socket asks
 * again who they are.
 */
static void open_admin_socket(struct config *config, const json_t *document, struct fault_list *faults)
{
    enum { MODE_FOR_ALL = 0666 };
    if (!config->tenants)
        return;
    if (!json_read_pointer(document, "/adminSocket/mode"))
        config->admin_socket.mode = MODE_FOR_ALL;
    else
        fault_list_warn(faults, config->file, "/adminSocket/mode",
                        "leave it out: \"tenants\" opens the socket, and each request is judged by who asks",
                        "keeps out whom \"tenants\" names, unless they are in the socket's group");
}

static void check_together(const struct config *config, struct fault_list *faults)
{
    check_socket_path(config, "/tokenSocket/path", config->token_socket.path, faults);
    check_socket_path(config, "/adminSocket/path", config->admin_socket.path, faults);
    if (strcmp(config->token_socket.path, config->admin_socket.path) == 0)
        fault_list_add(faults, config->file, "/adminSocket/path", NULL, "this is the token socket's path");
    if (config->http.connect_timeout_ms > config->http.timeout_ms)
        fault_list_add(faults, config->file, "/http/connectTimeout", NULL,
                       "connectTimeout is more than timeout, so it would never be reached");
    check_base_uri(config, faults);
}

/* ---- loading ---- */

enum status config_load(const char *path, bool keeps_unknown_names, struct fault_list *faults,
                        struct config **ret_config)
{
    AUTO(config) config = calloc(1, sizeof *config);
    if (!config)
        return ERR_NO_MEMORY;
    config->keeps_unknown_names = keeps_unknown_names;
    config_set_default_numbers(config);
    config->http.addresses = address_rule_create();
    enum status status = config->http.addresses ? find_file(path, &config->file, faults) : ERR_NO_MEMORY;
    if (status != OK)
        return status;
    AUTO_TEXT folder = folder_of(config->file);
    AUTO_JSON document = NULL;
    status = folder ? read_document(config->file, path != NULL, &document, faults) : ERR_NO_MEMORY;
    if (status == OK && document)
        status = config_keys_read(config, document, folder, faults);
    if (status == OK && config->http.allow_loopback_http)
        status = address_rule_allow_loopback(config->http.addresses);
    if (status == OK)
        status = config_fill_default_texts(config, folder, faults);
    if (status != OK)
        return status;
    open_admin_socket(config, document, faults);
    config->has_iclient_dir = access(config->iclient_dir, F_OK) == 0;
    config->has_connection_dir = access(config->connection_dir, F_OK) == 0;
    check_together(config, faults);
    if (fault_list_has_errors(faults))
        return ERR_INVALID;
    *ret_config = TAKE(config);
    return OK;
}
