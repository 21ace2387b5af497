#include <stdlib.h>

#include "service/api/api_request.h"

struct api_wait {
    struct api *api;
    struct http_call *call;
    struct token_entry *entry;
    struct token_waiter *waiter;
    api_wait_reply *reply;
    int detail;
};

struct api_wait *api_wait_create(struct api_request *request, api_wait_reply *reply, int detail)
{
    struct api_wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        api_error_reply_no_memory(request->call);
        return NULL;
    }
    wait->api = request->api;
    wait->call = request->call;
    wait->entry = request->entry;
    wait->reply = reply;
    wait->detail = detail;
    return wait;
}

void api_wait_done(void *context, enum token_answer answer)
{
    struct api_wait *wait = context;
    wait->reply(wait->api, wait->call, wait->entry, answer, wait->detail);
    free(wait);
}

static void caller_gone(void *context)
{
    struct api_wait *wait = context;
    token_waiter_cancel(wait->waiter);
    free(wait);
}

void api_wait_begin(struct api_wait *wait, enum token_answer answer, struct token_waiter *waiter)
{
    if (answer != TOKEN_PENDING) {
        api_wait_done(wait, answer);
        return;
    }
    wait->waiter = waiter;
    http_call_on_gone(wait->call, caller_gone, wait);
}
