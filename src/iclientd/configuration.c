#include "configuration.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "io/peer_identity.h"
#include "protocol/jwt_signature.h"

enum { REDIRECT_URI_MAX = 1024 };

enum status configuration_load_catalog(const struct config *config, const struct catalog_source *beside,
                                       struct fault_list *faults, struct catalog **ret_catalog)
{
    char redirect_uri[REDIRECT_URI_MAX];
    snprintf(redirect_uri, sizeof redirect_uri, "%s/callback", config->redirect.base_uri);
    struct secret_resolver secrets = file_load_secret_resolver();
    struct identity_resolver identities = peer_identity_resolver();
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

enum status configuration_load(const char *file, const struct catalog_source *beside, struct fault_list *faults,
                               struct config **ret_config, struct catalog **ret_catalog)
{
    AUTO(config) config = NULL;
    AUTO(catalog) catalog = NULL;
    enum status status = config_load(file, faults, &config);
    if (status == OK)
        status = configuration_load_catalog(config, beside, faults, &catalog);
    if (status != OK)
        return status;
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
        {"redirect", texts_differ(running->redirect.listen, loaded->redirect.listen) ||
                         texts_differ(running->redirect.base_uri, loaded->redirect.base_uri)},
        {"http", texts_differ(running->http.ca_file, loaded->http.ca_file) ||
                     texts_differ(running->http.proxy, loaded->http.proxy) ||
                     running->http.timeout_ms != loaded->http.timeout_ms ||
                     running->http.connect_timeout_ms != loaded->http.connect_timeout_ms ||
                     running->http.max_concurrent != loaded->http.max_concurrent ||
                     running->http.allow_loopback_http != loaded->http.allow_loopback_http},
        {"limits", running->limits.connections != loaded->limits.connections ||
                       running->limits.connections_per_uid != loaded->limits.connections_per_uid ||
                       running->limits.waiters != loaded->limits.waiters},
        {"sandbox", running->sandbox != loaded->sandbox},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].differs)
            log_warning("\"%s\" changed: that takes effect when the daemon is started again", settings[i].name);
}
