#include "broker/exchange/fetch_failure.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/random.h"
#include "broker/refresh/back_off.h"
#include "broker/broker_state.h"
#include "broker/entry/token_entry_state.h"
#include "broker/exchange/token_fetch_state.h"
#include "broker/entry/token_record.h"
#include "model/connection/connection_binding.h"
#include "model/connection/connection_digest.h"
#include "protocol/reply/token_response.h"

static unsigned failures_in_row(const struct token_entry *entry, enum entry_state state)
{
    return entry->trouble && entry->state == state ? entry->trouble->failures + 1 : 1;
}

static void back_off(struct token_entry *entry, enum entry_state state, enum back_off kind,
                     const struct token_outcome *outcome)
{
    int64_t delay = back_off_delay(kind, failures_in_row(entry, state), outcome->retry_after);
    token_entry_set_state(entry, state, outcome->code[0] ? outcome->code : entry_state_name(state), outcome->message,
                          clock_wall() + delay);
}

enum { ROOM_PAUSE_SECONDS = 3 };

/* There was no room for the request: the provider has nothing to do with it, and room comes back in no time. */
static void wait_for_room(struct token_entry *entry, const struct token_outcome *outcome)
{
    int64_t pause = 1 + (int64_t)(random_fraction() * ROOM_PAUSE_SECONDS);
    token_entry_set_state(entry, ENTRY_PROVIDER_UNAVAILABLE, outcome->code, outcome->message, clock_wall() + pause);
}

static void refuse_token(struct token_entry *entry, const struct token_outcome *outcome, bool is_refresh)
{
    /* Without a person, credentials that were refused now are refused again: as slow as a refused iClient. */
    if (!is_refresh) {
        back_off(entry, ENTRY_CLIENT_REJECTED, BACK_OFF_CLIENT, outcome);
        return;
    }
    if (!entry->is_ambiguous) {
        token_entry_set_state(entry, ENTRY_AUTHORIZATION_REQUIRED, outcome->code[0] ? outcome->code : "invalid_grant",
                              outcome->message, 0);
        return;
    }
    metrics_add(entry->broker->metrics, METRIC_ROTATIONS_AMBIGUOUS, 1);
    char message[OUTCOME_MESSAGE_MAX + 200];
    snprintf(message, sizeof message,
             "an earlier refresh had no clear answer, and now the provider refuses the refresh token: "
             "it may have been replaced by one that never arrived (%s)",
             outcome->message);
    log_error("connection %s: rotation_ambiguous: %s", token_entry_name(entry), message);
    token_entry_set_state(entry, ENTRY_AUTHORIZATION_REQUIRED, "rotation_ambiguous", message, 0);
}

static void refuse_client(struct token_entry *entry, const struct token_fetch *fetch,
                          const struct token_outcome *outcome)
{
    int64_t retry_at =
        client_breaker_open(entry->broker, connection_iclient(fetch->connection), clock_wall(), outcome->retry_after);
    token_entry_set_state(entry, ENTRY_CLIENT_REJECTED, outcome->code[0] ? outcome->code : "client_rejected",
                          outcome->message, retry_at);
}

/* The same client, servers, account and grant. Without memory: no. */
static bool is_same_binding(const struct token_entry *entry, const struct token_fetch *fetch)
{
    const json_t *metadata = fetch->tokens ? fetch->tokens->metadata : NULL;
    AUTO(token_binding) present = connection_binding(entry->connection, metadata, NULL);
    AUTO(token_binding) sent = connection_binding(fetch->connection, metadata, NULL);
    return present && sent && token_binding_conflict(sent, present) == BINDING_PART_COUNT;
}

static bool is_same_configuration(const struct token_entry *entry, const struct token_fetch *fetch)
{
    char present[CONNECTION_DIGEST_SIZE], sent[CONNECTION_DIGEST_SIZE];
    return entry->connection == fetch->connection ||
           (connection_digest(entry->connection, present) && connection_digest(fetch->connection, sent) &&
            strcmp(present, sent) == 0);
}

/*
 * An edit came while the request was in flight. What the provider says of the refresh token stays true as long as the
 * tokens belong to the same client and servers; all else, as a refused secret, was said of what is no longer
 * configured.
 */
static bool is_outdated(const struct token_entry *entry, const struct token_fetch *fetch,
                        const struct token_outcome *outcome)
{
    if (!entry->connection || !connection_is_active(entry->connection))
        return true;
    if (is_same_configuration(entry, fetch))
        return false;
    bool is_of_token = outcome->outcome == OUTCOME_TOKEN_REFUSED && fetch->exchange == TOKEN_EXCHANGE_REFRESH;
    return !is_of_token || !is_same_binding(entry, fetch);
}

void fetch_failure_wait_for_store(struct token_entry *entry, const struct token_fetch *fetch)
{
    static const struct token_outcome outcome = {
        .code = "store_unavailable",
        .message = "the refresh waits until the token store can be written: it could cost the refresh token if nothing "
                   "of it was noted",
    };
    if (entry->connection && connection_is_active(entry->connection) && is_same_binding(entry, fetch))
        back_off(entry, ENTRY_STORE_UNAVAILABLE, BACK_OFF_STORE, &outcome);
}

bool fetch_failure_apply(struct token_entry *entry, const struct token_fetch *fetch,
                         const struct token_outcome *outcome, bool is_unclear)
{
    bool is_refresh = fetch->exchange == TOKEN_EXCHANGE_REFRESH;
    if (is_outdated(entry, fetch, outcome)) {
        /* An edit back takes up the same refresh token. */
        entry->is_ambiguous |= is_unclear;
        return false;
    }
    switch (outcome->outcome) {
    case OUTCOME_TOKEN_REFUSED:
        refuse_token(entry, outcome, is_refresh);
        break;
    case OUTCOME_CLIENT_REFUSED:
        refuse_client(entry, fetch, outcome);
        break;
    case OUTCOME_BROKEN:
        back_off(entry, ENTRY_PROVIDER_ERROR, BACK_OFF_BROKEN, outcome);
        break;
    case OUTCOME_GRANTED:
    case OUTCOME_TRANSIENT:
        if (fetch->is_unsent)
            wait_for_room(entry, outcome);
        else
            back_off(entry, ENTRY_PROVIDER_UNAVAILABLE, BACK_OFF_TRANSIENT, outcome);
        break;
    }
    entry->is_ambiguous =
        is_refresh && (is_unclear || (entry->is_ambiguous && outcome->outcome != OUTCOME_TOKEN_REFUSED));
    unsigned parts = RECORD_STATE | (is_refresh && !entry->is_ambiguous ? RECORD_JOURNAL_END : 0);
    /*
     * A state that is lost in a crash is found again by the next exchange: nothing waits for this write. Where the
     * newest tokens are unsaved, it would stand beside older ones.
     */
    if (!entry->is_unsaved)
        token_record_write(entry, parts, NULL, NULL, NULL);
    return true;
}

void fetch_failure_release_iclient(struct broker *broker, const struct iclient *iclient)
{
    struct token_entry *entry;
    for (size_t i = 0; (entry = token_cache_next(&broker->cache, &i));) {
        bool is_kept = entry->connection && entry->state == ENTRY_CLIENT_REJECTED && !entry->fetch &&
                       strcmp(iclient_id(connection_iclient(entry->connection)), iclient_id(iclient)) == 0;
        if (is_kept)
            token_entry_rest(entry);
    }
}
