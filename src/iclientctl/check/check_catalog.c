#include "iclientctl/check/check_catalog.h"

#include <string.h>

#include "base/secret.h"
#include "io/files/file_load.h"
#include "model/connection/redirect_share.h"
#include "protocol/jwt/jwt_signature.h"

/* A passphrase that is a reference is not read here, so nothing can be said of the key that it opens. */
static enum status check_key(const char *method, const struct secret *key, const struct secret *passphrase,
                             struct error *ret_error)
{
    bool encrypted = strstr(secret_reveal(key), "ENCRYPTED") != NULL;
    return encrypted && !passphrase ? OK : jwt_key_check(method, key, passphrase, ret_error);
}

struct catalog *check_catalog_create(const struct check_settings *settings, const struct secret_resolver *resolve)
{
    const struct catalog_options options = {
        .iclient = {.allow_loopback_http = settings->allow_loopback_http,
                    .default_redirect_uri = settings->redirect_uri,
                    .check_jwt_key = resolve ? NULL : check_key},
        .resolve_secrets = resolve,
    };
    return catalog_create(&options);
}

static void add_documents(struct catalog *catalog, const struct document_list *documents, bool connections,
                          struct fault_list *faults)
{
    for (size_t i = 0; i < document_list_count(documents); i++) {
        const struct document *document = document_list_at(documents, i);
        if (document->is_connection != connections)
            continue;
        /* What is wrong is in faults. */
        if (connections)
            (void)catalog_add_connection(catalog, document->json, document->path, faults);
        else
            (void)catalog_add_iclient(catalog, document->json, document->path, faults);
    }
}

static enum status add_preset(void *context, const char *path, const char *name, const json_t *document,
                              struct fault_list *faults)
{
    enum status status = catalog_add_preset(context, name, document, path, faults);
    return status == ERR_NO_MEMORY ? ERR_NO_MEMORY : OK;
}

enum status check_catalog_fill(struct catalog *catalog, const struct check_settings *settings,
                               const struct document_list *documents, struct fault_list *faults)
{
    if (settings->presets)
        (void)file_load_directory(settings->presets, false, add_preset, catalog, faults);
    add_documents(catalog, documents, false, faults);
    add_documents(catalog, documents, true, faults);
    enum status status = catalog_finish(catalog, faults);
    if (status == OK)
        status = redirect_share_check(catalog, faults);
    return status == ERR_NO_MEMORY ? ERR_NO_MEMORY : OK;
}
