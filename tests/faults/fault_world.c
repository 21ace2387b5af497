#include "fault_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/log/log.h"
#include "base/text/url.h"
#include "broker/login/authorization_session.h"
#include "broker/broker_state.h"
#include "broker/fixture_time.h"
#include "broker/entry/token_entry_state.h"
#include "failing_memory.h"

struct world world;

/* ---- log: nobody reads it here ---- */

void log_set_level(enum log_level level)
{
    (void)level;
}

void log_write(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

/* ---- the provider ---- */

struct http_exchange {
    struct http_request *request;
    http_client_done *done;
    void *context;
    struct http_exchange *next, *prev;
};
static struct http_exchange *exchanges;

enum status http_client_send(struct http_client *client, struct http_request *take_request, bool background,
                             int64_t timeout_ms, http_client_done *done, void *context,
                             struct http_exchange **ret_exchange, struct error *ret_error)
{
    (void)client;
    (void)background;
    (void)timeout_ms;
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        http_request_destroy(take_request);
        return error_set(ret_error, ERR_NO_MEMORY, "HTTP client");
    }
    *exchange = (struct http_exchange){.request = take_request, .done = done, .context = context};
    DL_APPEND(exchanges, exchange);
    *ret_exchange = exchange;
    return OK;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    DL_DELETE(exchanges, exchange);
    http_request_destroy(exchange->request);
    free(exchange);
}

static bool has_parameter(const char *form, const char *parameter)
{
    const char *at = strstr(form, parameter);
    return at && (at == form || at[-1] == '&') && strchr("&", at[strlen(parameter)]);
}

static void provide_pair(struct http_client_result *result, char *body, size_t size)
{
    struct provider *provider = &world.provider;
    provider->issued++;
    provider->replies++;
    snprintf(body, size,
             "{\"access_token\":\"at-%u\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"rt-%u\","
             "\"scope\":\"mail files\",\"account\":\"jane\"}",
             provider->issued, provider->issued);
    result->http_status = 200;
}

static void answer_refresh(const char *form, struct http_client_result *result, char *body, size_t size)
{
    struct provider *provider = &world.provider;
    char good[64];
    snprintf(good, sizeof good, "refresh_token=rt-%u", provider->issued);
    if (!provider->is_revoked && has_parameter(form, good)) {
        provide_pair(result, body, size);
        return;
    }
    provider->reuses += !has_parameter(form, good);
    provider->is_revoked = true;
    result->http_status = 400;
    snprintf(body, size, "{\"error\":\"invalid_grant\",\"error_description\":\"unknown, used or revoked\"}");
}

static void answer_as_provider(const struct http_request *request, struct http_client_result *result, char *body,
                               size_t size)
{
    struct provider *provider = &world.provider;
    const char *form = secret_reveal(http_request_body(request));
    if (strstr(secret_reveal(http_request_url(request)), "/revoke")) {
        provider->is_revoked = true;
        result->http_status = 200;
    } else if (has_parameter(form, "grant_type=client_credentials")) {
        result->http_status = 200;
        snprintf(body, size, "{\"access_token\":\"cc-%u\",\"token_type\":\"Bearer\",\"expires_in\":\"3600\"}",
                 ++provider->replies);
    } else if (has_parameter(form, "grant_type=refresh_token")) {
        answer_refresh(form, result, body, size);
    } else if (provider->has_code) {
        provider->has_code = false;
        provider->is_revoked = false;
        provide_pair(result, body, size);
    } else {
        result->http_status = 400;
        snprintf(body, size, "{\"error\":\"invalid_grant\"}");
    }
}

static bool run_exchange(void)
{
    struct http_exchange *exchange = exchanges;
    if (!exchange)
        return false;
    char body[512] = "";
    struct http_client_result result = {.status = OK, .content_type = "application/json", .body = body};
    answer_as_provider(exchange->request, &result, body, sizeof body);
    result.length = strlen(body);
    DL_DELETE(exchanges, exchange);
    exchange->done(exchange->context, &result);
    http_request_destroy(exchange->request);
    free(exchange);
    return true;
}

/* ---- the store ---- */

struct row {
    enum store_table table;
    char key[64];
    struct secret *value;
    struct row *next, *prev;
};
struct write {
    struct store_change changes[4];
    char keys[4][64];
    size_t count;
    bool is_check;
    store_done *done;
    void *context;
    struct write *next, *prev;
};
static struct row *rows;
static struct write *writes;

static struct row *find_row(enum store_table table, const char *key)
{
    struct row *row;
    DL_FOREACH (rows, row)
        if (row->table == table && strcmp(row->key, key) == 0)
            return row;
    return NULL;
}

bool world_store_has(enum store_table table, const char *key)
{
    return find_row(table, key) != NULL;
}

static void remove_row(struct row *row)
{
    DL_DELETE(rows, row);
    secret_destroy(row->value);
    free(row);
}

static void apply(const struct store_change *change, const char *key)
{
    struct row *row = find_row(change->table, key);
    if (row)
        remove_row(row);
    if (!change->value)
        return;
    failing_memory_pause();
    row = calloc(1, sizeof *row);
    failing_memory_resume();
    row->table = change->table;
    snprintf(row->key, sizeof row->key, "%s", key);
    row->value = secret_hold(change->value);
    DL_APPEND(rows, row);
}

static void write_free(struct write *write)
{
    for (size_t i = 0; i < write->count; i++)
        secret_destroy((struct secret *)(uintptr_t)write->changes[i].value);
    free(write);
}

/* The store's own memory is its real tests' affair; what the broker sees is a call that is refused at once. */
static struct write *queue_write(store_done *done, void *context)
{
    struct write *write = calloc(1, sizeof *write);
    if (!write) {
        struct error error;
        error_set(&error, ERR_NO_MEMORY, "store");
        if (done)
            done(context, ERR_NO_MEMORY, &error);
        return NULL;
    }
    write->done = done;
    write->context = context;
    DL_APPEND(writes, write);
    return write;
}

static void store_write(struct store *store, const struct store_change *changes, size_t count, store_done *done,
                        void *context)
{
    (void)store;
    struct write *write = queue_write(done, context);
    if (!write)
        return;
    write->count = count;
    for (size_t i = 0; i < count; i++) {
        write->changes[i] = changes[i];
        write->changes[i].value = secret_hold(changes[i].value);
        snprintf(write->keys[i], sizeof write->keys[i], "%s", changes[i].key);
    }
}

static void store_check(struct store *store, store_done *done, void *context)
{
    (void)store;
    struct write *write = queue_write(done, context);
    if (write)
        write->is_check = true;
}

/* The fault of this call, if it is its turn. */
static enum store_fault next_fault(void)
{
    return ++world.store_calls == world.fail_at ? world.fault : STORE_FAULT_NONE;
}

static bool run_write(void)
{
    struct write *write = writes;
    if (!write)
        return false;
    DL_DELETE(writes, write);
    enum store_fault fault = next_fault();
    if (fault == STORE_FAULT_NONE || fault == STORE_FAULT_KILL_AFTER) {
        for (size_t i = 0; i < write->count; i++)
            apply(&write->changes[i], write->keys[i]);
    }
    world.is_killed = fault == STORE_FAULT_KILL_BEFORE || fault == STORE_FAULT_KILL_AFTER;
    world.was_killed = world.was_killed || world.is_killed;
    struct error error;
    error_set(&error, ERR_IO, "disk full");
    bool is_refused = fault == STORE_FAULT_REFUSED;
    if (write->done && !world.is_killed)
        write->done(write->context, is_refused ? ERR_IO : OK, is_refused ? &error : NULL);
    write_free(write);
    return true;
}

static void store_read_all(struct store *store, enum store_table table, store_row *each, store_done *done,
                           void *context)
{
    (void)store;
    enum store_fault fault = next_fault();
    if (fault != STORE_FAULT_NONE) {
        struct error error;
        error_set(&error, ERR_IO, "cannot be read");
        done(context, ERR_IO, &error);
        return;
    }
    struct row *row;
    DL_FOREACH (rows, row)
        if (row->table == table && !each(context, row->key, row->value)) {
            done(context, ERR_CANCELLED, NULL);
            return;
        }
    done(context, OK, NULL);
}

static const struct store_operations operations = {
    .read_all = store_read_all, .write = store_write, .check = store_check};
static struct store store = {&operations};

void world_watch_store(enum store_fault fault, size_t fail_at)
{
    world.fault = fault;
    world.fail_at = fail_at;
    world.store_calls = 0;
    world.was_killed = world.was_killed && fault == STORE_FAULT_NONE;
}

/* ---- callers ---- */

static struct http_text text_of(const char *text)
{
    return (struct http_text){text, text ? strlen(text) : 0};
}

enum http_verb http_call_verb(const struct http_call *call)
{
    return call->verb;
}

struct http_text http_call_path(const struct http_call *call)
{
    return text_of(call->path);
}

struct http_text http_call_query(const struct http_call *call)
{
    return text_of(call->query);
}

struct http_text http_call_body(const struct http_call *call)
{
    return text_of(call->body);
}

bool http_call_header(const struct http_call *call, const char *name, struct http_text *ret_value)
{
    if (!call->body || strcasecmp(name, "Content-Type") != 0)
        return false;
    *ret_value = text_of("application/json");
    return true;
}

const struct peer *http_call_peer(const struct http_call *call)
{
    return &call->peer;
}

void http_call_find_peer_unit(struct http_call *call)
{
    (void)call;
}

bool http_call_peer_is_there(const struct http_call *call)
{
    (void)call;
    return true;
}

void http_call_charge(struct http_call *call, size_t usual_calls)
{
    (void)call;
    (void)usual_calls;
}

void http_call_on_gone(struct http_call *call, http_call_gone *gone, void *context)
{
    call->gone = gone;
    call->gone_context = context;
}

static void append_reply(struct http_call *call, const char *bytes, size_t length)
{
    size_t room = WORLD_TEXT_MAX - 1 - call->length;
    memcpy(call->reply + call->length, bytes, length < room ? length : room);
    call->length += length < room ? length : room;
    call->reply[call->length] = '\0';
}

static void set_status(struct http_call *call, int status)
{
    if (call->status != 0)
        abort(); /* answered twice */
    call->status = status;
    if (!call->is_streaming)
        call->gone = NULL;
}

void http_call_reply(struct http_call *call, int status, const char *content_type,
                     const struct http_reply_header *headers, size_t count, const char *body, size_t length)
{
    (void)content_type;
    (void)headers;
    (void)count;
    set_status(call, status);
    append_reply(call, body, length);
}

char *http_call_reply_ready(struct http_call *call, const char *head, size_t head_length, size_t length)
{
    (void)head;
    (void)head_length;
    set_status(call, 200);
    call->length = length;
    return call->reply;
}

void http_call_stream_begin(struct http_call *call, const char *content_type)
{
    (void)content_type;
    call->is_streaming = true;
    set_status(call, 200);
}

void http_call_stream_write(struct http_call *call, const char *data, size_t length)
{
    append_reply(call, data, length);
}

void http_call_stream_end(struct http_call *call)
{
    call->gone = NULL;
    call->is_streaming = false;
}

void http_call_stream_pull(struct http_call *call, http_call_more *more, void *context)
{
    while (call->is_streaming)
        more(context);
}

struct http_call *world_call(enum http_verb verb, const char *path, const char *query, const char *body)
{
    if (world.call_count == WORLD_CALLS_MAX)
        abort();
    failing_memory_pause();
    struct http_call *call = &world.calls[world.call_count++];
    *call = (struct http_call){
        .verb = verb, .path = path, .query = query, .body = body, .reply = calloc(1, WORLD_TEXT_MAX)};
    call->peer.uid = 0;
    failing_memory_resume();
    bool is_admin = strstr(path, "/v1/connections/") || strcmp(path, "/metrics") == 0;
    if (is_admin)
        api_handle_admin_socket(call, world.api);
    else
        api_handle_token_socket(call, world.api);
    return call;
}

void world_forget_calls(void)
{
    for (size_t i = 0; i < world.call_count; i++) {
        struct http_call *call = &world.calls[i];
        if (call->gone)
            call->gone(call->gone_context);
        free(call->reply);
    }
    world.call_count = 0;
}

/* ---- the daemon ---- */

#define ICLIENT(name, grant, secret)                                                                                   \
    "{\"name\":\"" name "\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"" grant                         \
    "\",\"clientId\":\"id\","                                                                                          \
    "\"clientSecret\":\"" secret "\",\"scope\":[\"mail\",\"files\"],"                                                  \
    "\"auth\":{\"uri\":\"https://as.example.com/authorize\"},\"token\":{\"uri\":\"https://as.example.com/token\"},"    \
    "\"revoke\":{\"uri\":\"https://as.example.com/revoke\"}}}"

static enum status note(enum status status, const char *message)
{
    snprintf(world.last_error, sizeof world.last_error, "%s", message);
    world.errors_without_text += status != OK && !*message;
    return status;
}

static enum status add_documents(struct catalog *catalog, bool changed, struct fault_list *faults, struct error *error)
{
    const char *const texts[] = {
        changed ? ICLIENT("crm", "authorizecode", "another-secret") : ICLIENT("crm", "authorizecode", "a-secret"),
        ICLIENT("machine", "clientcredentials", "a-secret"),
        "{\"name\":\"mail\",\"iClient\":\"crm\"}",
        "{\"name\":\"robot\",\"iClient\":\"machine\"}",
    };
    AUTO_JSON preset = json_pack("{s:s}", "provider", "custom_oauth2");
    enum status status = preset ? catalog_add_preset(catalog, "custom_oauth2", preset, "p.json", faults)
                                : error_set(error, ERR_NO_MEMORY, "no memory for a document");
    for (size_t i = 0; status == OK && i < sizeof texts / sizeof *texts; i++) {
        AUTO_JSON document = NULL;
        status = json_read_text(texts[i], strlen(texts[i]), &document, error);
        if (status == OK)
            status = i < 2 ? catalog_add_iclient(catalog, document, "iclient.json", faults)
                           : catalog_add_connection(catalog, document, "connection.json", faults);
    }
    return status == OK ? catalog_finish(catalog, faults) : status;
}

static enum status make_catalog(bool changed, struct catalog **ret_catalog, struct error *error)
{
    struct catalog_options options = {.iclient = {.default_redirect_uri = "http://127.0.0.1:8085/callback"}};
    AUTO(catalog) catalog = catalog_create(&options);
    AUTO(fault_list) faults = fault_list_create();
    if (!catalog || !faults)
        return error_set(error, ERR_NO_MEMORY, "no memory for the configuration");
    enum status status = add_documents(catalog, changed, faults, error);
    /* As the daemon does: one line for each fault, and for running out of memory itself. */
    for (size_t i = 0; status == ERR_INVALID && i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        if (!fault_list_at(faults, i)->warning)
            error_set(error, status, "%.400s", text ? text : "out of memory");
    }
    if (status == ERR_NO_MEMORY)
        error_set(error, status, "out of memory");
    if (status == OK)
        *ret_catalog = TAKE(catalog);
    return status;
}

static void on_loaded(void *context, enum status status, const struct error *error)
{
    (void)context;
    world.is_loaded = status == OK;
    if (status != OK)
        note(status, error->message);
}

static enum status start_broker(struct error *error)
{
    AUTO(catalog) catalog = NULL;
    enum status status = make_catalog(false, &catalog, error);
    struct broker_options options = {.max_waiters = 100};
    if (status == OK)
        status = broker_create(NULL, NULL, &store, &world.metrics, &options, &world.broker, error);
    if (status == OK)
        status = broker_apply_catalog(world.broker, TAKE(catalog), error);
    return status;
}

enum status world_start(void)
{
    struct error error = {0};
    memset(&world.metrics, 0, sizeof world.metrics);
    world.is_killed = false;
    world.is_loaded = false;
    enum status status = start_broker(&error);
    struct api_options options = {.redirect_base_uri = "http://127.0.0.1:8085", .own_uid = 0};
    if (status == OK)
        status = api_create(world.broker, &world.metrics, &options, &world.api, &error);
    if (status != OK) {
        note(status, error.message);
        world_stop();
        return status;
    }
    broker_load(world.broker, on_loaded, NULL);
    if (!world.is_loaded) {
        world_stop();
        return ERR_IO;
    }
    return OK;
}

static void finish_writes(bool is_lost)
{
    while (writes) {
        struct write *write = writes;
        DL_DELETE(writes, write);
        for (size_t i = 0; !is_lost && i < write->count; i++)
            apply(&write->changes[i], write->keys[i]);
        write_free(write);
    }
}

void world_stop(void)
{
    if (world.is_killed)
        finish_writes(true);
    world_forget_calls();
    api_destroy(TAKE(world.api));
    broker_destroy(TAKE(world.broker));
    finish_writes(world.is_killed);
    world.is_killed = false;
}

enum status world_reload(bool changed)
{
    struct error error = {0};
    struct catalog *catalog = NULL;
    enum status status = make_catalog(changed, &catalog, &error);
    if (status == OK)
        status = broker_apply_catalog(world.broker, catalog, &error);
    return note(status, error.message);
}

void world_begin(void)
{
    fixture_now = 1800000000;
    world = (struct world){0};
}

void world_end(void)
{
    world_stop();
    while (rows)
        remove_row(rows);
}

void world_run(void)
{
    while (!world.is_killed && (run_write() || run_exchange() || fixture_run_due_timer()))
        ;
}

void world_pass(int64_t seconds)
{
    fixture_now += seconds;
    world_run();
}

struct token_entry *world_entry(const char *name)
{
    return broker_find(world.broker, "default", name, strlen(name));
}

/* ---- the person ---- */

static void on_login(void *context, const struct authorization_session *session)
{
    snprintf(context, 32, "%s", session_state_name(authorization_session_state(session)));
}

static void write_answer(const struct authorization_session *session, char *query, size_t size)
{
    failing_memory_pause();
    AUTO_TEXT state = NULL;
    const char *asked = strchr(authorization_session_url(session), '?') + 1;
    if (form_find(asked, strlen(asked), "state", &state) != OK)
        abort();
    snprintf(query, size, "code=c-1&state=%s", state);
    failing_memory_resume();
}

const char *world_login(void)
{
    static char outcome[32];
    snprintf(outcome, sizeof outcome, "not begun");
    const struct http_call *begun = world_call(HTTP_VERB_POST, "/v1/connections/mail/authorize", NULL, NULL);
    const struct authorization_session *session = authorization_session_latest(world_entry("mail"));
    if (begun->status / 100 != 2 || !session)
        return outcome;
    char ticket[128];
    snprintf(ticket, sizeof ticket, "%s", authorization_session_ticket(session));
    char *cookie_name = NULL;
    AUTO_TEXT cookie_value = NULL;
    if (authorization_session_take_up(world.broker, ticket, &session, &cookie_name, &cookie_value) != OK)
        return outcome;
    char cookie[256];
    snprintf(cookie, sizeof cookie, "%s=%s", cookie_name, cookie_value);
    free(cookie_name);
    char query[256];
    write_answer(session, query, sizeof query);
    world.provider.has_code = true;
    snprintf(outcome, sizeof outcome, "not answered");
    struct authorization_answer answer = {.path = "/callback/crm", .query = query, .cookie = cookie};
    struct error error = {0};
    enum status status = authorization_session_answer(world.broker, &answer, on_login, outcome, &session, &error);
    if (status != OK)
        note(status, error.message);
    world_run();
    return outcome;
}
