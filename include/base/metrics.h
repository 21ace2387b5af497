#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/text/text_buffer.h"

/*
 * Counters and gauges, one row each: symbol, type, name, labels (or ""), help. Rows of one name stand together.
 * This table is the whole truth: the enum, the memory and the Prometheus text derive from it.
 */
#define METRIC_TABLE(X)                                                                                                \
    X(TOKENS_FROM_CACHE, "counter", "iclientd_tokens_served_total", "source=\"cache\"", "Access tokens handed out.")   \
    X(TOKENS_AFTER_WAIT, "counter", "iclientd_tokens_served_total", "source=\"exchange\"", "")                         \
    X(REQUESTS_DENIED, "counter", "iclientd_requests_denied_total", "", "Requests refused by an access rule.")         \
    X(EXCHANGES_STARTED, "counter", "iclientd_exchanges_started_total", "", "Token requests sent to providers.")       \
    X(EXCHANGES_GRANTED, "counter", "iclientd_exchanges_total", "class=\"granted\"", "Ended token requests by class.") \
    X(EXCHANGES_TOKEN_REFUSED, "counter", "iclientd_exchanges_total", "class=\"token_refused\"", "")                   \
    X(EXCHANGES_CLIENT_REFUSED, "counter", "iclientd_exchanges_total", "class=\"client_refused\"", "")                 \
    X(EXCHANGES_TRANSIENT, "counter", "iclientd_exchanges_total", "class=\"transient\"", "")                           \
    X(EXCHANGES_BROKEN, "counter", "iclientd_exchanges_total", "class=\"broken\"", "")                                 \
    X(REFRESHES_AHEAD, "counter", "iclientd_refreshes_ahead_total", "", "Refreshes begun before anybody had to wait.") \
    X(REJECTIONS_REPORTED, "counter", "iclientd_rejections_reported_total", "",                                        \
      "Tokens that services said the API refused.")                                                                    \
    X(REPORTS_PAUSED, "counter", "iclientd_reports_paused_total", "",                                                  \
      "Times that a user's reports were paused, because the user reported every new token.")                           \
    X(REVOCATIONS, "counter", "iclientd_revocations_total", "", "Revoke requests that a provider confirmed.")          \
    X(ROTATIONS_AMBIGUOUS, "counter", "iclientd_rotations_ambiguous_total", "",                                        \
      "Refresh tokens lost in a crash in mid-flight, as far as can be told.")                                          \
    X(STORE_WRITES, "counter", "iclientd_store_writes_total", "", "Store writes that became durable.")                 \
    X(STORE_COMMITS, "counter", "iclientd_store_commits_total", "",                                                    \
      "Transactions that these writes shared, one fsync each.")                                                        \
    X(STORE_FAILURES, "counter", "iclientd_store_failures_total", "", "Store writes that failed and are retried.")     \
    X(STORE_PENDING, "gauge", "iclientd_store_unsaved_connections", "",                                                \
      "Connections whose newest tokens are in memory only.")                                                           \
    X(LOGINS_STARTED, "counter", "iclientd_logins_total", "result=\"started\"", "Browser logins.")                     \
    X(LOGINS_COMPLETED, "counter", "iclientd_logins_total", "result=\"completed\"", "")                                \
    X(LOGINS_FAILED, "counter", "iclientd_logins_total", "result=\"failed\"", "")                                      \
    X(WAITERS, "gauge", "iclientd_waiters", "", "Callers waiting for an exchange.")                                    \
    X(WATCHERS, "gauge", "iclientd_watchers", "", "Open watch streams.")                                               \
    X(CONNECTIONS_CONFIGURED, "gauge", "iclientd_connections", "", "Connections configured.")                          \
    X(ICLIENTS_CONFIGURED, "gauge", "iclientd_iclients", "", "iClients configured.")                                   \
    X(HTTP_CONNECTIONS, "gauge", "iclientd_http_connections", "", "Open client connections, all sockets.")             \
    X(HTTP_REQUESTS, "counter", "iclientd_http_requests_total", "", "Requests read, all sockets.")                     \
    X(HTTP_REFUSED, "counter", "iclientd_http_refused_total", "",                                                      \
      "Malformed, oversized or late requests and connections over a limit.")                                           \
    X(LOG_LINES_DROPPED, "counter", "iclientd_log_lines_dropped_total", "",                                            \
      "Log lines lost because nothing took them from stderr.")                                                         \
    X(RELOADS, "counter", "iclientd_reloads_total", "result=\"done\"", "Configuration reloads.")                       \
    X(RELOADS_REFUSED, "counter", "iclientd_reloads_total", "result=\"refused\"", "")

#define METRIC_SYMBOL(symbol, type, name, labels, help) METRIC_##symbol,
enum metric { METRIC_TABLE(METRIC_SYMBOL) METRIC_COUNT };
#undef METRIC_SYMBOL

/* Plain memory so that counting is one addition; only the loop's thread touches it. */
struct metrics {
    int64_t values[METRIC_COUNT];
};

static inline void metrics_add(struct metrics *metrics, enum metric metric, int64_t amount)
{
    metrics->values[metric] += amount;
}

static inline void metrics_set(struct metrics *metrics, enum metric metric, int64_t value)
{
    metrics->values[metric] = value;
}

/* Prometheus text format 0.0.4, HELP and TYPE once per name. Appends. */
bool metrics_append_text(const struct metrics *metrics, struct text_buffer *buffer);

#endif
