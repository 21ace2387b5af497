#include "service/api_health.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/log.h"

/* The store cannot be asked to forget a check: it lives until the answer comes, with or without its caller. */
struct ready_check {
    struct api *api;
    struct http_call *call; /* NULL: gone */
    struct ready_check *next, *prev;
};

static void reply_ok(struct http_call *call)
{
    static const struct http_reply_header headers[] = {{"Cache-Control", "no-store"}};
    http_call_reply(call, 200, "text/plain; charset=utf-8", headers, 1, "ok\n", 3);
}

void api_health_get(struct api_request *request)
{
    reply_ok(request->call);
}

static void ready_check_destroy(struct ready_check *check)
{
    DL_DELETE(check->api->ready_checks, check);
    check->api->ready_check_count--;
    free(check);
}

static void store_answered(void *context, enum status status, const struct error *error)
{
    struct ready_check *check = context;
    struct http_call *call = check->call;
    ready_check_destroy(check);
    if (status != OK)
        log_warning("not ready: the store does not answer: %s", error ? error->message : "no reason given");
    if (!call)
        return;
    if (status == OK)
        reply_ok(call);
    else
        api_error_reply_text(call, API_ERROR_NOT_READY, "the store does not answer; the daemon's log says why");
}

static void caller_gone(void *context)
{
    struct ready_check *check = context;
    check->call = NULL;
}

void api_ready_get(struct api_request *request)
{
    struct api *api = request->api;
    if (api->ready_check_count >= API_READY_CHECKS_MAX) {
        api_error_reply_text(request->call, API_ERROR_NOT_READY, "the store has not answered earlier checks yet");
        return;
    }
    struct ready_check *check = calloc(1, sizeof *check);
    if (!check) {
        api_error_reply_no_memory(request->call);
        return;
    }
    check->api = api;
    check->call = request->call;
    DL_APPEND(api->ready_checks, check);
    api->ready_check_count++;
    /* First: the store may answer within the call. */
    http_call_on_gone(request->call, caller_gone, check);
    broker_check_store(api->broker, store_answered, check);
}

void api_health_finish(struct api *api)
{
    struct ready_check *check, *next;
    DL_FOREACH_SAFE (api->ready_checks, check, next)
        ready_check_destroy(check);
}
