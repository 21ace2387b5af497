#ifndef MODEL_REPLY_TOKEN_SET_H
#define MODEL_REPLY_TOKEN_SET_H

#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "model/reply/token_binding.h"

/* What refreshes of one authorization showed so far: whether the provider replaces the refresh token (RFC 6749 §6). */
enum token_rotation {
    TOKEN_ROTATION_UNKNOWN, /* there was none */
    TOKEN_ROTATION_KEPT,    /* every reply kept the refresh token that was sent */
    TOKEN_ROTATION_REPLACED /* one brought another refresh token */
};

/*
 * What one authorization yielded: immutable once it is in the cache, reference counted.
 * Times are wall clock seconds; expires_at 0: never expires.
 */
struct token_set {
    struct secret *access_token;
    struct secret *refresh_token; /* NULL: none */
    char *token_type;             /* as the provider wrote it; NULL: it did not */
    char *scope;                  /* granted scope; NULL: as asked */
    json_t *metadata;             /* object: responseMetadata and callbackMetadata; NULL: none */
    int64_t refresh_expires_at;   /* 0: not known */
    int64_t refreshes_left;       /* refreshCount; -1: unlimited */
    int64_t obtained_at;
    int64_t expires_at;
    enum token_rotation rotation;
    struct token_binding *binding; /* what it belongs to; NULL: not known, and then it is served and sent to nobody */
    uint64_t generation;           /* grows by 1 with each new access token of the connection */
    unsigned holds;
};

/* Empty, one hold, refreshes_left -1. NULL when out of memory. */
struct token_set *token_set_create(void);
struct token_set *token_set_hold(struct token_set *tokens);
void token_set_destroy(struct token_set *tokens);
AUTO_DEFINE(token_set);

/* take_binding: in place of what it had. */
void token_set_bind(struct token_set *tokens, struct token_binding *take_binding);

/* The store's form, with the secrets in it: {"access_token", …}. NULL when out of memory. */
struct secret *token_set_serialise(const struct token_set *tokens);
/*
 * ERR_CORRUPT when it is not what token_set_serialise() writes. Of a row whose binding is missing, of a later form or
 * damaged the binding is NULL.
 */
enum status token_set_parse(const struct secret *text, struct token_set **ret_tokens, struct error *ret_error);

#endif
