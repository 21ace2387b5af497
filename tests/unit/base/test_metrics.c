#include <criterion/criterion.h>
#include <string.h>

#include "base/metrics.h"

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

Test(metrics, text_has_every_value_with_its_labels)
{
    struct metrics metrics = {0};
    metrics_add(&metrics, METRIC_TOKENS_FROM_CACHE, 2);
    metrics_add(&metrics, METRIC_TOKENS_FROM_CACHE, 3);
    metrics_add(&metrics, METRIC_TOKENS_AFTER_WAIT, 1);
    metrics_set(&metrics, METRIC_WAITERS, 7);
    metrics_set(&metrics, METRIC_WATCHERS, -1);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 65536);
    cr_assert(metrics_append_text(&metrics, &text));
    cr_assert(strstr(text.data, "\niclientd_tokens_served_total{source=\"cache\"} 5\n"));
    cr_assert(strstr(text.data, "\niclientd_tokens_served_total{source=\"exchange\"} 1\n"));
    cr_assert(strstr(text.data, "\n# TYPE iclientd_waiters gauge\niclientd_waiters 7\n"));
    cr_assert(strstr(text.data, "\niclientd_watchers -1\n"));
    cr_assert(strstr(text.data, "\niclientd_requests_denied_total 0\n"));
}

Test(metrics, help_and_type_stand_once_per_name)
{
    struct metrics metrics = {0};
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 65536);
    cr_assert(metrics_append_text(&metrics, &text));
    cr_assert_eq(count_of(text.data, "# TYPE iclientd_tokens_served_total counter\n"), 1);
    cr_assert_eq(count_of(text.data, "# TYPE iclientd_exchanges_total counter\n"), 1);
    cr_assert_eq(count_of(text.data, "# HELP "), count_of(text.data, "# TYPE "));
    /* An empty help would mean that rows of one name do not stand together. */
    for (const char *line = strstr(text.data, "# HELP "); line; line = strstr(line + 1, "# HELP ")) {
        const char *name_end = strchr(line + strlen("# HELP "), ' ');
        cr_assert_neq(name_end[1], '\n', "%.60s", line);
    }
}

Test(metrics, text_that_does_not_fit_fails)
{
    struct metrics metrics = {0};
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 100);
    cr_assert_not(metrics_append_text(&metrics, &text));
}
