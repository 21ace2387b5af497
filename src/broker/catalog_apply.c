#include "broker/catalog_apply.h"

#include <string.h>

#include "broker/broker_state.h"
#include "broker/refresh/client_breaker.h"
#include "broker/entry/entry_event.h"
#include "broker/entry/token_cache.h"
#include "broker/entry/token_record.h"

static const struct connection *configured(const struct catalog *catalog, const struct token_entry *entry)
{
    /* On the stack: without memory a connection would look like one that left the configuration. */
    char tenant[TOKEN_CACHE_KEY_MAX];
    const char *slash = strchr(entry->key, '/');
    size_t length = (size_t)(slash - entry->key);
    memcpy(tenant, entry->key, length);
    tenant[length] = '\0';
    return catalog_find_connection(catalog, tenant, slash + 1);
}

void catalog_apply_to_entry(struct token_entry *entry, const struct connection *connection)
{
    token_entry_configure(entry, connection);
    entry_report(entry, EVENT_CONFIGURED);
    if (entry->is_bound_anew)
        token_record_renew_rows(entry->broker);
}

void catalog_apply_count(struct broker *broker)
{
    metrics_set(broker->metrics, METRIC_CONNECTIONS_CONFIGURED, (int64_t)catalog_connection_count(broker->catalog));
    metrics_set(broker->metrics, METRIC_ICLIENTS_CONFIGURED, (int64_t)catalog_iclient_count(broker->catalog));
}

static enum status ensure_entries(struct broker *broker, const struct catalog *catalog, struct error *ret_error)
{
    for (size_t i = 0; i < catalog_connection_count(catalog); i++) {
        const struct connection *connection = catalog_connection_at(catalog, i);
        char key[TOKEN_CACHE_KEY_MAX];
        const char *name = connection_name(connection);
        if (token_cache_key(connection_tenant(connection), name, strlen(name), key) == 0)
            return error_set(ret_error, ERR_TOO_LARGE, "the name of connection %s is too long", name);
        if (!token_cache_ensure(&broker->cache, broker, key))
            return error_set(ret_error, ERR_NO_MEMORY, "no memory for %zu connections",
                             catalog_connection_count(catalog));
    }
    return OK;
}

enum status broker_apply_catalog(struct broker *broker, struct catalog *take_catalog, struct error *ret_error)
{
    AUTO(catalog) catalog = take_catalog;
    enum status status = ensure_entries(broker, catalog, ret_error);
    if (status != OK)
        return status;
    client_breaker_close_all(broker);
    struct token_entry *entry;
    for (size_t i = 0; (entry = token_cache_next(&broker->cache, &i));) {
        const struct connection *connection = configured(catalog, entry);
        if (connection || entry->connection)
            catalog_apply_to_entry(entry, connection);
    }
    catalog_destroy(broker->catalog);
    broker->catalog = TAKE(catalog);
    catalog_apply_count(broker);
    return OK;
}
