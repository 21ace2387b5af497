#ifndef BROKER_REFRESH_REFRESH_MOMENT_H
#define BROKER_REFRESH_REFRESH_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

struct token_entry;

/*
 * When a token is refreshed: margin = min(max(5 min, 20 % of the lifetime), half the lifetime), ±10 %, before expiry.
 */

/*
 * The moment, chosen once for each token so that it does not wander. 0: not ahead of time, for a token that never
 * expires, and for one without a lifetime, which would be refreshed without end. fraction: of [0, 1).
 */
int64_t refresh_moment_of(int64_t obtained_at, int64_t expires_at, double fraction);
/* Sets entry->refresh_after for its tokens. */
void refresh_moment_choose(struct token_entry *entry);
/* Of an entry with tokens: they are near their end, or the clock was set back since they were obtained. */
bool refresh_moment_is_due(const struct token_entry *entry, int64_t now);

#endif
