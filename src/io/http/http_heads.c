#include "io/http/http_heads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct known_head {
    size_t size; /* of what it was parsed to, behind which stand method and rest */
    size_t method_length;
    size_t rest_length;
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
    secret_wipe(known->data, known->size + known->method_length + known->rest_length);
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

/* Multiplicative hashing (Knuth). */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

/* Eight bytes at a time, and the last eight once more where they do not add up. */
static uint64_t mix_text(uint64_t hash, struct http_text text)
{
    uint64_t word = 0;
    for (size_t at = 0; at + sizeof word <= text.length; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        hash = mix(hash, word);
    }
    if (text.length >= sizeof word)
        memcpy(&word, text.data + text.length - sizeof word, sizeof word);
    else
        memcpy(&word, text.data, text.length);
    return mix(hash, word ^ text.length);
}

uint64_t http_heads_hash(struct http_text method, struct http_text rest)
{
    return mix_text(mix_text(0, method), rest);
}

static bool is_text(const char *data, size_t length, struct http_text text)
{
    return length == text.length && memcmp(data, text.data, length) == 0;
}

const void *http_heads_find(const struct http_heads *heads, const struct http_head_key *key, size_t *ret_size)
{
    const struct head_place *place = &heads->places[key->hash % HTTP_HEADS_KEPT];
    const struct known_head *known = place->known;
    if (!known || place->hash != key->hash)
        return NULL;
    const char *method = known->data + known->size;
    if (!is_text(method, known->method_length, key->method) ||
        !is_text(method + known->method_length, known->rest_length, key->rest))
        return NULL;
    *ret_size = known->size;
    return known->data;
}

void http_heads_learn(struct http_heads *heads, const struct http_head_key *key, const void *parsed, size_t size)
{
    struct head_place *place = &heads->places[key->hash % HTTP_HEADS_KEPT];
    if (size > HTTP_HEAD_PARSED_MAX || key->method.length + key->rest.length > HTTP_HEAD_KEPT_MAX)
        return;
    if (place->candidate != key->hash) {
        place->candidate = key->hash;
        return;
    }
    struct known_head *known = malloc(sizeof *known + size + key->method.length + key->rest.length);
    if (!known)
        return;
    *known = (struct known_head){size, key->method.length, key->rest.length};
    memcpy(known->data, parsed, size);
    memcpy(known->data + size, key->method.data, key->method.length);
    memcpy(known->data + size + key->method.length, key->rest.data, key->rest.length);
    forget(place->known);
    place->known = known;
    place->hash = key->hash;
}
