#include "broker/entry/token_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/entry/fetch_rule.h"
#include "broker/refresh/refresh_moment.h"
#include "broker/entry/token_entry_state.h"
#include "broker/entry/token_reports.h"
#include "model/connection/connection_binding.h"
#include "model/iclient/legacy_fingerprint.h"

struct token_watcher {
    struct token_entry *entry;
    token_changed *changed;
    void *context;
    struct token_watcher *next, *prev;
};

const char *entry_state_name(enum entry_state state)
{
#define ENTRY_STATE_WORD(symbol, word) word,
    static const char *const words[] = {ENTRY_STATE_TABLE(ENTRY_STATE_WORD)};
#undef ENTRY_STATE_WORD
    return words[state];
}

const struct connection *token_entry_connection(const struct token_entry *entry)
{
    return entry->connection;
}

const struct access_rule *token_entry_access(const struct token_entry *entry)
{
    return entry->access;
}

uint64_t token_entry_generation(const struct token_entry *entry)
{
    return entry->fits ? entry->span.generation : 0;
}

enum entry_state token_entry_state(const struct token_entry *entry)
{
    return entry->state;
}

const struct token_set *token_entry_tokens(const struct token_entry *entry)
{
    return entry->fits ? entry->tokens : NULL;
}

const char *token_entry_scope(const struct token_entry *entry)
{
    const struct token_set *tokens = token_entry_tokens(entry);
    if (tokens && tokens->scope)
        return tokens->scope;
    if (!tokens || entry->asked == ASKED_SAME || !tokens->binding)
        return connection_scope(entry->connection);
    const char *refreshed = token_binding_value(tokens->binding, BINDING_REFRESHED_SCOPE);
    return refreshed ? refreshed : token_binding_value(tokens->binding, BINDING_SCOPE);
}

const struct entry_trouble *token_entry_trouble(const struct token_entry *entry)
{
    return entry->trouble;
}

int64_t token_entry_refresh_after(const struct token_entry *entry)
{
    return entry->fits ? entry->refresh_after : 0;
}

bool token_entry_is_refreshing(const struct token_entry *entry)
{
    return entry->fetch != NULL;
}

bool token_entry_is_unsaved(const struct token_entry *entry)
{
    return entry->is_unsaved;
}

const char *token_entry_name(const struct token_entry *entry)
{
    const char *name = strchr(entry->key, '/') + 1;
    return strncmp(entry->key, "default/", strlen("default/")) == 0 ? name : entry->key;
}

struct token_entry *token_entry_create(struct broker *broker, const char *key, size_t length)
{
    struct token_entry *entry = calloc(1, sizeof *entry + length + 1);
    if (!entry)
        return NULL;
    entry->broker = broker;
    entry->key_length = (unsigned)length;
    memcpy(entry->key, key, length + 1);
    return entry;
}

static void trouble_destroy(struct entry_trouble *trouble)
{
    if (!trouble)
        return;
    free(trouble->code);
    free(trouble->message);
    free(trouble);
}

static void token_entry_drop_trouble(struct token_entry *entry)
{
    if (entry->trouble != &entry->scarce_trouble)
        trouble_destroy(entry->trouble);
    entry->trouble = NULL;
}

void token_reply_finish(struct token_entry *entry)
{
    secret_destroy(TAKE(entry->reply.json));
    secret_destroy(TAKE(entry->header));
}

void token_entry_destroy(struct token_entry *entry)
{
    if (!entry)
        return;
    struct token_watcher *watcher, *next;
    DL_FOREACH_SAFE (entry->watchers, watcher, next)
        free(watcher);
    loop_timer_destroy(entry->timer);
    token_reports_destroy(entry->reports);
    token_reply_finish(entry);
    token_entry_drop_trouble(entry);
    token_set_destroy(entry->tokens);
    connection_destroy(entry->connection);
    free(entry);
}

/* ---- what the tokens belong to ---- */

/*
 * An earlier version's tokens belong to the configuration that it would have stored the same fingerprint for. False: no
 * memory to tell.
 */
static bool compare_fingerprint(const struct token_entry *entry, bool *ret_is_same)
{
    const struct token_binding *binding = entry->tokens->binding;
    const char *stored = binding ? token_binding_value(binding, BINDING_FINGERPRINT) : NULL;
    char present[LEGACY_FINGERPRINT_SIZE];
    *ret_is_same = false;
    if (!stored)
        return true;
    if (!legacy_fingerprint(entry->connection, present))
        return false;
    *ret_is_same = strcmp(stored, present) == 0;
    return true;
}

/* otherwise: the answer when there is no memory to tell, and then this is false. */
static bool token_entry_check_fit(struct token_entry *entry, bool otherwise)
{
    entry->fits = false;
    entry->asked = ASKED_SAME;
    if (!entry->tokens || !entry->connection)
        return true;
    AUTO(token_binding) present = connection_binding(entry->connection, entry->tokens->metadata, NULL);
    bool is_known_now;
    if (!present || !compare_fingerprint(entry, &is_known_now)) {
        entry->fits = otherwise;
        return false;
    }
    entry->is_bound_anew |= is_known_now;
    /* Equal ones are shared, which spares memory and makes the next comparison one of pointers. */
    bool is_equal = entry->tokens->binding != present && token_binding_equal(entry->tokens->binding, present);
    if (is_known_now || is_equal)
        token_set_bind(entry->tokens, token_binding_hold(present));
    entry->fits = token_binding_conflict(entry->tokens->binding, present) == BINDING_PART_COUNT;
    enum binding_part part = BINDING_PART_COUNT;
    if (entry->fits)
        entry->asked = token_binding_asked(entry->tokens->binding, present, &part);
    entry->asked_part = part;
    return true;
}

enum { REASON_MAX = 2048 };

/* "the scope was a b and is now a; " and so on. False: no memory. */
static bool describe_difference(const struct token_entry *entry, struct text_buffer *reason)
{
    AUTO(token_binding) present = connection_binding(entry->connection, entry->tokens->metadata, NULL);
    const struct token_binding *stored = entry->tokens->binding;
    if (!present)
        return false;
    enum binding_part part = entry->fits ? entry->asked_part : token_binding_conflict(stored, present);
    return part != BINDING_PART_COUNT && token_binding_describe(stored, present, part, reason);
}

static const char *asked_code(enum binding_part part)
{
    return part == BINDING_AUDIENCE   ? "audience_changed"
           : part == BINDING_RESOURCE ? "resource_changed"
                                      : "scope_changed";
}

void token_entry_rest(struct token_entry *entry)
{
    enum entry_state rest = token_entry_rest_state(entry);
    bool is_aside = entry->tokens && !entry->fits && rest == ENTRY_AUTHORIZATION_REQUIRED;
    bool is_outdated = entry->tokens && rest == ENTRY_READY && entry->asked != ASKED_SAME;
    if (!is_aside && !is_outdated) {
        token_entry_set_state(entry, rest, NULL, NULL, 0);
        return;
    }
    AUTO_FINISH(text_buffer) reason;
    text_buffer_init(&reason, REASON_MAX);
    if (!describe_difference(entry, &reason))
        text_buffer_append_text(&reason, "the configuration was changed after the tokens were granted");
    if (is_aside)
        text_buffer_append_text(&reason, "; undoing the change brings the tokens back, a login replaces them");
    else if (fetch_rule_can_renew(entry))
        text_buffer_append_text(&reason, "; a new token is on request, and the present one is served until it comes");
    else
        text_buffer_append_text(&reason, "; the present tokens are served, and a login would bring the new ones");
    token_entry_set_state(entry, rest, is_aside ? "configuration_changed" : asked_code(entry->asked_part),
                          text_buffer_text(&reason), 0);
    entry->trouble->is_of_rest = true;
}

enum entry_state token_entry_rest_state(const struct token_entry *entry)
{
    if (!connection_is_active(entry->connection))
        return ENTRY_INACTIVE;
    enum grant_type grant = iclient_grant(connection_iclient(entry->connection));
    if (grant == GRANT_NONE)
        return ENTRY_UNSUPPORTED;
    if (entry->fits)
        return ENTRY_READY;
    return grant == GRANT_AUTHORIZATION_CODE ? ENTRY_AUTHORIZATION_REQUIRED : ENTRY_EMPTY;
}

static void log_fit(const struct token_entry *entry)
{
    if (entry->fits) {
        log_notice("connection %s: its tokens belong to its configuration again, and are served",
                   token_entry_name(entry));
        return;
    }
    AUTO_FINISH(text_buffer) reason;
    text_buffer_init(&reason, REASON_MAX);
    describe_difference(entry, &reason);
    log_notice("connection %s: its tokens are kept aside: %s", token_entry_name(entry), text_buffer_text(&reason));
}

void token_entry_configure(struct token_entry *entry, const struct connection *connection)
{
    struct connection *held = connection ? connection_hold(connection) : NULL;
    connection_destroy(entry->connection);
    entry->connection = held;
    entry->access = held ? connection_access(held) : NULL;
    token_reports_forgive(entry->reports);
    bool did_fit = entry->fits;
    enum asked_change was_asked = entry->asked;
    token_entry_check_fit(entry, did_fit);
    if (!held) {
        token_entry_changed(entry);
        return;
    }
    if (entry->tokens && entry->fits != did_fit)
        log_fit(entry);
    /* The provider refused this refresh token: an edit that keeps what it belongs to does not make it good again. */
    bool stays_refused = did_fit && entry->fits && entry->state == ENTRY_AUTHORIZATION_REQUIRED;
    if (entry->fits && (!did_fit || entry->asked != was_asked))
        refresh_moment_choose(entry);
    if (stays_refused && token_entry_rest_state(entry) == ENTRY_READY)
        token_entry_changed(entry);
    else
        token_entry_rest(entry);
}

void token_entry_put_tokens(struct token_entry *entry, struct token_set *tokens)
{
    struct token_set *held = token_set_hold(tokens);
    token_set_destroy(entry->tokens);
    entry->tokens = held;
    entry->span =
        held ? (struct token_span){held->obtained_at, held->expires_at, held->generation} : (struct token_span){0};
}

bool token_entry_adopt(struct token_entry *entry, struct token_set *tokens, const struct connection *granted_under)
{
    token_entry_put_tokens(entry, tokens);
    if (tokens->generation > entry->generation)
        entry->generation = tokens->generation;
    if (entry->reports)
        token_reports_drop_old(&entry->reports, tokens->generation, clock_boot_ms());
    bool is_known = token_entry_check_fit(entry, granted_under && granted_under == entry->connection);
    refresh_moment_choose(entry);
    if (entry->connection)
        token_entry_rest(entry);
    return is_known;
}

void token_entry_forget_tokens(struct token_entry *entry)
{
    token_entry_put_tokens(entry, NULL);
    entry->fits = false;
    entry->is_bound_anew = false;
    entry->is_ambiguous = false;
    entry->refresh_after = 0;
    if (entry->connection)
        token_entry_rest(entry);
}

static struct entry_trouble *trouble_create(const char *code, const char *message, int64_t retry_at, unsigned failures)
{
    struct entry_trouble *trouble = calloc(1, sizeof *trouble);
    if (!trouble)
        return NULL;
    trouble->code = strdup(code);
    trouble->message = strdup(message);
    trouble->at = clock_wall();
    trouble->retry_at = retry_at;
    trouble->failures = failures;
    if (trouble->code && trouble->message)
        return trouble;
    trouble_destroy(trouble);
    return NULL;
}

static void token_entry_set_trouble(struct token_entry *entry, const char *code, const char *message, int64_t retry_at,
                                    unsigned failures)
{
    static char scarce_code[] = "no_memory";
    static char scarce_message[] = "out of memory, which has also cost the reason";
    struct entry_trouble *trouble = trouble_create(code, message, retry_at, failures);
    token_entry_drop_trouble(entry);
    if (!trouble) {
        trouble = &entry->scarce_trouble;
        *trouble = (struct entry_trouble){.code = scarce_code,
                                          .message = scarce_message,
                                          .at = clock_wall(),
                                          .retry_at = retry_at,
                                          .failures = failures};
    }
    entry->trouble = trouble;
}

void token_entry_set_state(struct token_entry *entry, enum entry_state state, const char *code, const char *message,
                           int64_t retry_at)
{
    unsigned failures = entry->trouble && entry->state == state ? entry->trouble->failures + 1 : 1;
    if (code)
        token_entry_set_trouble(entry, code, message, retry_at, failures);
    else
        token_entry_drop_trouble(entry);
    if (entry->state != state)
        log_debug("connection %s: %s -> %s", token_entry_name(entry), entry_state_name(entry->state),
                  entry_state_name(state));
    entry->state = state;
    token_entry_changed(entry);
}

bool token_entry_is_usable(const struct token_entry *entry, int64_t now)
{
    if (!entry->fits || entry->state == ENTRY_INACTIVE)
        return false;
    const struct token_span *span = &entry->span;
    /*
     * A token of this very second is served whatever its lifetime, or a provider that grants 0 s costs an exchange per
     * caller.
     */
    return span->expires_at == 0 || span->expires_at > now || span->obtained_at == now;
}

bool token_entry_is_usable_for(const struct token_entry *entry, uid_t user, int64_t now)
{
    if (!token_entry_is_usable(entry, now))
        return false;
    uint64_t generation = entry->span.generation;
    return generation > entry->refused_generation || generation > token_reports_refused(entry->reports, user);
}

int64_t token_entry_seconds_left(const struct token_entry *entry, int64_t now)
{
    const struct token_span *span = &entry->span;
    if (span->expires_at == 0)
        return INT64_MAX;
    return span->expires_at - (now > span->obtained_at ? now : span->obtained_at);
}

int64_t token_entry_retry_at(const struct token_entry *entry, int64_t now)
{
    return entry->trouble && !token_entry_is_later(entry->trouble->at, now) ? entry->trouble->retry_at : 0;
}

const char *token_entry_stale_reason(const struct token_entry *entry)
{
    if (entry->span.generation > 0 && entry->span.generation == entry->reported_generation)
        return "token_reported";
    if (entry->state != ENTRY_READY)
        return entry_state_name(entry->state);
    return entry->asked == ASKED_SAME ? NULL : asked_code(entry->asked_part);
}

void token_entry_changed(struct token_entry *entry)
{
    token_reply_finish(entry);
    struct token_watcher *watcher, *next;
    DL_FOREACH_SAFE (entry->watchers, watcher, next)
        watcher->changed(watcher->context);
}

struct token_watcher *token_entry_watch(struct token_entry *entry, token_changed *changed, void *context)
{
    struct token_watcher *watcher = calloc(1, sizeof *watcher);
    if (!watcher)
        return NULL;
    watcher->entry = entry;
    watcher->changed = changed;
    watcher->context = context;
    DL_APPEND(entry->watchers, watcher);
    metrics_add(entry->broker->metrics, METRIC_WATCHERS, 1);
    return watcher;
}

void token_watcher_cancel(struct token_watcher *watcher)
{
    if (!watcher)
        return;
    metrics_add(watcher->entry->broker->metrics, METRIC_WATCHERS, -1);
    DL_DELETE(watcher->entry->watchers, watcher);
    free(watcher);
}
