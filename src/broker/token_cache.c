#include "broker/token_cache.h"

#include <string.h>

#include "broker/broker_state.h"
#include "broker/token_entry_state.h"

size_t token_cache_key(const char *tenant, const char *name, size_t name_length, char ret_key[TOKEN_CACHE_KEY_MAX])
{
    size_t tenant_length = strlen(tenant);
    if (tenant_length + 1 + name_length >= TOKEN_CACHE_KEY_MAX)
        return 0;
    memcpy(ret_key, tenant, tenant_length);
    ret_key[tenant_length] = '/';
    memcpy(ret_key + tenant_length + 1, name, name_length);
    ret_key[tenant_length + 1 + name_length] = '\0';
    return tenant_length + 1 + name_length;
}

struct token_entry *token_cache_find(const struct token_cache *cache, const char *key, size_t key_length)
{
    struct token_entry *entry = NULL;
    HASH_FIND(by_key, cache->entries, key, key_length, entry);
    return entry;
}

struct token_entry *token_cache_ensure(struct token_cache *cache, struct broker *broker, const char *key)
{
    struct token_entry *entry = token_cache_find(cache, key, strlen(key));
    if (entry)
        return entry;
    entry = token_entry_create(broker, key);
    if (!entry)
        return NULL;
    HASH_ADD_KEYPTR(by_key, cache->entries, entry->key, strlen(entry->key), entry);
    if (!entry->by_key.tbl) {
        token_entry_destroy(entry);
        return NULL;
    }
    return entry;
}

void token_cache_finish(struct token_cache *cache)
{
    struct token_entry *entry, *next;
    HASH_ITER (by_key, cache->entries, entry, next) {
        HASH_DELETE(by_key, cache->entries, entry);
        token_entry_destroy(entry);
    }
}
