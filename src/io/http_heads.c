#include "io/http_heads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct known_head {
    size_t length; /* of the bytes, which stand behind what they were parsed to */
    size_t size;   /* of that */
    char data[];
};

struct head_place {
    uint64_t hash;      /* of known */
    uint64_t candidate; /* of the last one that was not known */
    struct known_head *known;
};

struct http_heads {
    struct head_place places[HTTP_HEADS_KEPT];
};

struct http_heads *http_heads_create(void)
{
    return calloc(1, sizeof(struct http_heads));
}

static void forget(struct known_head *known)
{
    if (!known)
        return;
    secret_wipe(known->data, known->size + known->length);
    free(known);
}

void http_heads_destroy(struct http_heads *heads)
{
    if (!heads)
        return;
    for (size_t i = 0; i < HTTP_HEADS_KEPT; i++)
        forget(heads->places[i].known);
    free(heads);
}

/* Eight bytes at a time, the last ones twice where they do not add up (multiplicative hashing, Knuth). */
uint64_t http_heads_hash(const char *bytes, size_t length)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = length;
    uint64_t word = 0;
    for (size_t at = 0; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    if (length >= sizeof word)
        memcpy(&word, bytes + length - sizeof word, sizeof word);
    else
        memcpy(&word, bytes, length);
    hash = (hash ^ word) * factor;
    return hash ^ hash >> 32;
}

static size_t place_of(uint64_t hash)
{
    return hash % HTTP_HEADS_KEPT;
}

const void *http_heads_find(const struct http_heads *heads, uint64_t hash, const char *bytes, size_t length,
                            size_t *ret_size)
{
    const struct head_place *place = &heads->places[place_of(hash)];
    const struct known_head *known = place->known;
    bool is_it = known && place->hash == hash && known->length == length &&
                 memcmp(known->data + known->size, bytes, length) == 0;
    if (!is_it)
        return NULL;
    *ret_size = known->size;
    return known->data;
}

void http_heads_learn(struct http_heads *heads, uint64_t hash, const char *bytes, size_t length, const void *parsed,
                      size_t size)
{
    struct head_place *place = &heads->places[place_of(hash)];
    if (size > HTTP_HEAD_PARSED_MAX)
        return;
    if (place->candidate != hash) {
        place->candidate = hash;
        return;
    }
    struct known_head *known = malloc(sizeof *known + size + length);
    if (!known)
        return;
    known->length = length;
    known->size = size;
    memcpy(known->data, parsed, size);
    memcpy(known->data + size, bytes, length);
    forget(place->known);
    place->known = known;
    place->hash = hash;
}
