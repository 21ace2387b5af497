#include "fault_works.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/entry/token_entry_state.h"
#include "failing_memory.h"
#include "fault_world.h"

/* ---- the work ---- */

static void log_in(void)
{
    if (strcmp(world_login(), "completed") != 0)
        abort();
}

static void load_catalog_and_store(void)
{
    world_stop();
    world_start();
}

static void login_again(void)
{
    world_login();
}

static void get_token(void)
{
    world_call(HTTP_VERB_GET, "/v1/token/mail", NULL, NULL);
    world_call(HTTP_VERB_GET, "/v1/token/mail", "format=header", NULL);
    world_call(HTTP_VERB_GET, "/v1/token/mail", "min_ttl=90000", NULL);
    world_run();
}

static void refresh(void)
{
    world_call(HTTP_VERB_POST, "/v1/connections/mail/refresh", NULL, NULL);
    world_run();
}

static void refresh_ahead(void)
{
    world_pass(3000);
}

static void get_expired_token(void)
{
    world_pass(4000);
    world_call(HTTP_VERB_GET, "/v1/token/mail", NULL, NULL);
    world_run();
}

static void report_rejection(void)
{
    world_call(HTTP_VERB_POST, "/v1/token/mail/rejected", NULL,
               "{\"generation\":1,\"status\":401,\"body\":\"{\\\"error\\\":\\\"expired\\\"}\"}");
    world_run();
}

static void get_client_credentials(void)
{
    world_call(HTTP_VERB_GET, "/v1/token/robot", NULL, NULL);
    world_run();
}

static void watch(void)
{
    world_call(HTTP_VERB_GET, "/v1/token/mail/watch", NULL, NULL);
    refresh();
}

static void list(void)
{
    world_call(HTTP_VERB_GET, "/v1/connections", NULL, NULL);
    world_call(HTTP_VERB_GET, "/v1/connections/mail", NULL, NULL);
    world_call(HTTP_VERB_GET, "/metrics", NULL, NULL);
    world_call(HTTP_VERB_GET, "/readyz", NULL, NULL);
    world_run();
}

static void revoke_tokens(void)
{
    world_call(HTTP_VERB_POST, "/v1/connections/mail/revoke", NULL, NULL);
    world_run();
}

static void reload(void)
{
    world_reload(false);
    world_run();
}

static void reload_changed(void)
{
    world_reload(true);
    world_run();
    failing_memory_pause();
    if (world_reload(false) != OK)
        abort();
    failing_memory_resume();
}

static void refresh_and_reload(void)
{
    world_call(HTTP_VERB_POST, "/v1/connections/mail/refresh", NULL, NULL);
    world_reload(false);
    world_run();
}

static void stop(void)
{
    world_call(HTTP_VERB_POST, "/v1/connections/mail/refresh", NULL, NULL);
    world_run();
    world_stop();
}

const struct work works[] = {
    {"start: catalog, store, API", load_catalog_and_store, false},
    {"login", login_again, true},
    {"token from memory", get_token, false},
    {"refresh by an operator", refresh, false},
    {"refresh ahead of expiry", refresh_ahead, false},
    {"expired token, one waits", get_expired_token, false},
    {"rejection report", report_rejection, false},
    {"client credentials", get_client_credentials, false},
    {"watch stream and refresh", watch, false},
    {"lists, state, metrics", list, false},
    {"revoke", revoke_tokens, true},
    {"reload", reload, false},
    {"reload with other secret", reload_changed, false},
    {"refresh during a reload", refresh_and_reload, false},
    {"refresh, then stop", stop, false},
};
const size_t work_count = sizeof works / sizeof *works;

void work_prepare(void)
{
    world_begin();
    if (world_start() != OK) {
        puts(world.last_error);
        abort();
    }
    log_in();
    world_forget_calls();
}

/* ---- what must hold ---- */

static bool is_error_clear(const struct http_call *call)
{
    return call->status == CLOSED || (call->status >= 400 && strstr(call->reply, "{\"errors\":[{\"code\":\"") &&
                                      strstr(call->reply, "\"message\":\""));
}

static void check_answers(void)
{
    for (size_t i = 0; i < world.call_count; i++) {
        const struct http_call *call = &world.calls[i];
        if (call->status == 0)
            violated("a caller was never answered", call->path);
        else if (call->status / 100 != 2 && !is_error_clear(call))
            violated("an answer says nothing", call->reply);
    }
    world_forget_calls();
}

static void demand_token(const char *name, const char *when)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/token/%s", name);
    const struct http_call *call = world_call(HTTP_VERB_GET, path, NULL, NULL);
    world_run();
    if (call->status != 200)
        violated(when, call->reply);
    world_forget_calls();
}

static void demand_refresh(const char *when)
{
    const struct http_call *call = world_call(HTTP_VERB_POST, "/v1/connections/mail/refresh", NULL, NULL);
    world_run();
    if (call->status != 200)
        violated(when, call->reply);
    world_forget_calls();
}

/* Memory is there again: back-offs pass, retries go through. */
static void recover(void)
{
    for (int i = 0; i < 40; i++)
        world_pass(10);
}

static void restart(void)
{
    world_stop();
    if (world_start() != OK) {
        violated("it does not start again", world.last_error);
        return;
    }
    world_run();
}

void work_audit(const struct work *work)
{
    if (!world.broker && world_start() != OK) {
        violated("it does not start again", world.last_error);
        return;
    }
    recover();
    check_answers();
    if (!world_entry("mail")) {
        violated("a connection left the configuration", "");
        return;
    }
    if (!token_entry_tokens(world_entry("mail")) && world_store_has(STORE_TOKENS, "default/mail"))
        violated("tokens that were forgotten stay in the store", "");
    bool is_ended = token_entry_state(world_entry("mail")) != ENTRY_READY || world.provider.is_revoked;
    if (work->ends_authorization && is_ended)
        log_in();
    if (world.provider.reuses > 0)
        violated("a refresh token is lost: a used one was presented", "");
    demand_token("mail", "no token is served");
    demand_token("robot", "no token is served");
    demand_refresh("no refresh goes through");
    const struct token_entry *entry = world_entry("mail");
    if (entry && entry->is_unsaved)
        violated("tokens stay unsaved", "");
    restart();
    demand_token("mail", "no token is served after a restart");
    demand_refresh("no refresh goes through after a restart");
}

bool work_audit_killed(const struct work *work, bool is_answered)
{
    world_stop();
    restart();
    if (!world.broker)
        return false;
    unsigned replies = world.provider.replies;
    const struct http_call *call = world_call(HTTP_VERB_POST, "/v1/connections/mail/refresh", NULL, NULL);
    world_run();
    bool is_lost = call->status != 200;
    if (is_lost && is_answered)
        violated("lost, though the caller had its answer", call->reply);
    /* A login or a revocation that was cut off is its caller's to begin anew; no refresh was under way. */
    if (is_lost && !work->ends_authorization && world.metrics.values[METRIC_ROTATIONS_AMBIGUOUS] != 1)
        violated("lost, but not reported as rotation_ambiguous", call->reply);
    if (!is_lost && world.provider.replies != replies + 1)
        violated("more than one exchange", "");
    world_forget_calls();
    return is_lost;
}
