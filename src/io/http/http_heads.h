#ifndef SRC_IO_HTTP_HEADS_H
#define SRC_IO_HTTP_HEADS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "io/http/http_server.h"

/*
 * Heads that come again and again. A service asks for its tokens in the same bytes each time but for the target, so
 * what all others were parsed to once holds for every time; parsing them is half of what our own code does for a token.
 * They are compared byte for byte: the hash only says where to look. At most HTTP_HEADS_KEPT are kept, and wiped when
 * they go.
 */
struct http_heads;

enum { HTTP_HEADS_KEPT = 256, HTTP_HEAD_KEPT_MAX = 512, HTTP_HEAD_PARSED_MAX = 512 };

/* A head without its target. Together at most HTTP_HEAD_KEPT_MAX bytes. */
struct http_head_key {
    struct http_text method; /* with the space behind it */
    struct http_text rest;   /* from the space behind the target to the end */
    uint64_t hash;           /* http_heads_hash() */
};

/* NULL when out of memory. */
struct http_heads *http_heads_create(void);
void http_heads_destroy(struct http_heads *heads);
AUTO_DEFINE(http_heads);

uint64_t http_heads_hash(struct http_text method, struct http_text rest);
/* What it was parsed to, and the size of that; borrowed until the next http_heads_learn(). NULL: not known. */
const void *http_heads_find(const struct http_heads *heads, const struct http_head_key *key, size_t *ret_size);
/*
 * It was parsed to this; both are copied. Nothing happens when it is more than HTTP_HEAD_PARSED_MAX, and the first
 * time: only what comes twice in a row at its place is kept, so that what never comes again pushes out nothing that
 * does.
 */
void http_heads_learn(struct http_heads *heads, const struct http_head_key *key, const void *parsed, size_t size);

#endif
