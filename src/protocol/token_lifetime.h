#ifndef PROTOCOL_TOKEN_LIFETIME_H
#define PROTOCOL_TOKEN_LIFETIME_H

#include <stdint.h>

#include "model/iclient.h"

/* Expiry is wall clock seconds, kept within [now, now + 100 years] whatever a provider says. */
int64_t token_lifetime_clamp(int64_t now, int64_t expires_at);
/* now + lifetime, clamped, without overflow. */
int64_t token_lifetime_end(int64_t now, int64_t lifetime);
/* accessTokenLifetime from now; 0 when it says that tokens never expire. */
int64_t token_lifetime_default_end(const struct iclient *iclient, int64_t now);

#endif
