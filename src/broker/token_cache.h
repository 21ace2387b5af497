#ifndef BROKER_TOKEN_CACHE_H
#define BROKER_TOKEN_CACHE_H

#include <stddef.h>

#include "base/error.h"
#include "broker/token_entry.h"

struct broker;

/* Every entry by its key, tenant "/" name: the way from a request's path to its token. */
struct token_cache {
    struct token_entry *entries; /* hash */
};

enum { TOKEN_CACHE_KEY_MAX = 256 };

/* Writes tenant "/" name. 0 when it does not fit; else the length without the NUL. */
size_t token_cache_key(const char *tenant, const char *name, size_t name_length, char ret_key[TOKEN_CACHE_KEY_MAX]);
struct token_entry *token_cache_find(const struct token_cache *cache, const char *key, size_t key_length);
/* Finds or makes the entry of a key. NULL when out of memory. */
struct token_entry *token_cache_ensure(struct token_cache *cache, struct broker *broker, const char *key);
void token_cache_finish(struct token_cache *cache);

#endif
