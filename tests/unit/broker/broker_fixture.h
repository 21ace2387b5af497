/*
 * A broker on a clock, timers, an HTTP client and a store that the test holds in its hands: each stands in for the real
 * one at link time (the store through its vtable). Included once by each test program.
 */
#ifndef TEST_BROKER_FIXTURE_H
#define TEST_BROKER_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "broker/broker.h"
#include "broker/broker_state.h"
#include "broker/entry/entry_event.h"
#include "broker/fixture_time.h"
#include "broker/entry/token_entry_state.h"
#include "model/connection/connection_binding.h"

/* Not every test program uses every helper. */
#define FIXTURE static __attribute__((unused))

/* ---- time ---- */

FIXTURE void fixture_run_timers(void)
{
    while (fixture_run_due_timer())
        ;
}

FIXTURE void fixture_pass(int64_t seconds)
{
    fixture_now += seconds;
    fixture_run_timers();
}

/* ---- HTTP client: requests queue up until the test replies ---- */

struct http_exchange {
    struct http_request *request;
    bool background;
    http_client_done *done;
    void *context;
    struct http_exchange *next, *prev;
};
static struct http_exchange *fixture_requests;
static unsigned fixture_sent;
static enum status fixture_send_status;                         /* OK, or why nothing can be sent */
static void (*fixture_on_send)(struct http_exchange *exchange); /* NULL: nobody looks */

enum status http_client_send(struct http_client *client, struct http_request *take_request, bool background,
                             int64_t timeout_ms, http_client_done *done, void *context,
                             struct http_exchange **ret_exchange, struct error *ret_error)
{
    (void)client;
    (void)timeout_ms;
    if (fixture_send_status != OK) {
        http_request_destroy(take_request);
        return error_set(ret_error, fixture_send_status, "no room");
    }
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    exchange->request = take_request;
    exchange->background = background;
    exchange->done = done;
    exchange->context = context;
    DL_APPEND(fixture_requests, exchange);
    fixture_sent++;
    if (fixture_on_send)
        fixture_on_send(exchange);
    *ret_exchange = exchange;
    return OK;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    DL_DELETE(fixture_requests, exchange);
    http_request_destroy(exchange->request);
    free(exchange);
}

FIXTURE const char *fixture_request_body(void)
{
    cr_assert_not_null(fixture_requests, "no request is on its way");
    return secret_reveal(http_request_body(fixture_requests->request));
}

FIXTURE void fixture_finish_request(const struct http_client_result *result)
{
    struct http_exchange *exchange = fixture_requests;
    cr_assert_not_null(exchange, "no request is on its way");
    DL_DELETE(fixture_requests, exchange);
    exchange->done(exchange->context, result);
    http_request_destroy(exchange->request);
    free(exchange);
}

FIXTURE void fixture_reply(int status, const char *body)
{
    struct http_client_result result = {
        .status = OK, .http_status = status, .content_type = "application/json", .body = body, .length = strlen(body)};
    fixture_finish_request(&result);
}

FIXTURE void fixture_no_reply(bool may_have_been_sent)
{
    struct http_client_result result = {.status = ERR_TIMEOUT, .may_have_been_sent = may_have_been_sent, .body = ""};
    error_set(&result.error, ERR_TIMEOUT, "no answer in time");
    fixture_finish_request(&result);
}

/* ---- store: in memory; answers at once unless held ---- */

struct fixture_row {
    enum store_table table;
    char key[64];
    struct secret *value;
    struct fixture_row *next, *prev;
};
struct fixture_write {
    struct store_change changes[4];
    char keys[4][64];
    size_t count;
    store_done *done;
    void *context;
    struct fixture_write *next, *prev;
};
static struct fixture_row *fixture_rows;
static struct fixture_write *fixture_held;
static bool fixture_holds_writes;
static bool fixture_store_fails;

FIXTURE struct fixture_row *fixture_row(enum store_table table, const char *key)
{
    struct fixture_row *row;
    DL_FOREACH (fixture_rows, row)
        if (row->table == table && strcmp(row->key, key) == 0)
            return row;
    return NULL;
}

FIXTURE void fixture_apply(const struct store_change *change, const char *key)
{
    struct fixture_row *row = fixture_row(change->table, key);
    if (row) {
        DL_DELETE(fixture_rows, row);
        secret_destroy(row->value);
        free(row);
    }
    if (!change->value)
        return;
    row = calloc(1, sizeof *row);
    row->table = change->table;
    strcpy(row->key, key);
    row->value = secret_hold(change->value);
    DL_APPEND(fixture_rows, row);
}

FIXTURE void fixture_answer_write(struct fixture_write *write)
{
    struct error error;
    error_set(&error, ERR_IO, "disk full");
    for (size_t i = 0; i < write->count; i++) {
        if (!fixture_store_fails)
            fixture_apply(&write->changes[i], write->keys[i]);
        secret_destroy((struct secret *)write->changes[i].value);
    }
    if (write->done)
        write->done(write->context, fixture_store_fails ? ERR_IO : OK, fixture_store_fails ? &error : NULL);
    free(write);
}

FIXTURE void fixture_store_write(struct store *store, const struct store_change *changes, size_t count,
                                 store_done *done, void *context)
{
    (void)store;
    struct fixture_write *write = calloc(1, sizeof *write);
    write->count = count;
    write->done = done;
    write->context = context;
    for (size_t i = 0; i < count; i++) {
        write->changes[i] = changes[i];
        write->changes[i].value = secret_hold(changes[i].value);
        strcpy(write->keys[i], changes[i].key);
    }
    DL_APPEND(fixture_held, write);
}

/* Lets the store answer all that is queued, as the loop would. */
FIXTURE void fixture_run_store(void)
{
    while (fixture_held && !fixture_holds_writes) {
        struct fixture_write *write = fixture_held;
        DL_DELETE(fixture_held, write);
        fixture_answer_write(write);
    }
}

FIXTURE void fixture_store_read_all(struct store *store, enum store_table table, store_row *each, store_done *done,
                                    void *context)
{
    (void)store;
    struct fixture_row *row;
    DL_FOREACH (fixture_rows, row)
        if (row->table == table && !each(context, row->key, row->value)) {
            done(context, ERR_CANCELLED, NULL);
            return;
        }
    fixture_run_timers(); /* the answer comes through the loop, which turns meanwhile */
    done(context, OK, NULL);
}

static const struct store_operations fixture_store_operations = {.read_all = fixture_store_read_all,
                                                                 .write = fixture_store_write};
static struct store fixture_store = {&fixture_store_operations};

/* ---- the broker ---- */

static struct metrics fixture_metrics;
static struct broker *fixture_broker;

#define CREDENTIALS "\"clientId\":\"id\",\"clientSecret\":\"very-secret\""
#define ENDPOINTS                                                                                                      \
    "\"auth\":{\"uri\":\"https://as.example.com/authorize\"},\"token\":{\"uri\":\"https://as.example.com/token\"},"    \
    "\"revoke\":{\"uri\":\"https://as.example.com/revoke\"}"
#define CODE_ICLIENT(name)                                                                                             \
    "{\"name\":\"" name "\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\"," CREDENTIALS   \
    "," ENDPOINTS "}}"
#define CLIENT_CREDENTIALS_ICLIENT(name)                                                                               \
    "{\"name\":\"" name                                                                                                \
    "\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"clientcredentials\"," CREDENTIALS "," ENDPOINTS     \
    "}}"

FIXTURE void fixture_configure(const char *const *iclients, size_t iclient_count, const char *const *connections,
                               size_t connection_count)
{
    struct catalog_options options = {.iclient = {.default_redirect_uri = "http://127.0.0.1:8085/callback"}};
    AUTO(catalog) catalog = catalog_create(&options);
    AUTO(fault_list) faults = fault_list_create();
    AUTO_JSON preset = json_pack("{s:s}", "provider", "custom_oauth2");
    catalog_add_preset(catalog, "custom_oauth2", preset, "custom_oauth2.json", faults);
    struct error error = {0};
    for (size_t i = 0; i < iclient_count + connection_count; i++) {
        const char *text = i < iclient_count ? iclients[i] : connections[i - iclient_count];
        AUTO_JSON document = NULL;
        cr_assert_eq(json_read_text(text, strlen(text), &document, &error), OK, "%s", error.message);
        if (i < iclient_count)
            catalog_add_iclient(catalog, document, "iclient.json", faults);
        else
            catalog_add_connection(catalog, document, "connection.json", faults);
    }
    catalog_finish(catalog, faults);
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        cr_assert(fault_list_at(faults, i)->warning, "%s", text);
    }
    cr_assert_eq(broker_apply_catalog(fixture_broker, TAKE(catalog), &error), OK, "%s", error.message);
}

FIXTURE void fixture_configure_one(const char *iclient)
{
    fixture_configure(&iclient, 1, NULL, 0);
}

FIXTURE void fixture_start(void)
{
    struct broker_options options = {.max_waiters = 2000};
    struct error error = {0};
    cr_assert_eq(broker_create(NULL, NULL, &fixture_store, &fixture_metrics, &options, &fixture_broker, &error), OK);
}

FIXTURE void fixture_on_loaded(void *context, enum status status, const struct error *error)
{
    cr_assert_eq(status, OK, "%s", error ? error->message : "");
    *(bool *)context = true;
}

FIXTURE void fixture_load(void)
{
    bool loaded = false;
    broker_load(fixture_broker, fixture_on_loaded, &loaded);
    cr_assert(loaded);
}

FIXTURE void fixture_drop_writes(void)
{
    while (fixture_held) {
        struct fixture_write *write = fixture_held;
        DL_DELETE(fixture_held, write);
        for (size_t i = 0; i < write->count; i++)
            secret_destroy((struct secret *)write->changes[i].value);
        free(write);
    }
}

/* As the process would end: what was not answered is lost, what is stored stays. */
FIXTURE void fixture_kill(void)
{
    fixture_drop_writes();
    broker_destroy(TAKE(fixture_broker));
    fixture_drop_writes();
}

/* As the daemon ends: the store writes what it has got, and calls nobody back. */
FIXTURE void fixture_stop(void)
{
    struct fixture_write *write;
    broker_destroy(TAKE(fixture_broker));
    DL_FOREACH (fixture_held, write)
        write->done = NULL;
    fixture_run_store();
}

FIXTURE void fixture_finish(void)
{
    if (fixture_broker)
        fixture_kill();
    while (fixture_rows) {
        struct fixture_row *row = fixture_rows;
        DL_DELETE(fixture_rows, row);
        secret_destroy(row->value);
        free(row);
    }
}

FIXTURE struct token_entry *fixture_entry(const char *name)
{
    struct token_entry *entry = broker_find(fixture_broker, "default", name, strlen(name));
    cr_assert_not_null(entry, "no connection %s", name);
    return entry;
}

static uid_t fixture_uid = 1000; /* of whoever asks */

FIXTURE enum token_answer fixture_get(const char *name)
{
    return broker_get(fixture_entry(name), fixture_uid, 0, fixture_now);
}

FIXTURE bool fixture_report(const char *name, uint64_t generation, int status)
{
    const struct token_refusal refusal = {.generation = generation, .status = status};
    bool is_failure = false;
    cr_assert_eq(broker_report_rejected(fixture_entry(name), fixture_uid, &refusal, &is_failure), OK);
    return is_failure;
}

FIXTURE const char *fixture_access_token(const char *name)
{
    const struct token_set *tokens = token_entry_tokens(fixture_entry(name));
    return tokens ? secret_reveal(tokens->access_token) : NULL;
}

/* ---- waiting callers ---- */

struct fixture_caller {
    unsigned answers;
    enum token_answer answer;
    struct token_waiter *waiter;
};

FIXTURE void fixture_on_answer(void *context, enum token_answer answer)
{
    struct fixture_caller *caller = context;
    caller->answers++;
    caller->answer = answer;
    caller->waiter = NULL;
}

FIXTURE enum token_answer fixture_try_to_wait(struct fixture_caller *caller, const char *name, int64_t wait_ms)
{
    return broker_wait(fixture_entry(name), fixture_uid, 0, wait_ms, fixture_on_answer, caller, &caller->waiter);
}

FIXTURE void fixture_start_waiting(struct fixture_caller *caller, const char *name, int64_t wait_ms)
{
    cr_assert_eq(fixture_try_to_wait(caller, name, wait_ms), TOKEN_PENDING);
}

FIXTURE enum token_answer fixture_refresh(struct fixture_caller *caller, const char *name, int64_t wait_ms)
{
    return broker_refresh(fixture_entry(name), fixture_uid, wait_ms, fixture_on_answer, caller, &caller->waiter);
}

/* Puts a first token in place: for the code grant as after a login, for the others by their grant. */
FIXTURE void fixture_store_tokens(const char *name, const char *access_token, const char *refresh_token,
                                  int64_t lifetime)
{
    struct token_entry *entry = fixture_entry(name);
    AUTO(token_set) tokens = token_set_create();
    tokens->access_token = secret_from_text(access_token);
    tokens->refresh_token = refresh_token ? secret_from_text(refresh_token) : NULL;
    tokens->obtained_at = fixture_now;
    tokens->expires_at = fixture_now + lifetime;
    tokens->generation = entry->generation + 1;
    token_set_bind(tokens, connection_binding(entry->connection, NULL, NULL));
    token_entry_adopt(entry, tokens, entry->connection);
    entry_report(entry, EVENT_RESTORED);
}

#endif
