#ifndef PROTOCOL_REPLY_TOKEN_EXPIRY_H
#define PROTOCOL_REPLY_TOKEN_EXPIRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/iclient/iclient.h"

/* Expiry is wall clock seconds, kept within [now, now + 100 years] whatever a provider says. */
int64_t token_expiry_clamp(int64_t now, int64_t expires_at);
/* now + lifetime, clamped, without overflow. */
int64_t token_expiry_after(int64_t now, int64_t lifetime);
/* By accessTokenLifetime; 0 when it says that tokens never expire. */
int64_t token_expiry_default(const struct iclient *iclient, int64_t now);

/*
 * The access token's, from a reply: expiresAtPath (seconds or ISO 8601), else expiresInPath (number or string, in
 * expiresInUnit), else RFC 6749's own expires_in, else the default. What cannot be read counts as absent.
 */
int64_t token_expiry_read(const struct iclient *iclient, const struct reply_document *body, int64_t now);
/*
 * The refresh token's, from refreshExpiresInPath: a number of expiresInUnit, or a point in time. False: it says
 * nothing.
 */
bool token_expiry_read_refresh(const struct iclient *iclient, const struct reply_document *body, int64_t now,
                               int64_t *ret_expires_at);

#endif
