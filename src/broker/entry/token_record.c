#include "broker/entry/token_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_flat.h"
#include "base/json/json_read.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/entry/entry_event.h"
#include "broker/entry/token_entry_state.h"
#include "broker/exchange/token_fetch_state.h"
#include "model/connection/connection_digest.h"
#include "model/iclient/legacy_fingerprint.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30000 };

/*
 * What the tokens belong to stands with them. configuration: what the trouble was met under, so that a restart after an
 * edit does not bring it back.
 */
static struct secret *render_state(const struct token_entry *entry, uint64_t generation,
                                   const struct entry_trouble *trouble)
{
    AUTO_JSON document = json_pack("{s:I}", "generation", (json_int_t)generation);
    char configuration[CONNECTION_DIGEST_SIZE] = "";
    bool is_told = trouble && !trouble->is_of_rest;
    if (is_told && entry->connection && !connection_digest(entry->connection, configuration))
        return NULL;
    if (document && is_told)
        json_object_update_new(document,
                               json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:i}", "configuration", configuration, "state",
                                         entry_state_name(entry->state), "code", trouble->code, "message",
                                         trouble->message, "at", (json_int_t)trouble->at, "retry_at",
                                         (json_int_t)trouble->retry_at, "failures", (int)trouble->failures));
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, STORE_VALUE_MAX);
    return document && text_buffer_append_json(&text, document) ? text_buffer_take_secret(&text) : NULL;
}

/*
 * New tokens, or none any more: either way the trouble is over once this is durable. That the store could not note a
 * refresh is no news either, once it is written.
 */
static const struct entry_trouble *lasting_trouble(const struct token_entry *entry, bool has_tokens,
                                                   const struct token_set *tokens)
{
    bool is_over = (has_tokens && tokens != entry->tokens) || entry->state == ENTRY_STORE_UNAVAILABLE;
    return is_over ? NULL : entry->trouble;
}

void token_record_write(struct token_entry *entry, unsigned parts, const struct token_set *tokens, store_done *done,
                        void *context)
{
    /*
     * The state of an earlier version has what its tokens belong to: whoever writes over it writes that to the tokens.
     */
    if ((parts & RECORD_STATE) && !(parts & RECORD_TOKENS) && entry->is_bound_anew && entry->tokens) {
        parts |= RECORD_TOKENS;
        tokens = entry->tokens;
    }
    bool has_tokens = parts & RECORD_TOKENS;
    bool has_state = parts & RECORD_STATE;
    bool has_begin = parts & RECORD_JOURNAL_BEGIN;
    const struct entry_trouble *trouble = lasting_trouble(entry, has_tokens, tokens);
    uint64_t generation = tokens ? tokens->generation : entry->generation;
    AUTO(secret) tokens_text = has_tokens && tokens ? token_set_serialise(tokens) : NULL;
    AUTO(secret) state_text = has_state ? render_state(entry, generation, trouble) : NULL;
    AUTO(secret) journal_text = has_begin ? secret_from_text("{\"refresh_started\":true}") : NULL;
    bool is_complete =
        (!has_tokens || !tokens || tokens_text) && (!has_state || state_text) && (!has_begin || journal_text);
    if (!is_complete) {
        struct error error;
        error_set(&error, ERR_NO_MEMORY, "no memory to write the tokens of %s", token_entry_name(entry));
        if (done)
            done(context, ERR_NO_MEMORY, &error);
        return;
    }
    struct store_change changes[3];
    size_t count = 0;
    if (has_tokens)
        changes[count++] = (struct store_change){STORE_TOKENS, entry->key, tokens_text};
    if (has_state)
        changes[count++] = (struct store_change){STORE_STATES, entry->key, state_text};
    if (parts & (RECORD_JOURNAL_BEGIN | RECORD_JOURNAL_END))
        changes[count++] = (struct store_change){STORE_JOURNAL, entry->key, journal_text};
    struct store *store = entry->broker->store;
    store->operations->write(store, changes, count, done, context);
}

/* ---- tokens that the store refused ---- */

static void schedule_retry(struct broker *broker)
{
    int64_t delay = RETRY_FIRST_MS;
    for (unsigned i = 0; i < broker->unsaved_attempts && delay < RETRY_MOST_MS; i++)
        delay *= 2;
    broker->unsaved_attempts++;
    if (loop_timer_start(broker->unsaved_timer, delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS) != OK)
        log_error("no memory to plan the next attempt to save tokens");
}

static void on_saved(void *context, enum status status, const struct error *error)
{
    struct token_entry *entry = context;
    struct broker *broker = entry->broker;
    entry->is_saving = false;
    if (status != OK) {
        metrics_add(broker->metrics, METRIC_STORE_FAILURES, 1);
        log_error("connection %s: it is still not saved: %s", token_entry_name(entry), error->message);
    }
    if (status != OK || entry->is_saving_older) {
        if (!loop_timer_is_running(broker->unsaved_timer))
            schedule_retry(broker);
        return;
    }
    entry->is_unsaved = false;
    DL_DELETE2(broker->unsaved, entry, prev_unsaved, next_unsaved);
    metrics_add(broker->metrics, METRIC_STORE_PENDING, -1);
    log_notice("connection %s: its tokens are saved now", token_entry_name(entry));
    if (broker->unsaved)
        return;
    broker->unsaved_attempts = 0;
    token_record_renew_rows(broker);
}

/*
 * What is on its way to the store already is newer than what the entry has: this must not be written over it. The
 * journal of a refresh in flight, or of one without a clear answer, stays open; one that the store could not note is
 * opened now.
 */
static void write_newest(struct token_entry *entry, store_done *done)
{
    const struct token_fetch *fetch = entry->fetch;
    bool is_granted = fetch && fetch->granted;
    const struct token_set *tokens = is_granted ? fetch->granted : entry->tokens;
    if (entry->is_forgetting)
        tokens = NULL;
    unsigned journal = RECORD_JOURNAL_END;
    if (!is_granted && tokens && (entry->is_ambiguous || (fetch && fetch->is_unnoted)))
        journal = RECORD_JOURNAL_BEGIN;
    else if (!is_granted && fetch)
        journal = 0; /* it has its own */
    token_record_write(entry, RECORD_TOKENS | RECORD_STATE | journal, tokens, done, entry);
}

void token_record_retry_unsaved(void *context)
{
    struct broker *broker = context;
    struct token_entry *entry, *next;
    DL_FOREACH_SAFE2 (broker->unsaved, entry, next, next_unsaved) {
        if (entry->is_saving)
            continue;
        entry->is_saving = true;
        entry->is_saving_older = false;
        write_newest(entry, on_saved);
    }
}

void token_record_write_unsaved(struct broker *broker)
{
    struct token_entry *entry;
    DL_FOREACH2 (broker->unsaved, entry, next_unsaved)
        write_newest(entry, NULL);
}

static void log_loss(const struct token_entry *entry, enum token_record_loss loss, const struct error *error)
{
    const char *what = entry->tokens
                           ? "its new tokens cannot be saved and are in memory only; do not stop the daemon "
                             "before they are"
                           : "its forgotten tokens cannot be deleted in the store; do not stop the daemon before "
                             "they are";
    if (loss == LOSS_OF_JOURNAL)
        what = "there is no valid token, so it is refreshed although the store cannot note that; should the daemon end "
               "before it can, a refresh token that gets lost looks as if the provider had revoked it";
    log_error("connection %s: %s: %s", token_entry_name(entry), what, error->message);
}

void token_record_keep_trying(struct token_entry *entry, enum token_record_loss loss, const struct error *error)
{
    struct broker *broker = entry->broker;
    metrics_add(broker->metrics, METRIC_STORE_FAILURES, 1);
    log_loss(entry, loss, error);
    entry->is_saving_older = entry->is_saving;
    if (!entry->is_unsaved) {
        entry->is_unsaved = true;
        DL_APPEND2(broker->unsaved, entry, prev_unsaved, next_unsaved);
        metrics_add(broker->metrics, METRIC_STORE_PENDING, 1);
    }
    if (!loop_timer_is_running(broker->unsaved_timer))
        schedule_retry(broker);
}

/* ---- rows of an earlier version ---- */

enum { ROWS_RENEWED_AT_ONCE = 64 };

static void on_renewed(void *context, enum status status, const struct error *error)
{
    struct token_entry *entry = context;
    struct broker *broker = entry->broker;
    broker->renewing--;
    if (status != OK)
        token_record_keep_trying(entry, LOSS_OF_TOKENS, error);
    else if (broker->renewing == 0)
        token_record_renew_rows(broker);
}

void token_record_renew_rows(struct broker *broker)
{
    if (broker->renewing > 0 || broker->reading)
        return;
    struct token_entry *entry;
    for (size_t i = 0; broker->renewing < ROWS_RENEWED_AT_ONCE && (entry = token_cache_next(&broker->cache, &i));) {
        if (!entry->is_bound_anew)
            continue;
        entry->is_bound_anew = false;
        broker->renewing++;
        write_newest(entry, on_renewed);
    }
}

/* ---- reading back ---- */

struct broker_reading {
    struct broker *broker;
    size_t step;
    store_done *done;
    void *context;
    struct error error;
};

static enum entry_state state_from_name(const char *name, enum entry_state fallback)
{
    for (int state = 0; name && state < ENTRY_STATE_COUNT; state++)
        if (strcmp(entry_state_name((enum entry_state)state), name) == 0)
            return (enum entry_state)state;
    return fallback;
}

static int64_t read_number(const json_t *object, const char *name)
{
    int64_t number = 0;
    return json_read_integer(json_object_get(object, name), &number) ? number : 0;
}

static bool read_tokens(struct token_entry *entry, const struct secret *value, struct error *ret_error)
{
    AUTO(token_set) tokens = NULL;
    if (token_set_parse(value, &tokens, ret_error) != OK)
        return false;
    token_entry_put_tokens(entry, tokens);
    entry->generation = tokens->generation;
    return true;
}

/* Of a state that a version without bindings wrote: what the tokens belong to, which only the connection can tell. */
static bool take_fingerprint(struct token_entry *entry, const char *fingerprint, size_t length)
{
    if (!entry->tokens || entry->tokens->binding || length != LEGACY_FINGERPRINT_SIZE - 1)
        return true;
    const char *values[BINDING_PART_COUNT] = {[BINDING_FINGERPRINT] = fingerprint};
    const size_t lengths[BINDING_PART_COUNT] = {[BINDING_FINGERPRINT] = length};
    struct token_binding *binding = token_binding_create_from(values, lengths);
    if (!binding)
        return false;
    token_set_bind(entry->tokens, binding);
    entry->is_bound_anew = true;
    return true;
}

/* After this the tokens are in service, if they belong to the configuration. False: no memory. */
static bool apply_state(struct token_entry *entry, uint64_t generation, const char *fingerprint, size_t length)
{
    if (generation > entry->generation)
        entry->generation = generation;
    if (!take_fingerprint(entry, fingerprint, length))
        return false;
    return !entry->connection || !entry->tokens || token_entry_adopt(entry, entry->tokens, NULL);
}

/* A stored state without trouble, which nearly all are. *ret_done false: no memory. False: it is none. */
static bool read_calm_state(struct token_entry *entry, const struct secret *value, bool *ret_done)
{
    struct json_flat_member members[3];
    size_t count;
    if (!json_flat_read(secret_reveal(value), secret_length(value), members, sizeof members / sizeof *members, &count))
        return false;
    const struct json_flat_member *fingerprint = json_flat_find(members, count, "fingerprint");
    const struct json_flat_member *generation = json_flat_find(members, count, "generation");
    if ((fingerprint && !fingerprint->text) || !generation || generation->text || generation->number < 0)
        return false;
    *ret_done = apply_state(entry, (uint64_t)generation->number, fingerprint ? fingerprint->text : "",
                            fingerprint ? fingerprint->length : 0);
    return true;
}

/*
 * A refused refresh token stays refused as long as the tokens belong to the configuration. Any other trouble is of the
 * configuration as a whole: with a new secret it is worth another attempt.
 */
static bool is_trouble_of_today(const struct token_entry *entry, enum entry_state state, const char *configuration)
{
    if (state == ENTRY_AUTHORIZATION_REQUIRED && entry->fits)
        return true;
    char digest[CONNECTION_DIGEST_SIZE];
    char fingerprint[LEGACY_FINGERPRINT_SIZE];
    return configuration && connection_digest(entry->connection, digest) &&
           legacy_fingerprint(entry->connection, fingerprint) &&
           (strcmp(configuration, digest) == 0 || strcmp(configuration, fingerprint) == 0);
}

/* A trouble that outlived the restart is put back on top of what the tokens say. */
static void read_trouble(struct token_entry *entry, const json_t *document)
{
    const char *code = json_read_string(document, "code");
    const char *message = json_read_string(document, "message");
    enum entry_state rest = token_entry_rest_state(entry);
    enum entry_state state = state_from_name(json_read_string(document, "state"), rest);
    if (!code || !message || rest == ENTRY_INACTIVE || rest == ENTRY_UNSUPPORTED ||
        !is_trouble_of_today(entry, state, json_read_string(document, "configuration")))
        return;
    token_entry_set_state(entry, state, code, message, read_number(document, "retry_at"));
    if (entry->trouble) {
        entry->trouble->at = read_number(document, "at");
        entry->trouble->failures = (unsigned)read_number(document, "failures");
    }
}

/* States come after tokens. */
static bool read_state(struct token_entry *entry, const struct secret *value, struct error *ret_error)
{
    bool is_done;
    if (read_calm_state(entry, value, &is_done))
        return is_done || error_set(ret_error, ERR_NO_MEMORY, "no memory to read the store") == OK;
    AUTO_JSON document = NULL;
    if (json_read_text(secret_reveal(value), secret_length(value), &document, ret_error) != OK)
        return false;
    const char *fingerprint = json_read_string(document, "fingerprint");
    if (!apply_state(entry, (uint64_t)read_number(document, "generation"), fingerprint ? fingerprint : "",
                     fingerprint ? strlen(fingerprint) : 0))
        return error_set(ret_error, ERR_NO_MEMORY, "no memory to read the store") == OK;
    if (entry->connection)
        read_trouble(entry, document);
    return true;
}

static bool read_journal(struct token_entry *entry, const struct secret *value, struct error *ret_error)
{
    (void)value;
    (void)ret_error;
    entry->is_ambiguous = true;
    log_warning(
        "connection %s: the daemon ended while a refresh was on its way; the stored refresh token is tried once",
        token_entry_name(entry));
    return true;
}

static const struct {
    enum store_table table;
    bool (*read)(struct token_entry *entry, const struct secret *value, struct error *ret_error);
} reading_steps[] = {
    {STORE_TOKENS, read_tokens},
    {STORE_STATES, read_state},
    {STORE_JOURNAL, read_journal},
};

static bool on_row(void *context, const char *key, const struct secret *value)
{
    struct broker_reading *reading = context;
    struct broker *broker = reading->broker;
    if (!strchr(key, '/')) {
        error_set(&reading->error, ERR_CORRUPT, "the store has a row with the key \"%s\"", key);
        return false;
    }
    struct token_entry *entry = token_cache_ensure(&broker->cache, broker, key);
    if (!entry) {
        error_set(&reading->error, ERR_NO_MEMORY, "no memory to read the store");
        return false;
    }
    if (reading_steps[reading->step].read(entry, value, &reading->error))
        return true;
    error_prefix(&reading->error, "connection %s", token_entry_name(entry));
    return false;
}

static void tell_if_aside(const struct token_entry *entry)
{
    const char *code = entry->trouble ? entry->trouble->code : "";
    if (entry->connection && entry->tokens && !entry->fits)
        log_warning("connection %s: its stored tokens are kept aside: %s", token_entry_name(entry),
                    strcmp(code, "configuration_changed") == 0 ? entry->trouble->message
                                                               : "they do not belong to its configuration");
}

static void begin_what_was_read(struct broker *broker)
{
    struct token_entry *entry;
    for (size_t i = 0; (entry = token_cache_next(&broker->cache, &i));) {
        tell_if_aside(entry);
        entry_report(entry, EVENT_RESTORED);
    }
    token_record_renew_rows(broker);
}

static void on_table_read(void *context, enum status status, const struct error *error)
{
    struct broker_reading *reading = context;
    struct broker *broker = reading->broker;
    if (status == OK && ++reading->step < sizeof reading_steps / sizeof *reading_steps) {
        broker->store->operations->read_all(broker->store, reading_steps[reading->step].table, on_row, on_table_read,
                                            reading);
        return;
    }
    if (status == ERR_CANCELLED) {
        status = reading->error.status;
        error = &reading->error;
    }
    broker->reading = NULL;
    if (status == OK)
        begin_what_was_read(broker);
    reading->done(reading->context, status, error);
    free(reading);
}

void token_record_read_all(struct broker *broker, store_done *done, void *context)
{
    struct broker_reading *reading = calloc(1, sizeof *reading);
    if (!reading) {
        struct error error;
        error_set(&error, ERR_NO_MEMORY, "no memory to read the store");
        done(context, ERR_NO_MEMORY, &error);
        return;
    }
    reading->broker = broker;
    reading->done = done;
    reading->context = context;
    broker->reading = reading;
    broker->store->operations->read_all(broker->store, reading_steps[0].table, on_row, on_table_read, reading);
}

void token_record_stop_reading(struct broker *broker)
{
    free(TAKE(broker->reading));
}
