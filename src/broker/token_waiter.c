#include "broker/token_waiter.h"

#include <stdlib.h>

#include "base/clock.h"
#include "broker/broker_state.h"
#include "broker/decision.h"

static void token_waiter_free(struct token_waiter *waiter)
{
    struct broker *broker = waiter->entry->broker;
    DL_DELETE(waiter->entry->waiters, waiter);
    broker->waiter_count--;
    metrics_set(broker->metrics, METRIC_WAITERS, (int64_t)broker->waiter_count);
    loop_timer_destroy(waiter->timer);
    free(waiter);
}

static void token_waiter_answer(struct token_waiter *waiter, enum token_answer answer)
{
    token_waiter_done *done = waiter->done;
    void *context = waiter->context;
    token_waiter_free(waiter);
    done(context, answer);
}

static enum token_answer answer_after_exchange(const struct token_waiter *waiter, int64_t now)
{
    const struct token_entry *entry = waiter->entry;
    bool is_usable = token_entry_is_usable(entry, now);
    bool is_new = is_usable && entry->tokens->generation > waiter->generation;
    if (is_new || (is_usable && !waiter->is_forced))
        return decision_served(entry, waiter->min_ttl, now);
    return decision_trouble(entry);
}

static void on_wait_over(void *context)
{
    struct token_waiter *waiter = context;
    enum token_answer answer = answer_after_exchange(waiter, clock_wall());
    /* The exchange is still running: whatever the entry's state says is older than what the caller waited for. */
    if (waiter->entry->fetch && answer != TOKEN_SERVED && answer != TOKEN_SERVED_SHORT)
        answer = TOKEN_PROVIDER_UNAVAILABLE;
    token_waiter_answer(waiter, answer);
}

struct token_waiter *token_waiter_create(struct token_entry *entry, int64_t min_ttl, bool is_forced, int64_t wait_ms,
                                         token_waiter_done *done, void *context)
{
    struct broker *broker = entry->broker;
    if (broker->waiter_count >= broker->max_waiters)
        return NULL;
    struct token_waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return NULL;
    waiter->entry = entry;
    waiter->min_ttl = min_ttl;
    waiter->generation = entry->generation;
    waiter->is_forced = is_forced;
    waiter->done = done;
    waiter->context = context;
    waiter->timer = loop_timer_create(broker->loop, on_wait_over, waiter);
    if (!waiter->timer || loop_timer_start(waiter->timer, wait_ms) != OK) {
        loop_timer_destroy(waiter->timer);
        free(waiter);
        return NULL;
    }
    DL_APPEND(entry->waiters, waiter);
    broker->waiter_count++;
    metrics_set(broker->metrics, METRIC_WAITERS, (int64_t)broker->waiter_count);
    return waiter;
}

void token_waiter_answer_all(struct token_entry *entry)
{
    /* A callback may cancel other waiters or add new ones: those present now are moved out one at a time. */
    int64_t now = clock_wall();
    struct token_waiter *last = entry->waiters ? entry->waiters->prev : NULL;
    while (last && entry->waiters) {
        struct token_waiter *waiter = entry->waiters;
        bool was_last = waiter == last;
        enum token_answer answer = answer_after_exchange(waiter, now);
        if (answer == TOKEN_SERVED || answer == TOKEN_SERVED_SHORT)
            metrics_add(entry->broker->metrics, METRIC_TOKENS_AFTER_WAIT, 1);
        token_waiter_answer(waiter, answer);
        if (was_last)
            return;
    }
}

void token_waiter_drop_all(struct token_entry *entry)
{
    while (entry->waiters)
        token_waiter_free(entry->waiters);
}

void token_waiter_cancel(struct token_waiter *waiter)
{
    if (waiter)
        token_waiter_free(waiter);
}
