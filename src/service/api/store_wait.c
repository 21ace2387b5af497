#include "service/api/store_wait.h"

#include <stdlib.h>

#include "base/hash_table.h"

struct store_wait {
    struct api *api;
    struct http_call *call; /* NULL: gone */
    store_wait_reply *reply;
    struct store_wait *next, *prev;
};

static void wait_destroy(struct store_wait *wait)
{
    DL_DELETE(wait->api->store_waits, wait);
    wait->api->store_wait_count--;
    free(wait);
}

static void caller_gone(void *context)
{
    struct store_wait *wait = context;
    wait->call = NULL;
}

struct store_wait *store_wait_create(struct api_request *request, store_wait_reply *reply)
{
    struct api *api = request->api;
    if (api->store_wait_count >= API_STORE_WAITS_MAX) {
        api_error_reply_text(request->call, API_ERROR_NOT_READY, "the store has not answered earlier requests yet");
        return NULL;
    }
    struct store_wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        api_error_reply_no_memory(request->call);
        return NULL;
    }
    *wait = (struct store_wait){.api = api, .call = request->call, .reply = reply};
    DL_APPEND(api->store_waits, wait);
    api->store_wait_count++;
    /* First: the store may answer within the call. */
    http_call_on_gone(request->call, caller_gone, wait);
    return wait;
}

void store_wait_done(void *context, enum status status, const struct error *error)
{
    static const struct error unknown = {ERR_IO, "no reason given"};
    struct store_wait *wait = context;
    struct api *api = wait->api;
    struct http_call *call = wait->call;
    store_wait_reply *reply = wait->reply;
    wait_destroy(wait);
    reply(api, call, status == OK ? NULL : error ? error : &unknown);
}

void store_wait_finish(struct api *api)
{
    struct store_wait *wait, *next;
    DL_FOREACH_SAFE (api->store_waits, wait, next) {
        wait_destroy(wait);
    }
}
