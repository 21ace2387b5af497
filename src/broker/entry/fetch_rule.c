#include "broker/entry/fetch_rule.h"

#include "base/clock.h"
#include "broker/entry/token_entry_state.h"

bool fetch_rule_can_refresh(const struct token_entry *entry, int64_t now)
{
    const struct token_set *tokens = entry->fits ? entry->tokens : NULL;
    return tokens && tokens->refresh_token && tokens->refreshes_left != 0 &&
           (tokens->refresh_expires_at == 0 || tokens->refresh_expires_at > now);
}

bool fetch_rule_needs_nobody(const struct connection *connection)
{
    enum grant_type grant = iclient_grant(connection_iclient(connection));
    return grant != GRANT_NONE && grant != GRANT_AUTHORIZATION_CODE;
}

bool fetch_rule_is_possible(const struct token_entry *entry)
{
    return fetch_rule_can_refresh(entry, clock_wall()) || fetch_rule_needs_nobody(entry->connection);
}

bool fetch_rule_is_refresh_enough(const struct token_entry *entry)
{
    return entry->asked != ASKED_OTHER || !fetch_rule_needs_nobody(entry->connection);
}

bool fetch_rule_can_renew(const struct token_entry *entry)
{
    return fetch_rule_needs_nobody(entry->connection) ||
           (entry->asked != ASKED_OTHER && fetch_rule_can_refresh(entry, clock_wall()));
}
