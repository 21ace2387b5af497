#include "broker/refresh/refresh_moment.h"

#include "base/random.h"
#include "broker/entry/fetch_rule.h"
#include "broker/entry/token_entry_state.h"

int64_t refresh_moment_of(int64_t obtained_at, int64_t expires_at, double fraction)
{
    if (expires_at == 0)
        return 0;
    double lifetime = (double)(expires_at - obtained_at);
    if (lifetime <= 0)
        return 0;
    double margin = lifetime * 0.2 > 300 ? lifetime * 0.2 : 300;
    if (margin > lifetime / 2)
        margin = lifetime / 2;
    margin *= 0.9 + 0.2 * fraction;
    return expires_at - (int64_t)margin;
}

void refresh_moment_choose(struct token_entry *entry)
{
    const struct token_set *tokens = entry->tokens;
    entry->refresh_after = refresh_moment_of(tokens->obtained_at, tokens->expires_at, random_fraction());
    /* The configuration asks for another scope, and no person is needed to get it: due since the beginning. */
    if (entry->asked != ASKED_SAME && fetch_rule_can_renew(entry))
        entry->refresh_after = tokens->obtained_at > 0 ? tokens->obtained_at : 1;
}

bool refresh_moment_is_due(const struct token_entry *entry, int64_t now)
{
    bool is_near_its_end = entry->refresh_after && now >= entry->refresh_after;
    return is_near_its_end || (entry->span.expires_at != 0 && token_entry_is_later(entry->span.obtained_at, now));
}
