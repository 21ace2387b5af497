#include "service/admin/api_revoke.h"

#include <stdlib.h>
#include <string.h>

/* A call that waits for a revocation. The answer may come within broker_revoke(): then the call is answered by done. */
struct revoke_wait {
    struct http_call *call;
    struct token_entry *entry;
};

static const char *revoke_word(enum revoke_result result)
{
    static const char *const words[] = {
        [REVOKE_CONFIRMED] = "confirmed", [REVOKE_UNSUPPORTED] = "unsupported",
        [REVOKE_REFUSED] = "failed",      [REVOKE_UNREACHED] = "unreached",
        [REVOKE_NOTHING] = NULL,
    };
    return words[result];
}

static const char *revoke_sentence(enum revoke_result result)
{
    static const char *const sentences[] = {
        [REVOKE_CONFIRMED] = "the provider revoked the tokens, and they are forgotten here",
        [REVOKE_UNSUPPORTED] = "the tokens are forgotten here; the provider has no way to revoke them",
        [REVOKE_REFUSED] = "the tokens are forgotten here, but the provider did not confirm",
        [REVOKE_UNREACHED] = "the provider was not reached; nothing is forgotten, try again",
        [REVOKE_NOTHING] = "there were no tokens",
    };
    return sentences[result];
}

/* "revoked": the tokens are gone from here; "provider": what became of them there. */
void api_revoke_append_outcome(struct text_buffer *buffer, enum revoke_result result, const char *message)
{
    if (!message || message[0] == '\0')
        message = revoke_sentence(result);
    bool is_gone = result != REVOKE_UNREACHED && result != REVOKE_NOTHING;
    const char *word = revoke_word(result);
    text_buffer_append_format(buffer, "\"revoked\":%s,\"provider\":", is_gone ? "true" : "false");
    if (word)
        text_buffer_append_json_string(buffer, word, strlen(word));
    else
        text_buffer_append_text(buffer, "null");
    text_buffer_append_text(buffer, ",\"message\":");
    text_buffer_append_json_string(buffer, message, strlen(message));
}

static void reply_revoked(struct http_call *call, enum revoke_result result, const char *message)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_ERROR_TEXT_MAX / 2);
    if (!message || message[0] == '\0')
        message = revoke_sentence(result);
    if (result == REVOKE_UNREACHED) {
        api_revoke_append_outcome(&body, result, message);
        struct api_error error = {
            .code = API_ERROR_PROVIDER_UNAVAILABLE,
            .message = message,
            .members = body.failed ? NULL : text_buffer_text(&body),
        };
        api_error_reply(call, &error);
        return;
    }
    text_buffer_append_text(&body, "{");
    api_revoke_append_outcome(&body, result, message);
    text_buffer_append_text(&body, "}");
    api_reply_json(call, &body);
}

static void revoke_ended(void *context, enum revoke_result result, const char *message)
{
    struct revoke_wait *wait = context;
    reply_revoked(wait->call, result, message);
    free(wait);
}

static void caller_gone(void *context)
{
    struct revoke_wait *wait = context;
    broker_revoke_forget_waiter(wait->entry, wait);
    free(wait);
}

static void reply_not_begun(struct http_call *call, enum status status, const struct error *error)
{
    if (status == ERR_NO_MEMORY)
        api_error_reply_no_memory(call);
    else
        api_error_reply_text(call, API_ERROR_BUSY, error->message);
}

void api_admin_revoke(struct api_request *request)
{
    if (!api_request_find_entry(request))
        return;
    struct revoke_wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        api_error_reply_no_memory(request->call);
        return;
    }
    *wait = (struct revoke_wait){request->call, request->entry};
    api_request_log_action(request, "revoke");
    /* First: the answer may come within the call, and then the wait is gone after it. */
    http_call_on_gone(request->call, caller_gone, wait);
    struct error error = {0};
    enum status status = broker_revoke(request->entry, revoke_ended, wait, &error);
    if (status == OK)
        return;
    free(wait);
    reply_not_begun(request->call, status, &error);
}
