#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "service/api_token.h"

enum { WATCH_LINE_MAX = 512 * 1024 };

struct watch {
    struct http_call *call;
    struct token_entry *entry;
    struct token_watcher *watcher;
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

/* False when there is no memory for a line: the stream has to end, because a gap would go unnoticed. */
static bool watch_write_line(struct watch *watch)
{
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, WATCH_LINE_MAX);
    token_entry_append_watch_line(watch->entry, clock_wall(), &line);
    if (!text_buffer_append_text(&line, "\n"))
        return false;
    http_call_stream_write(watch->call, text_buffer_text(&line), line.length);
    return true;
}

/* A reload may have taken the connection, or this peer's right to it. */
static void entry_changed(void *context)
{
    struct watch *watch = context;
    const struct connection *connection = token_entry_connection(watch->entry);
    if (connection && !api_peer_may_use(watch->call, connection)) {
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
