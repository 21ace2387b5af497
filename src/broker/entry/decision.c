#include "broker/entry/decision.h"

#include <string.h>

#include "broker/entry/token_entry_state.h"

enum token_answer decision_served(const struct token_entry *entry, int64_t min_ttl, int64_t now)
{
    return token_entry_seconds_left(entry, now) >= min_ttl ? TOKEN_SERVED : TOKEN_SERVED_SHORT;
}

/* A token is young during the first sixtieth of its lifetime, a minute of an hour. */
enum { YOUNG_PARTS = 60 };

bool decision_is_best_possible(const struct token_entry *entry, int64_t min_ttl, int64_t now)
{
    const struct token_set *tokens = entry->tokens;
    int64_t lifetime = tokens->expires_at - tokens->obtained_at;
    bool is_fresh = now < entry->refresh_after || now == tokens->obtained_at;
    bool is_young = now - tokens->obtained_at <= lifetime / YOUNG_PARTS;
    return is_fresh && (is_young || lifetime < min_ttl);
}

enum token_answer decision_trouble(const struct token_entry *entry)
{
    static const enum token_answer answers[ENTRY_STATE_COUNT] = {
        [ENTRY_EMPTY] = TOKEN_PROVIDER_UNAVAILABLE,
        [ENTRY_READY] = TOKEN_PROVIDER_UNAVAILABLE,
        [ENTRY_AUTHORIZATION_REQUIRED] = TOKEN_AUTHORIZATION_REQUIRED,
        [ENTRY_CLIENT_REJECTED] = TOKEN_CLIENT_REJECTED,
        [ENTRY_PROVIDER_UNAVAILABLE] = TOKEN_PROVIDER_UNAVAILABLE,
        [ENTRY_PROVIDER_ERROR] = TOKEN_PROVIDER_ERROR,
        [ENTRY_STORE_UNAVAILABLE] = TOKEN_STORE_UNAVAILABLE,
        [ENTRY_INACTIVE] = TOKEN_INACTIVE,
        [ENTRY_UNSUPPORTED] = TOKEN_UNSUPPORTED,
    };
    if (entry->state == ENTRY_PROVIDER_UNAVAILABLE && entry->trouble &&
        strcmp(entry->trouble->code, DECISION_OVERLOADED) == 0)
        return TOKEN_OVERLOADED;
    return answers[entry->state];
}

bool decision_is_blocked(const struct token_entry *entry, int64_t now)
{
    switch (entry->state) {
    case ENTRY_AUTHORIZATION_REQUIRED:
    case ENTRY_INACTIVE:
    case ENTRY_UNSUPPORTED:
        return true;
    case ENTRY_STORE_UNAVAILABLE:
        /* Who cannot be served otherwise gets the refresh all the same. */
        return token_entry_is_usable(entry, now) && token_entry_retry_at(entry, now) > now;
    default:
        return token_entry_retry_at(entry, now) > now;
    }
}
