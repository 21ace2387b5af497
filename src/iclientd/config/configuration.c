#include "iclientd/config/configuration.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "io/host/identity_lookup.h"
#include "protocol/jwt/jwt_signature.h"
#include "iclientd/state_files.h"

enum { REDIRECT_URI_MAX = 1024 };

enum status configuration_load_catalog(const struct config *config, const struct catalog_source *beside,
                                       struct fault_list *faults, struct catalog **ret_catalog)
{
    char redirect_uri[REDIRECT_URI_MAX];
    snprintf(redirect_uri, sizeof redirect_uri, "%s/callback", config->redirect.base_uri);
    struct secret_resolver secrets = file_load_secret_resolver();
    struct identity_resolver identities = identity_lookup_resolver();
    identities.keeps_unknown = config->keeps_unknown_names;
    struct catalog_options options = {
        .iclient =
            {
                .allow_loopback_http = config->http.allow_loopback_http,
                .default_redirect_uri = redirect_uri,
                .check_jwt_key = jwt_key_check,
            },
        .resolve_secrets = &secrets,
        .resolve_ids = &identities,
    };
    struct catalog_directories directories = {
        .presets = config->preset_dir,
        .iclients = config->iclient_dir,
        .connections = config->connection_dir,
        .beside = beside,
    };
    AUTO(catalog) catalog = catalog_create(&options);
    if (!catalog)
        return ERR_NO_MEMORY;
    enum status status = file_load_catalog(&directories, catalog, faults);
    if (status == OK)
        *ret_catalog = TAKE(catalog);
    return status;
}

enum status configuration_check(const char *file, struct fault_list *faults, struct config **ret_config,
                                struct catalog **ret_catalog)
{
    AUTO(config) config = NULL;
    AUTO(catalog) catalog = NULL;
    AUTO(store_crypto) key = NULL;
    struct error error = {0};
    enum status status = config_load(file, false, faults, &config);
    if (status != OK)
        return status;
    status = configuration_load_catalog(config, NULL, faults, &catalog);
    if (state_files_load_key(config, false, &key, &error) != OK) {
        fault_list_add(faults, config->file, "/keyFile", NULL, "%s", error.message);
        status = ERR_INVALID;
    }
    if (status != OK)
        return status;
    *ret_config = TAKE(config);
    *ret_catalog = TAKE(catalog);
    return OK;
}

static bool directory_is_gone(bool was_there, const char *path, const char *pointer, const char *file,
                              struct fault_list *faults)
{
    if (!was_there || access(path, F_OK) == 0)
        return false;
    fault_list_add(faults, file, pointer, NULL, "%s was there when the daemon started and is gone", path);
    return true;
}

enum status configuration_reload(const char *file, const struct config *running, const struct catalog_source *beside,
                                 struct fault_list *faults, struct config **ret_config, struct catalog **ret_catalog)
{
    AUTO(config) config = NULL;
    AUTO(catalog) catalog = NULL;
    enum status status = config_load(file, false, faults, &config);
    if (status != OK)
        return status;
    struct config judged = *config;
    judged.redirect = running->redirect;
    judged.http = running->http;
    status = configuration_load_catalog(&judged, beside, faults, &catalog);
    bool is_gone =
        directory_is_gone(running->has_iclient_dir, config->iclient_dir, "/iclientDir", config->file, faults);
    is_gone |=
        directory_is_gone(running->has_connection_dir, config->connection_dir, "/connectionDir", config->file, faults);
    if (status != OK || is_gone)
        return status != OK ? status : ERR_INVALID;
    *ret_config = TAKE(config);
    *ret_catalog = TAKE(catalog);
    return OK;
}

static bool texts_differ(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") != 0;
}

static bool sockets_differ(const struct config_socket *a, const struct config_socket *b)
{
    return texts_differ(a->path, b->path) || a->mode != b->mode || texts_differ(a->group, b->group);
}

void configuration_warn_of_restart(const struct config *running, const struct config *loaded)
{
    const struct {
        const char *name;
        bool differs;
    } settings[] = {
        {"tokenSocket", sockets_differ(&running->token_socket, &loaded->token_socket)},
        {"adminSocket", sockets_differ(&running->admin_socket, &loaded->admin_socket)},
        {"stateDir", texts_differ(running->state_dir, loaded->state_dir)},
        {"keyFile", texts_differ(running->key_file, loaded->key_file)},
        {"ballastSize", running->ballast_size != loaded->ballast_size},
        {"redirect", texts_differ(running->redirect.listen, loaded->redirect.listen) ||
                         texts_differ(running->redirect.base_uri, loaded->redirect.base_uri)},
        {"http", texts_differ(running->http.ca_file, loaded->http.ca_file) ||
                     texts_differ(running->http.proxy, loaded->http.proxy) ||
                     running->http.timeout_ms != loaded->http.timeout_ms ||
                     running->http.connect_timeout_ms != loaded->http.connect_timeout_ms ||
                     running->http.max_concurrent != loaded->http.max_concurrent ||
                     running->http.allow_loopback_http != loaded->http.allow_loopback_http ||
                     !address_rule_equal(running->http.addresses, loaded->http.addresses)},
        {"limits", running->limits.connections != loaded->limits.connections ||
                       running->limits.connections_per_uid != loaded->limits.connections_per_uid ||
                       running->limits.waiters != loaded->limits.waiters},
        {"sandbox", running->sandbox != loaded->sandbox},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].differs)
            log_warning("\"%s\" changed: that takes effect when the daemon is started again", settings[i].name);
}
