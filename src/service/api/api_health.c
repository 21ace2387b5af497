#include "service/api/api_health.h"

#include "base/log/log.h"
#include "service/api/store_wait.h"

static void reply_ok(struct http_call *call)
{
    static const struct http_reply_header headers[] = {{"Cache-Control", "no-store"}};
    http_call_reply(call, 200, "text/plain; charset=utf-8", headers, 1, "ok\n", 3);
}

void api_health_get(struct api_request *request)
{
    reply_ok(request->call);
}

static void reply_readiness(struct api *api, struct http_call *call, const struct error *error)
{
    (void)api;
    if (error)
        log_warning("not ready: the store does not answer: %s", error->message);
    if (call && error)
        api_error_reply_text(call, API_ERROR_NOT_READY, "the store does not answer; the daemon's log says why");
    else if (call)
        reply_ok(call);
}

void api_ready_get(struct api_request *request)
{
    struct store_wait *wait = store_wait_create(request, reply_readiness);
    if (wait)
        broker_check_store(request->api->broker, store_wait_done, wait);
}
