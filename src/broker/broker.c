#include "broker/broker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/uninitialized.h"
#include "broker/login/authorization_session_state.h"
#include "broker/broker_state.h"
#include "broker/coordinator.h"
#include "broker/entry/decision.h"
#include "broker/document_apply.h"
#include "broker/entry/entry_event.h"
#include "broker/entry/fetch_rule.h"
#include "broker/refresh/refresh_moment.h"
#include "broker/refresh/refresh_scheduler.h"
#include "broker/entry/token_entry_state.h"
#include "broker/exchange/token_fetch.h"
#include "broker/entry/token_record.h"
#include "broker/entry/token_reports.h"
#include "broker/entry/token_waiter.h"

static void on_clock_change(void *context)
{
    struct broker *broker = context;
    struct token_entry *entry;
    log_notice("the clock was set, or the machine was resumed: looking at every expiry again");
    for (size_t i = 0; (entry = token_cache_next(&broker->cache, &i));)
        entry_report(entry, EVENT_CLOCK_CHANGED);
}

enum status broker_create(struct event_loop *loop, struct http_client *client, struct store *store,
                          struct metrics *metrics, const struct broker_options *options, struct broker **ret_broker,
                          struct error *ret_error)
{
    AUTO(broker) broker = calloc(1, sizeof *broker);
    if (!broker)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the broker");
    broker->loop = loop;
    broker->on_event = coordinator_on_event;
    broker->client = client;
    broker->store = store;
    broker->metrics = metrics;
    broker->shares.most = options->max_waiters;
    broker->unsaved_timer = loop_timer_create(loop, token_record_retry_unsaved, broker);
    if (!broker->unsaved_timer)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the broker");
    if (refresh_turns_init(&broker->turns, loop, refresh_scheduler_take_turn) != OK)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the broker");
    broker->documents = document_store_create(store);
    broker->document_queue = document_queue_create(broker, document_apply);
    if (!broker->documents || !broker->document_queue)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the broker");
    enum status status = event_loop_on_clock_change(loop, on_clock_change, broker, ret_error);
    if (status != OK)
        return status;
    *ret_broker = TAKE(broker);
    return OK;
}

void broker_destroy(struct broker *broker)
{
    if (!broker)
        return;
    token_record_write_unsaved(broker);
    token_record_stop_reading(broker);
    authorization_session_destroy_all(broker);
    struct token_entry *entry;
    for (size_t i = 0; (entry = token_cache_next(&broker->cache, &i));)
        coordinator_stop_entry(entry);
    token_cache_finish(&broker->cache);
    refresh_turns_finish(&broker->turns);
    client_breaker_close_all(broker);
    loop_timer_destroy(broker->unsaved_timer);
    free(broker->reply_reserve);
    document_queue_destroy(broker->document_queue);
    document_store_destroy(broker->documents);
    catalog_destroy(broker->catalog);
    free(broker);
}

void broker_drain(struct broker *broker, store_done *done, void *context)
{
    broker->drained = done;
    broker->drained_context = context;
    if (broker->fetch_count == 0)
        done(context, OK, NULL);
}

/* ---- configuration ---- */

const struct catalog *broker_catalog(const struct broker *broker)
{
    return broker->catalog;
}

struct document_store *broker_documents(struct broker *broker)
{
    return broker->documents;
}

struct document_queue *broker_document_queue(struct broker *broker)
{
    return broker->document_queue;
}

void broker_load(struct broker *broker, store_done *done, void *context)
{
    token_record_read_all(broker, done, context);
}

struct token_entry *broker_find(struct broker *broker, const char *tenant, const char *name, size_t name_length)
{
    UNINITIALIZED char key[TOKEN_CACHE_KEY_MAX];
    size_t length = token_cache_key(tenant, name, name_length, key);
    struct token_entry *entry = length ? token_cache_find(&broker->cache, key, length) : NULL;
    return entry && entry->access ? entry : NULL;
}

void broker_for_each(struct broker *broker, broker_each *each, void *context)
{
    for (size_t i = 0; i < catalog_connection_count(broker->catalog); i++) {
        const struct connection *connection = catalog_connection_at(broker->catalog, i);
        const char *name = connection_name(connection);
        struct token_entry *entry = broker_find(broker, connection_tenant(connection), name, strlen(name));
        if (entry && !each(context, entry))
            return;
    }
}

void broker_check_store(struct broker *broker, store_done *done, void *context)
{
    broker->store->operations->check(broker->store, done, context);
}

struct metrics *broker_metrics(struct broker *broker)
{
    return broker->metrics;
}

/* ---- requests ---- */

static enum token_answer serve(struct token_entry *entry, int64_t min_ttl, int64_t now)
{
    if (refresh_moment_is_due(entry, now) && !entry->fetch && !decision_is_blocked(entry, now) &&
        fetch_rule_is_possible(entry) &&
        refresh_turn_is_free(&entry->broker->turns, connection_iclient(entry->connection)))
        token_fetch_begin(entry, true);
    metrics_add(entry->broker->metrics, METRIC_TOKENS_FROM_CACHE, 1);
    return decision_served(entry, min_ttl, now);
}

/* From now on everybody is told that the present token was reported. */
static void mark_reported(struct token_entry *entry, uid_t user)
{
    uint64_t generation = entry->span.generation;
    if (entry->reported_generation >= generation)
        return;
    log_notice("connection %s: an API refused the token of generation %" PRIu64 ", says uid %u",
               token_entry_name(entry), generation, (unsigned)user);
    entry->reported_generation = generation;
    token_entry_changed(entry);
}

/* For a caller who needs another token than the present one. */
static enum token_answer fetch_for(struct token_entry *entry, uid_t caller, int64_t now)
{
    bool is_reporter = token_entry_is_usable(entry, now) && !token_entry_is_usable_for(entry, caller, now);
    if (is_reporter && broker_report_pause(entry, caller) > 0)
        return TOKEN_REJECTED;
    if (is_reporter)
        mark_reported(entry, caller);
    return decision_is_blocked(entry, now) ? decision_trouble(entry) : token_fetch_begin_for(entry, caller);
}

enum token_answer broker_get(struct token_entry *entry, uid_t caller, int64_t min_ttl, int64_t now)
{
    bool is_usable = token_entry_is_usable_for(entry, caller, now);
    bool is_enough = is_usable && (decision_served(entry, min_ttl, now) == TOKEN_SERVED ||
                                   decision_is_best_possible(entry, min_ttl, now));
    if (is_enough)
        return serve(entry, min_ttl, now);
    if (entry->fetch)
        return TOKEN_PENDING;
    enum token_answer answer = fetch_for(entry, caller, now);
    /* Whoever wants more than the present token has to know that none comes while the store is down. */
    bool is_served = is_usable && answer != TOKEN_PENDING && answer != TOKEN_STORE_UNAVAILABLE;
    return is_served ? serve(entry, min_ttl, now) : answer;
}

enum token_answer broker_wait(struct token_entry *entry, uid_t caller, int64_t min_ttl, int64_t wait_ms,
                              token_waiter_done *done, void *context, struct token_waiter **ret_waiter)
{
    const struct token_wish wish = {.caller = caller, .min_ttl = min_ttl};
    return token_waiter_create(entry, &wish, wait_ms, done, context, ret_waiter);
}

int64_t broker_retry_after(const struct token_entry *entry, int64_t now)
{
    int64_t retry_at = token_entry_retry_at(entry, now);
    return retry_at > now ? retry_at - now : 0;
}

int64_t broker_report_pause(const struct token_entry *entry, uid_t caller)
{
    return (token_reports_pause(entry->reports, caller, clock_boot_ms()) + 999) / 1000;
}

static void log_pause(const struct token_entry *entry, uid_t user, int64_t seconds)
{
    metrics_add(entry->broker->metrics, METRIC_REPORTS_PAUSED, 1);
    log_warning("connection %s: uid %u reports every new token as refused; its reports start no refresh for %" PRId64
                " s. Look at scope, audience and the failure rules",
                token_entry_name(entry), (unsigned)user, seconds);
}

enum status broker_report_rejected(struct token_entry *entry, uid_t caller, const struct token_refusal *refusal,
                                   bool *ret_is_failure)
{
    metrics_add(entry->broker->metrics, METRIC_REJECTIONS_REPORTED, 1);
    const struct iclient *iclient = connection_iclient(entry->connection);
    bool is_failure = failure_rules_match(iclient_api_failures(iclient), refusal->status, refusal->body);
    bool is_present = entry->fits && entry->state != ENTRY_INACTIVE && entry->span.generation == refusal->generation;
    if (is_failure && is_present) {
        bool was_paused = broker_report_pause(entry, caller) > 0;
        if (!token_reports_add(&entry->reports, caller, refusal->generation, clock_boot_ms()))
            return ERR_NO_MEMORY;
        entry->refused_generation = refusal->generation;
        int64_t pause = broker_report_pause(entry, caller);
        if (pause == 0)
            mark_reported(entry, caller);
        else if (!was_paused)
            log_pause(entry, caller, pause);
    }
    *ret_is_failure = is_failure;
    return OK;
}

static bool has_refresh_token(const struct token_entry *entry)
{
    return entry->fits && entry->tokens->refresh_token;
}

enum token_answer broker_refresh(struct token_entry *entry, uid_t caller, int64_t wait_ms, token_waiter_done *done,
                                 void *context, struct token_waiter **ret_waiter)
{
    enum entry_state rest = token_entry_rest_state(entry);
    bool is_possible = rest != ENTRY_INACTIVE && rest != ENTRY_UNSUPPORTED &&
                       (rest != ENTRY_AUTHORIZATION_REQUIRED || has_refresh_token(entry));
    if (is_possible && !entry->fetch) {
        client_breaker_close(entry->broker, connection_iclient(entry->connection));
        token_entry_rest(entry);
    }
    uint64_t generation = entry->generation;
    enum token_answer begun = is_possible ? token_fetch_begin_for(entry, caller) : TOKEN_UNSUPPORTED;
    if (begun == TOKEN_BUSY || begun == TOKEN_OVERLOADED)
        return begun;
    /* After the exchange began: one that fails at once answers those who wait, and this caller has no waiter yet. */
    const struct token_wish wish = {.caller = caller, .is_forced = true};
    enum token_answer answer = token_waiter_create(entry, &wish, wait_ms, done, context, ret_waiter);
    if (answer != TOKEN_PENDING)
        return answer;
    (*ret_waiter)->generation = generation;
    if (begun != TOKEN_PENDING)
        loop_timer_start((*ret_waiter)->timer, 0);
    return answer;
}
