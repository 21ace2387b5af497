#include "base/log/log_output.h"
#include "model/catalog/catalog.h"
#include "service/admin/api_admin.h"

enum { METRICS_TEXT_MAX = 256 * 1024 };

void api_metrics_get(struct api_request *request)
{
    struct metrics *metrics = request->api->metrics;
    const struct catalog *catalog = broker_catalog(request->api->broker);
    if (catalog) {
        metrics_set(metrics, METRIC_CONNECTIONS_CONFIGURED, (int64_t)catalog_connection_count(catalog));
        metrics_set(metrics, METRIC_ICLIENTS_CONFIGURED, (int64_t)catalog_iclient_count(catalog));
    }
    metrics_set(metrics, METRIC_LOG_LINES_DROPPED, (int64_t)log_output_dropped());
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, METRICS_TEXT_MAX);
    metrics_append_text(metrics, &body);
    api_reply_text(request->call, "text/plain; version=0.0.4; charset=utf-8", &body);
}
