#include "service/admin/api_document.h"

#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"

enum { FAULTS_TEXT_MAX = 1024 * 1024 };

/* ---- what went wrong ---- */

static void append_fault(const struct fault *fault, enum api_error_code code, struct text_buffer *body)
{
    AUTO_FINISH(text_buffer) message;
    text_buffer_init(&message, API_ERROR_TEXT_MAX);
    text_buffer_append_text(&message, fault->message);
    if (fault->hint)
        text_buffer_append_format(&message, " (%s)", fault->hint);
    const char *text = message.failed ? fault->message : text_buffer_text(&message);
    struct api_error error = {
        .code = code,
        .message = text,
        .field = *fault->pointer ? fault->pointer : NULL,
    };
    api_error_append_one(&error, body);
}

/* Every fault at once, so that a person mends the document in one go. */
static void reply_faults(struct http_call *call, enum document_kind kind, const struct fault_list *faults)
{
    enum api_error_code code = kind == DOCUMENT_ICLIENT ? API_ERROR_INVALID_ICLIENT : API_ERROR_INVALID_CONNECTION;
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, FAULTS_TEXT_MAX);
    text_buffer_append_text(&body, "{\"errors\":[");
    bool is_first = true;
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        if (fault->warning)
            continue;
        if (!is_first)
            text_buffer_append_text(&body, ",");
        append_fault(fault, code, &body);
        is_first = false;
    }
    text_buffer_append_text(&body, "],\"retryable\":false}");
    if (is_first || body.failed)
        api_error_reply_no_memory(call);
    else
        api_document_reply_json(call, api_error_status(code), NULL, &body);
}

static void reply_refused(struct http_call *call, enum document_kind kind, const struct document_outcome *outcome)
{
    static const enum api_error_code codes[] = {
        [DOCUMENT_NOT_FOUND] = API_ERROR_NOT_FOUND,       [DOCUMENT_READ_ONLY] = API_ERROR_READ_ONLY,
        [DOCUMENT_IN_USE] = API_ERROR_DELETE_NOT_ALLOWED, [DOCUMENT_CONFLICT] = API_ERROR_CONFLICT,
        [DOCUMENT_BUSY] = API_ERROR_OVERLOADED,           [DOCUMENT_UNSAVED] = API_ERROR_STORE_UNAVAILABLE,
    };
    if (outcome->result == DOCUMENT_INVALID)
        reply_faults(call, kind, outcome->faults);
    else if (outcome->result == DOCUMENT_NO_MEMORY)
        api_error_reply_no_memory(call);
    else
        api_error_reply_text(call, codes[outcome->result], outcome->message);
}

/* ---- waiting for the store ---- */

struct document_wait {
    struct api *api;
    struct http_call *call;
    enum document_kind kind;
    enum document_action action;
    api_document_reply *reply;
    api_document_reply *refuse; /* NULL: the usual */
};

static void write_ended(void *context, const struct document_outcome *outcome)
{
    struct document_wait *wait = context;
    if (outcome->result == DOCUMENT_DONE)
        wait->reply(wait->api, wait->call, wait->action, outcome);
    else if (outcome->result == DOCUMENT_INVALID && wait->refuse)
        wait->refuse(wait->api, wait->call, wait->action, outcome);
    else
        reply_refused(wait->call, wait->kind, outcome);
    free(wait);
}

static void caller_gone(void *context)
{
    struct document_wait *wait = context;
    document_queue_forget_waiter(broker_document_queue(wait->api->broker), wait);
    free(wait);
}

void api_document_submit(struct api_request *request, enum document_kind kind, enum document_action action,
                         const char *key, json_t *take_document, api_document_reply *reply)
{
    api_document_submit_as(request, kind, action, key, take_document, reply, NULL);
}

void api_document_submit_as(struct api_request *request, enum document_kind kind, enum document_action action,
                            const char *key, json_t *take_document, api_document_reply *reply,
                            api_document_reply *refuse)
{
    AUTO_JSON document = take_document;
    struct document_wait *wait = malloc(sizeof *wait);
    if (!wait) {
        api_error_reply_no_memory(request->call);
        return;
    }
    *wait = (struct document_wait){request->api, request->call, kind, action, reply, refuse};
    struct document_request what = {
        .kind = kind,
        .action = action,
        /* A new document may say its tenant itself. */
        .tenant = action != DOCUMENT_CREATE || request->says_tenant ? request->tenant : NULL,
        .key = key,
        .take_document = TAKE(document),
    };
    /* First: the answer may come within the call, and then the wait is gone after it. */
    http_call_on_gone(request->call, caller_gone, wait);
    document_queue_submit(broker_document_queue(request->api->broker), &what, write_ended, wait);
}

/* ---- replies ---- */

void api_document_reply_json(struct http_call *call, int status, const char *location, const struct text_buffer *body)
{
    const struct http_reply_header headers[] = {{"Cache-Control", "no-store"}, {"Location", location}};
    if (body->failed)
        api_error_reply_no_memory(call);
    else
        http_call_reply(call, status, api_error_content_type(call), headers, location ? 2 : 1, text_buffer_text(body),
                        body->length);
}

void api_document_reply_nothing(struct http_call *call)
{
    static const struct http_reply_header headers[] = {{"Cache-Control", "no-store"}};
    http_call_reply(call, 204, NULL, headers, 1, NULL, 0);
}

void api_document_log(const struct http_call *call, const char *what, const char *name, enum document_action action)
{
    static const char *const words[] = {
        [DOCUMENT_CREATE] = "creation",
        [DOCUMENT_REPLACE] = "replacement",
        [DOCUMENT_PATCH] = "patch",
        [DOCUMENT_REMOVE] = "deletion",
    };
    const struct peer *peer = http_call_peer(call);
    log_notice("%s %s: %s asked for by uid %lu, pid %ld", what, name, words[action], (unsigned long)peer->uid,
               (long)peer->pid);
}
