#include "broker/token_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_flat.h"
#include "base/json_read.h"
#include "base/log.h"
#include "broker/broker_state.h"
#include "broker/refresh_scheduler.h"
#include "broker/revocation.h"
#include "broker/token_entry_state.h"
#include "broker/token_fetch_state.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30000 };

/*
 * fingerprint: what the stored tokens were granted under; configuration: what the trouble was met under. They differ
 * while tokens are kept aside, and neither may be taken for the other after a restart.
 */
static struct secret *render_state(const struct token_entry *entry, const char *fingerprint, uint64_t generation,
                                   const struct entry_trouble *trouble)
{
    const char *configuration = entry->connection ? connection_fingerprint(entry->connection) : fingerprint;
    AUTO_JSON document = json_pack("{s:s, s:s, s:I}", "fingerprint", fingerprint, "configuration", configuration,
                                   "generation", (json_int_t)generation);
    if (document && trouble)
        json_object_update_new(document, json_pack("{s:s, s:s, s:s, s:I, s:I, s:i}", "state",
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

void token_record_write(struct token_entry *entry, unsigned parts, const struct token_set *tokens,
                        const char *fingerprint, store_done *done, void *context)
{
    bool has_tokens = parts & RECORD_TOKENS;
    bool has_state = parts & RECORD_STATE;
    bool has_begin = parts & RECORD_JOURNAL_BEGIN;
    const struct entry_trouble *trouble = lasting_trouble(entry, has_tokens, tokens);
    uint64_t generation = tokens ? tokens->generation : entry->generation;
    AUTO(secret) tokens_text = has_tokens && tokens ? token_set_serialise(tokens) : NULL;
    AUTO(secret) state_text = has_state ? render_state(entry, fingerprint, generation, trouble) : NULL;
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
    if (!broker->unsaved)
        broker->unsaved_attempts = 0;
}

/*
 * What is on its way to the store already is newer than what the entry has: this must not be written over it. The journal
 * of a refresh in flight, or of one without a clear answer, stays open; one that the store could not note is opened now.
 */
static void write_newest(struct token_entry *entry, store_done *done)
{
    const struct token_fetch *fetch = entry->fetch;
    bool is_granted = fetch && fetch->granted;
    const struct token_set *tokens = is_granted ? fetch->granted : entry->tokens;
    if (revocation_is_forgetting(entry))
        tokens = NULL;
    unsigned journal = RECORD_JOURNAL_END;
    if (!is_granted && tokens && (entry->is_ambiguous || (fetch && fetch->is_unnoted)))
        journal = RECORD_JOURNAL_BEGIN;
    else if (!is_granted && fetch)
        journal = 0; /* it has its own */
    token_record_write(entry, RECORD_TOKENS | RECORD_STATE | journal, tokens, is_granted ? connection_fingerprint(fetch->connection) : entry->fingerprint, done, entry);
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
    const char *what = entry->tokens ? "its new tokens cannot be saved and are in memory only; do not stop the daemon "
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

/* A stored state without trouble, which nearly all are: three members. */
struct calm_state {
    uint64_t generation;
    char fingerprint[ICLIENT_FINGERPRINT_SIZE]; /* "" when there is none */
};

static void set_fingerprint(struct calm_state *state, const char *text, size_t length)
{
    if (length >= sizeof state->fingerprint)
        return;
    memcpy(state->fingerprint, text, length);
    state->fingerprint[length] = '\0';
}

static bool read_calm_state(const struct secret *value, struct calm_state *state)
{
    struct json_flat_member members[3];
    size_t count;
    if (!json_flat_read(secret_reveal(value), secret_length(value), members, sizeof members / sizeof *members, &count))
        return false;
    const struct json_flat_member *fingerprint = json_flat_find(members, count, "fingerprint");
    const struct json_flat_member *configuration = json_flat_find(members, count, "configuration");
    const struct json_flat_member *generation = json_flat_find(members, count, "generation");
    if (!fingerprint || !fingerprint->text || !configuration || !generation || generation->text ||
        generation->number < 0)
        return false;
    state->generation = (uint64_t)generation->number;
    set_fingerprint(state, fingerprint->text, fingerprint->length);
    return true;
}

static void apply_calm_state(struct token_entry *entry, const struct calm_state *state)
{
    if (state->generation > entry->generation)
        entry->generation = state->generation;
    if (state->fingerprint[0] == '\0')
        return;
    memcpy(entry->fingerprint, state->fingerprint, sizeof entry->fingerprint);
    if (entry->connection && entry->tokens)
        token_entry_adopt(entry, entry->tokens, entry->fingerprint);
}

/* States come after tokens, so that a trouble that outlived the restart is put back on top of what the tokens say. */
static bool read_state(struct token_entry *entry, const struct secret *value, struct error *ret_error)
{
    struct calm_state calm = {0};
    if (read_calm_state(value, &calm)) {
        apply_calm_state(entry, &calm);
        return true;
    }
    AUTO_JSON document = NULL;
    if (json_read_text(secret_reveal(value), secret_length(value), &document, ret_error) != OK)
        return false;
    calm.generation = (uint64_t)read_number(document, "generation");
    const char *fingerprint = json_read_string(document, "fingerprint");
    if (fingerprint)
        set_fingerprint(&calm, fingerprint, strlen(fingerprint));
    apply_calm_state(entry, &calm);
    if (!entry->connection)
        return true;
    const char *configuration = json_read_string(document, "configuration");
    bool is_same_configuration = configuration && strcmp(configuration, connection_fingerprint(entry->connection)) == 0;
    const char *code = json_read_string(document, "code");
    const char *message = json_read_string(document, "message");
    enum entry_state rest = token_entry_rest_state(entry);
    if (!is_same_configuration || !code || !message || rest == ENTRY_INACTIVE || rest == ENTRY_UNSUPPORTED)
        return true;
    token_entry_set_state(entry, state_from_name(json_read_string(document, "state"), rest), code, message,
                          read_number(document, "retry_at"));
    if (entry->trouble) {
        entry->trouble->at = read_number(document, "at");
        entry->trouble->failures = (unsigned)read_number(document, "failures");
    }
    refresh_scheduler_plan(entry);
    return true;
}

static bool read_journal(struct token_entry *entry, const struct secret *value, struct error *ret_error)
{
    (void)value;
    (void)ret_error;
    entry->is_ambiguous = true;
    log_warning("connection %s: the daemon ended while a refresh was on its way; the stored refresh token is tried once",
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

/*
 * Plans what was read. Then ends what was switched off while the daemon was not running, or before its revocation was
 * done.
 */
static void begin_what_was_read(struct broker *broker)
{
    struct token_entry *entry;
    for (size_t i = 0; (entry = token_cache_next(&broker->cache, &i));) {
        refresh_scheduler_plan(entry);
        broker_end_inactive(entry);
    }
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
