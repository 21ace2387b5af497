#include "iclientd/config/config_defaults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/host/identity_lookup.h"
#include "io/files/preset_directory.h"

#define DEFAULT_LISTEN "127.0.0.1:8085"
#define DEFAULT_ADMIN_GROUP "iclientd"

enum { DEFAULT_PORT = 8085 };

char *config_join_path(const char *folder, const char *path)
{
    if (path[0] == '/')
        return strdup(path);
    char *joined;
    return asprintf(&joined, "%s/%s", folder, path) < 0 ? NULL : joined;
}

static bool is_root(void)
{
    return geteuid() == 0;
}

/* XDG Base Directory Specification: a path that is not absolute is to be ignored. */
static const char *absolute_variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

/* The variable's directory, or the one below the home directory that stands for it. ERR_INVALID: neither is known. */
static enum status find_xdg_directory(const char *variable, const char *below_home, char **ret_path)
{
    const char *path = absolute_variable(variable);
    const char *home = absolute_variable("HOME");
    if (!path && !home)
        return ERR_INVALID;
    char *joined = path ? config_join_path(path, "iclientd") : config_join_path(home, below_home);
    if (!joined)
        return ERR_NO_MEMORY;
    *ret_path = joined;
    return OK;
}

enum status config_default_file(char **ret_file, struct error *ret_error)
{
    AUTO_TEXT folder = NULL;
    enum status status = OK;
    if (!is_root())
        status = find_xdg_directory("XDG_CONFIG_HOME", ".config/iclientd", &folder);
    if (status == ERR_INVALID)
        return error_set(ret_error, status, "neither XDG_CONFIG_HOME nor HOME is set: say --config FILE");
    char *file = status == OK ? config_join_path(folder ? folder : "/etc/iclientd", "iclientd.json") : NULL;
    if (!file)
        return error_set(ret_error, ERR_NO_MEMORY, "the configuration");
    *ret_file = file;
    return OK;
}

void config_set_default_numbers(struct config *config)
{
    config->token_socket.mode = 0666;
    config->admin_socket.mode = 0660;
    config->redirect.port = DEFAULT_PORT;
    config->http.timeout_ms = 30 * 1000;
    config->http.max_concurrent = 64;
    config->limits.connections = 1024;
    config->limits.connections_per_uid = 256;
    config->limits.waiters = 10000;
    config->ballast_size = 1048576;
    config->sandbox = true;
    config->log_level = LOG_LEVEL_INFO;
}

static bool is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* The one for sockets has no stand-in below the home directory; systemd makes /run/user/UID. */
static enum status find_runtime_directory(char **ret_path)
{
    char *path = NULL;
    const char *given = absolute_variable("XDG_RUNTIME_DIR");
    if (is_root()) {
        path = strdup("/run/iclientd");
    } else if (given) {
        path = config_join_path(given, "iclientd");
    } else {
        char standard[64];
        snprintf(standard, sizeof standard, "/run/user/%lu", (unsigned long)geteuid());
        if (!is_directory(standard))
            return ERR_INVALID;
        path = config_join_path(standard, "iclientd");
    }
    if (!path)
        return ERR_NO_MEMORY;
    *ret_path = path;
    return OK;
}

static enum status fill(char **at, char *take_text)
{
    if (*at) {
        free(take_text);
        return OK;
    }
    *at = take_text;
    return take_text ? OK : ERR_NO_MEMORY;
}

static enum status fill_sockets(struct config *config, struct fault_list *faults)
{
    if (config->token_socket.path && config->admin_socket.path)
        return OK;
    AUTO_TEXT runtime = NULL;
    enum status status = find_runtime_directory(&runtime);
    if (status == ERR_INVALID)
        fault_list_add(faults, config->file, "/tokenSocket/path", "say where both sockets are to be",
                       "XDG_RUNTIME_DIR is not set and /run/user has no directory for this user");
    if (status != OK)
        return status;
    status = fill(&config->token_socket.path, config_join_path(runtime, "token.sock"));
    if (status == OK)
        status = fill(&config->admin_socket.path, config_join_path(runtime, "admin/admin.sock"));
    return status;
}

/* The group is the package's: a daemon without it is its own user's and root's alone. */
static enum status fill_admin_group(struct config *config)
{
    struct identity_resolver identities = identity_lookup_resolver();
    identities.is_silent = &config->is_database_silent;
    const struct identity_name group = {.name = DEFAULT_ADMIN_GROUP, .is_group = true};
    unsigned ignored;
    if (!is_root() || identity_resolver_find(&identities, &group, &ignored) != OK)
        return OK;
    return fill(&config->admin_socket.group, strdup(DEFAULT_ADMIN_GROUP));
}

static enum status fill_state(struct config *config, struct fault_list *faults)
{
    if (config->state_dir)
        return OK;
    if (is_root())
        return fill(&config->state_dir, strdup("/var/lib/iclientd"));
    enum status status = find_xdg_directory("XDG_STATE_HOME", ".local/state/iclientd", &config->state_dir);
    if (status == ERR_INVALID)
        fault_list_add(faults, config->file, "/stateDir", "say where it is to be",
                       "neither XDG_STATE_HOME nor HOME is set");
    return status;
}

/* systemd's LoadCredential= comes before a key of the daemon's own making. */
static enum status fill_key_file(struct config *config)
{
    const char *credentials = absolute_variable("CREDENTIALS_DIRECTORY");
    AUTO_TEXT credential = credentials ? config_join_path(credentials, "iclientd.key") : NULL;
    if (credentials && !credential)
        return ERR_NO_MEMORY;
    if (credential && access(credential, F_OK) == 0)
        return fill(&config->key_file, TAKE(credential));
    return fill(&config->key_file, config_join_path(config->state_dir, "key"));
}

static enum status fill_redirect(struct config *config)
{
    enum status status = fill(&config->redirect.listen, strdup(DEFAULT_LISTEN));
    if (status != OK || config->redirect.base_uri)
        return status;
    char *base_uri;
    if (asprintf(&base_uri, "http://%s", config->redirect.listen) < 0)
        return ERR_NO_MEMORY;
    config->redirect.base_uri = base_uri;
    return OK;
}

static void fill_connect_timeout(struct config *config)
{
    enum { DEFAULT_CONNECT_TIMEOUT_MS = 10 * 1000 };
    if (config->http.connect_timeout_ms != 0)
        return;
    config->http.connect_timeout_ms = DEFAULT_CONNECT_TIMEOUT_MS;
    if (config->http.connect_timeout_ms > config->http.timeout_ms)
        config->http.connect_timeout_ms = config->http.timeout_ms;
}

enum status config_fill_default_texts(struct config *config, const char *folder, struct fault_list *faults)
{
    fill_connect_timeout(config);
    enum status status = fill_redirect(config);
    if (status == OK)
        status = fill(&config->iclient_dir, config_join_path(folder, "iclients.d"));
    if (status == OK)
        status = fill(&config->connection_dir, config_join_path(folder, "connections.d"));
    if (status == OK && !config->preset_dir)
        config->preset_dir = preset_directory_find();
    if (status == OK)
        status = fill_admin_group(config);
    /* What has no default here is a fault of its own: both are told. */
    enum status sockets = status == OK ? fill_sockets(config, faults) : status;
    enum status state = status == OK ? fill_state(config, faults) : status;
    if (sockets != OK)
        return sockets;
    return state == OK ? fill_key_file(config) : state;
}
