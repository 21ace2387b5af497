#ifndef BROKER_ENTRY_TOKEN_CACHE_H
#define BROKER_ENTRY_TOKEN_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "broker/entry/token_entry.h"

struct broker;

/* The hash stands beside the pointer, so that a look-up touches no entry but the one that it is for. */
struct token_slot {
    uint64_t hash;
    struct token_entry *entry; /* NULL: free */
    const void *reply; /* where its ready reply was at the last look-up, to fetch it ahead; may be gone by now */
};

/*
 * Every entry by its key, tenant "/" name: the way from a request's path to its token. A table with open addressing:
 * entries never leave it, and with 100,000 of them each further memory access costs as much as the rest of a look-up.
 */
struct token_cache {
    struct token_slot *slots;
    size_t capacity; /* 0, or a power of two */
    size_t count;
};

enum { TOKEN_CACHE_KEY_MAX = 256 };

/* Writes tenant "/" name. 0 when it does not fit; else the length without the NUL. */
size_t token_cache_key(const char *tenant, const char *name, size_t name_length, char ret_key[TOKEN_CACHE_KEY_MAX]);
struct token_entry *token_cache_find(const struct token_cache *cache, const char *key, size_t key_length);
/* Finds or makes the entry of a key. NULL when out of memory. */
struct token_entry *token_cache_ensure(struct token_cache *cache, struct broker *broker, const char *key);
/* All entries in no order, beginning with *position 0; NULL after the last. None may be made meanwhile. */
struct token_entry *token_cache_next(const struct token_cache *cache, size_t *position);
void token_cache_finish(struct token_cache *cache);

#endif
