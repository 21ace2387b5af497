#include "base/metrics.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *type;
    const char *name;
    const char *labels;
    const char *help;
} metric_rows[METRIC_COUNT] = {
#define METRIC_ROW(symbol, type, name, labels, help) [METRIC_##symbol] = {type, name, labels, help},
    METRIC_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

bool metrics_append_text(const struct metrics *metrics, struct text_buffer *buffer)
{
    const char *last_name = "";
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const char *name = metric_rows[i].name;
        if (strcmp(name, last_name) != 0)
            text_buffer_append_format(buffer, "# HELP %s %s\n# TYPE %s %s\n", name, metric_rows[i].help, name,
                                      metric_rows[i].type);
        last_name = name;
        if (metric_rows[i].labels[0] != '\0')
            text_buffer_append_format(buffer, "%s{%s} %" PRId64 "\n", name, metric_rows[i].labels, metrics->values[i]);
        else
            text_buffer_append_format(buffer, "%s %" PRId64 "\n", name, metrics->values[i]);
    }
    return !buffer->failed;
}
