#include "protocol/token_lifetime.h"

static const int64_t lifetime_max = INT64_C(100) * 365 * 24 * 3600;
enum { LIFETIME_DEFAULT = 3600 };

int64_t token_lifetime_clamp(int64_t now, int64_t expires_at)
{
    if (expires_at < now)
        return now;
    return expires_at > now + lifetime_max ? now + lifetime_max : expires_at;
}

int64_t token_lifetime_end(int64_t now, int64_t lifetime)
{
    return token_lifetime_clamp(now, now + (lifetime > lifetime_max ? lifetime_max : lifetime < 0 ? 0 : lifetime));
}

int64_t token_lifetime_default_end(const struct iclient *iclient, int64_t now)
{
    int64_t lifetime = iclient_number(iclient, ICLIENT_ACCESS_TOKEN_LIFETIME, LIFETIME_DEFAULT);
    return lifetime == 0 ? 0 : token_lifetime_end(now, lifetime);
}
