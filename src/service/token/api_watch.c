#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "service/api/api_permission.h"
#include "service/token/api_token.h"

enum { WATCH_LINE_MAX = 512 * 1024 };

struct watch {
    struct audit *audit;
    struct http_call *call;
    struct token_entry *entry;
    struct token_watcher *watcher;
    /* What the reader was told last. An entry also changes in ways that are nobody's news (a back-off is over). */
    enum entry_state told_state;
    uint64_t told_generation; /* 0: that there is no token */
    bool has_told;
};

static void watch_destroy(struct watch *watch)
{
    token_watcher_cancel(watch->watcher);
    free(watch);
}

static void reader_gone(void *context)
{
    watch_destroy(context);
}

static void watch_end(struct watch *watch)
{
    http_call_stream_end(watch->call);
    watch_destroy(watch);
}

static const char token_line_start[] = "{\"access_token\":";

/* True when the line says what the reader has not been told. */
static bool watch_note(struct watch *watch, const char *line)
{
    const struct token_set *tokens = token_entry_tokens(watch->entry);
    bool has_token = tokens && strncmp(line, token_line_start, sizeof token_line_start - 1) == 0;
    uint64_t generation = has_token ? tokens->generation : 0;
    enum entry_state state = token_entry_state(watch->entry);
    /* A token that is refused while its successor is on its way is no change of state: that one's line tells it. */
    bool is_awaited = generation == 0 && state == ENTRY_READY;
    bool is_other_token = generation != watch->told_generation && !is_awaited;
    bool is_news = !watch->has_told || state != watch->told_state || is_other_token;
    if (!is_news)
        return false;
    watch->told_state = state;
    watch->told_generation = generation;
    watch->has_told = true;
    return true;
}

/* False when there is no memory for a line: the stream has to end, because a gap would go unnoticed. */
static bool watch_write_line(struct watch *watch)
{
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, WATCH_LINE_MAX);
    uid_t user = http_call_peer(watch->call)->uid;
    token_entry_append_watch_line(watch->entry, user, clock_wall(), &line);
    if (!text_buffer_append_text(&line, "\n"))
        return false;
    if (!watch_note(watch, text_buffer_text(&line)))
        return true;
    if (watch->told_generation > 0)
        audit_token_served(watch->audit, watch->call, watch->entry);
    http_call_stream_write(watch->call, text_buffer_text(&line), line.length);
    return true;
}

/* A reload may have taken the connection, or this peer's right to it. */
static void entry_changed(void *context)
{
    struct watch *watch = context;
    const struct connection *connection = token_entry_connection(watch->entry);
    if (connection && !api_permission_may_use(watch->call, connection)) {
        log_notice("connection %s: a watcher may not use it any more", connection_name(connection));
        connection = NULL;
    }
    if (!connection || !watch_write_line(watch))
        watch_end(watch);
}

void api_token_watch(struct api_request *request)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        api_error_reply_no_memory(request->call);
        return;
    }
    watch->audit = request->api->audit;
    watch->call = request->call;
    watch->entry = request->entry;
    watch->watcher = token_entry_watch(request->entry, entry_changed, watch);
    if (!watch->watcher) {
        free(watch);
        api_error_reply_no_memory(request->call);
        return;
    }
    http_call_on_gone(watch->call, reader_gone, watch);
    http_call_stream_begin(watch->call, "application/x-ndjson");
    if (!watch_write_line(watch))
        watch_end(watch);
}
