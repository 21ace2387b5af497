#include "service/admin/api_rekey.h"

#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "service/api/store_wait.h"

static const char *phase_word(enum store_key_phase phase)
{
    static const char *const words[] = {
        [STORE_KEY_SETTLED] = "settled",
        [STORE_KEY_RESEALING] = "resealing",
        [STORE_KEY_OLD_UNUSED] = "old_key_unused",
    };
    return words[phase];
}

static void append_text(struct text_buffer *body, const char *text)
{
    if (text)
        text_buffer_append_json_string(body, text, strlen(text));
    else
        text_buffer_append_text(body, "null");
}

static void append_state(const struct store_key_state *state, struct text_buffer *body)
{
    text_buffer_append_format(body, "{\"state\":\"%s\",\"key_id\":\"%s\",\"old_key_ids\":[", phase_word(state->phase),
                              state->key_id);
    for (size_t i = 0; i < state->old_key_count; i++)
        text_buffer_append_format(body, "%s\"%s\"", i > 0 ? "," : "", state->old_key_ids[i]);
    text_buffer_append_text(body, "],\"values_left\":");
    if (state->is_counted)
        text_buffer_append_format(body, "%zu", state->values_left);
    else
        text_buffer_append_text(body, "null");
    text_buffer_append_text(body, ",\"key_file\":");
    append_text(body, state->key_file);
    text_buffer_append_format(body, ",\"credential\":%s,\"last_error\":", state->is_credential ? "true" : "false");
    if (state->trouble.status != OK) {
        text_buffer_append_text(body, "{\"message\":");
        append_text(body, state->trouble.message);
        text_buffer_append_text(body, "}");
    } else {
        text_buffer_append_text(body, "null");
    }
    text_buffer_append_text(body, "}");
}

static void reply_state(struct api *api, struct http_call *call, int status)
{
    static const struct http_reply_header headers[] = {{"Cache-Control", "no-store"}};
    struct store_key_state state;
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_ERROR_TEXT_MAX);
    broker_store_key_state(api->broker, &state);
    append_state(&state, &body);
    if (body.failed)
        api_error_reply_no_memory(call);
    else
        http_call_reply(call, status, "application/json", headers, 1, text_buffer_text(&body), body.length);
}

void api_rekey_get(struct api_request *request)
{
    reply_state(request->api, request->call, 200);
}

static void reply_refused(struct http_call *call, const struct error *error)
{
    char message[ERROR_MESSAGE_MAX + 64];
    snprintf(message, sizeof message, "%s; nothing has changed", error->message);
    if (error->status == ERR_NO_MEMORY)
        api_error_reply_no_memory(call);
    else
        api_error_reply_text(call, error->status == ERR_DENIED ? API_ERROR_READ_ONLY : API_ERROR_STORE_UNAVAILABLE,
                             message);
}

static void reply_begun(struct api *api, struct http_call *call, const struct error *error)
{
    if (error)
        log_warning("store key: not changed: %s", error->message);
    if (call && error)
        reply_refused(call, error);
    else if (call)
        reply_state(api, call, 202);
}

void api_rekey_begin(struct api_request *request)
{
    struct store_wait *wait = store_wait_create(request, reply_begun);
    if (!wait)
        return;
    const struct peer *peer = http_call_peer(request->call);
    log_notice("store key: change asked for by uid %lu, pid %ld", (unsigned long)peer->uid, (long)peer->pid);
    broker_rekey_store(request->api->broker, store_wait_done, wait);
}
