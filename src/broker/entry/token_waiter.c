#include "broker/entry/token_waiter.h"

#include <stdlib.h>

#include "base/clock.h"
#include "broker/broker_state.h"
#include "broker/entry/decision.h"

static void count_waiters(struct broker *broker)
{
    metrics_set(broker->metrics, METRIC_WAITERS, (int64_t)broker->shares.taken[PLACE_WAITER]);
}

static void token_waiter_free(struct token_waiter *waiter)
{
    struct broker *broker = waiter->entry->broker;
    DL_DELETE(waiter->entry->waiters, waiter);
    caller_share_give_back(&broker->shares, waiter->share, PLACE_WAITER);
    count_waiters(broker);
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
    bool is_usable = token_entry_is_usable_for(entry, waiter->wish.caller, now);
    bool is_new = is_usable && entry->tokens->generation > waiter->generation;
    bool is_enough = is_usable && !waiter->wish.is_forced;
    if (!is_new && !is_enough)
        return decision_trouble(entry);
    enum token_answer answer = decision_served(entry, waiter->wish.min_ttl, now);
    bool is_kept_back = answer == TOKEN_SERVED_SHORT && !is_new && entry->state == ENTRY_STORE_UNAVAILABLE;
    return is_kept_back ? TOKEN_STORE_UNAVAILABLE : answer;
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

enum token_answer token_waiter_create(struct token_entry *entry, const struct token_wish *wish, int64_t wait_ms,
                                      token_waiter_done *done, void *context, struct token_waiter **ret_waiter)
{
    struct broker *broker = entry->broker;
    struct caller_share *share = NULL;
    enum token_answer answer = caller_share_take(&broker->shares, wish->caller, PLACE_WAITER, &share);
    if (answer != TOKEN_PENDING)
        return answer;
    struct token_waiter *waiter = calloc(1, sizeof *waiter);
    struct loop_timer *timer = waiter ? loop_timer_create(broker->loop, on_wait_over, waiter) : NULL;
    if (!timer || loop_timer_start(timer, wait_ms) != OK) {
        loop_timer_destroy(timer);
        free(waiter);
        caller_share_give_back(&broker->shares, share, PLACE_WAITER);
        return TOKEN_OVERLOADED;
    }
    *waiter = (struct token_waiter){.entry = entry,
                                    .share = share,
                                    .wish = *wish,
                                    .generation = entry->generation,
                                    .timer = timer,
                                    .done = done,
                                    .context = context};
    DL_APPEND(entry->waiters, waiter);
    count_waiters(broker);
    *ret_waiter = waiter;
    return TOKEN_PENDING;
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
