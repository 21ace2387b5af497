/* What is stored, and the line of writes to it. */
#include "broker/document_store.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/log.h"
#include "broker/broker_state.h"
#include "broker/document_store_state.h"
#include "broker/token_cache.h"

static const enum store_table tables[DOCUMENT_KIND_COUNT] = {
    [DOCUMENT_ICLIENT] = STORE_ICLIENTS,
    [DOCUMENT_CONNECTION] = STORE_CONNECTIONS,
};

/* ---- documents ---- */

char *document_store_key(enum document_kind kind, const char *tenant, const char *key)
{
    char *text = NULL;
    if (kind == DOCUMENT_ICLIENT)
        return strdup(key);
    return asprintf(&text, "%s/%s", tenant, key) < 0 ? NULL : text;
}

struct document *document_find(const struct document_store *documents, enum document_kind kind, const char *key)
{
    struct document *document = NULL;
    HASH_FIND(by_key, documents->documents[kind], key, strlen(key), document);
    return document;
}

static void document_free(struct document *document)
{
    secret_destroy(document->text);
    free(document->key);
    free(document);
}

struct document *document_ensure(struct document_store *documents, enum document_kind kind, const char *key)
{
    struct document *document = document_find(documents, kind, key);
    if (document || !(document = calloc(1, sizeof *document)))
        return document;
    document->key = strdup(key);
    if (document->key)
        HASH_ADD_KEYPTR(by_key, documents->documents[kind], document->key, strlen(document->key), document);
    if (document->by_key.tbl)
        return document;
    document_free(document);
    return NULL;
}

void document_drop(struct document_store *documents, enum document_kind kind, struct document *document)
{
    HASH_DELETE(by_key, documents->documents[kind], document);
    document_free(document);
}

json_t *document_parse(const struct document *document)
{
    json_t *value = NULL;
    json_read_text(secret_reveal(document->text), secret_length(document->text), &value, NULL);
    return value;
}

/* ---- life ---- */

struct document_store *document_store_create(struct broker *broker)
{
    struct document_store *documents = calloc(1, sizeof *documents);
    if (documents)
        documents->broker = broker;
    return documents;
}

static void document_write_destroy(struct document_write *write)
{
    if (!write)
        return;
    /* The place of a new document that did not come to be. */
    if (write->place && !write->place->text)
        document_drop(write->documents, write->kind, write->place);
    catalog_edit_destroy(write->edit);
    fault_list_destroy(write->faults);
    secret_destroy(write->text);
    json_decref(write->body);
    free(write->tenant);
    free(write->key);
    free(write);
}
AUTO_DEFINE(document_write);

static void destroy_all(struct document_write **list)
{
    while (*list) {
        struct document_write *write = *list;
        DL_DELETE(*list, write);
        document_write_destroy(write);
    }
}

void document_store_destroy(struct document_store *documents)
{
    if (!documents)
        return;
    destroy_all(&documents->queue);
    destroy_all(&documents->revoking);
    for (enum document_kind kind = 0; kind < DOCUMENT_KIND_COUNT; kind++) {
        struct document *document, *next;
        HASH_ITER(by_key, documents->documents[kind], document, next)
        document_drop(documents, kind, document);
    }
    free(documents);
}

/* ---- reading ---- */

static bool on_row(void *context, const char *key, const struct secret *value)
{
    struct document_store *documents = context;
    struct document *document = document_ensure(documents, documents->loading, key);
    if (!document) {
        error_set(&documents->load_error, ERR_NO_MEMORY, "no memory to read the store");
        return false;
    }
    secret_destroy(document->text);
    document->text = secret_hold(value);
    return true;
}

static void read_next(struct document_store *documents);

static void on_table_read(void *context, enum status status, const struct error *error)
{
    struct document_store *documents = context;
    if (status == OK && ++documents->loading < DOCUMENT_KIND_COUNT) {
        read_next(documents);
        return;
    }
    if (status == ERR_CANCELLED) {
        status = documents->load_error.status;
        error = &documents->load_error;
    }
    documents->loaded(documents->loaded_context, status, error);
}

static void read_next(struct document_store *documents)
{
    struct store *store = documents->broker->store;
    store->operations->read_all(store, tables[documents->loading], on_row, on_table_read, documents);
}

void document_store_load(struct document_store *documents, store_done *done, void *context)
{
    documents->loading = 0;
    documents->loaded = done;
    documents->loaded_context = context;
    read_next(documents);
}

/* ---- into a catalog ---- */

/* Faults of a document that no file has are told under its name. */
static void pass_on(const struct fault_list *own, enum document_kind kind, const char *key, const json_t *json,
                    struct fault_list *faults)
{
    static const char *const words[] = {"iClient", "connection"};
    char label[ERROR_MESSAGE_MAX];
    const char *name = json_read_string(json, "name");
    snprintf(label, sizeof label, "%s %.100s (%.200s, made through the API)", words[kind], name ? name : "", key);
    for (size_t i = 0; i < fault_list_count(own); i++) {
        const struct fault *fault = fault_list_at(own, i);
        if (fault->warning)
            fault_list_warn(faults, label, fault->pointer, fault->hint, "%s", fault->message);
        else
            fault_list_add(faults, label, fault->pointer, fault->hint, "%s", fault->message);
    }
}

static enum status add_document(const struct document *document, enum document_kind kind, struct catalog *catalog,
                                struct fault_list *faults)
{
    AUTO(fault_list) own = fault_list_create();
    AUTO_JSON json = own ? document_parse(document) : NULL;
    if (!json)
        return ERR_NO_MEMORY;
    enum status status = kind == DOCUMENT_ICLIENT ? catalog_add_iclient(catalog, json, "", own)
                                                  : catalog_add_connection(catalog, json, "", own);
    pass_on(own, kind, document->key, json, faults);
    return status;
}

static enum status add_all(struct document_store *documents, enum document_kind kind, struct catalog *catalog,
                           struct fault_list *faults)
{
    enum status result = OK;
    struct document *document, *next;
    HASH_ITER(by_key, documents->documents[kind], document, next)
    {
        enum status status = document->text ? add_document(document, kind, catalog, faults) : OK;
        if (status != OK && status != ERR_INVALID)
            return status;
        if (status != OK)
            result = status;
    }
    return result;
}

static enum status add_iclients(void *context, struct catalog *catalog, struct fault_list *faults)
{
    return add_all(context, DOCUMENT_ICLIENT, catalog, faults);
}

static enum status add_connections(void *context, struct catalog *catalog, struct fault_list *faults)
{
    return add_all(context, DOCUMENT_CONNECTION, catalog, faults);
}

struct catalog_source document_store_source(struct document_store *documents)
{
    return (struct catalog_source){add_iclients, add_connections, documents};
}

/* ---- writes ---- */

void document_write_end(struct document_write *write, enum document_result result, enum revoke_result revoke_result,
                        const char *revoke_message)
{
    struct document_outcome outcome = {
        .result = result,
        .message = write->error.message,
        .faults = write->faults,
        .tenant = write->tenant,
        .key = write->key,
        .revoke_result = revoke_result,
        .revoke_message = revoke_message,
    };
    if (write->done)
        write->done(write->done_context, &outcome);
    document_write_destroy(write);
}

static void take_from_queue(struct document_store *documents, struct document_write *write)
{
    DL_DELETE(documents->queue, write);
    documents->queue_length--;
}

static void run_queue(struct document_store *documents);

static void on_committed(void *context, enum status status, const struct error *error)
{
    struct document_write *write = context;
    struct document_store *documents = write->documents;
    documents->is_committing = false;
    take_from_queue(documents, write);
    if (status != OK) {
        metrics_add(documents->broker->metrics, METRIC_STORE_FAILURES, 1);
        log_error("a document could not be stored, and nothing changed: %s", error->message);
        error_set(&write->error, status, "the store refused it, and nothing changed: %.400s", error->message);
        bool is_overload = status == ERR_BUSY || status == ERR_NO_MEMORY;
        document_write_end(write, is_overload ? DOCUMENT_BUSY : DOCUMENT_UNSAVED, REVOKE_NOTHING, NULL);
    } else if (!document_apply(write)) {
        document_write_end(write, DOCUMENT_DONE, REVOKE_NOTHING, NULL);
    }
    run_queue(documents);
}

enum { PARTINGS_MAX = 4, TOKEN_CHANGES_MAX = 3 * PARTINGS_MAX };

/* The tokens of connections that go are deleted with the document: a crash in between must not leave them behind. */
static size_t add_token_changes(const struct document_write *write, char keys[PARTINGS_MAX][TOKEN_CACHE_KEY_MAX],
                                struct store_change changes[TOKEN_CHANGES_MAX])
{
    static const enum store_table token_tables[] = {STORE_TOKENS, STORE_STATES, STORE_JOURNAL};
    size_t count = 0;
    for (size_t i = 0; write->action == DOCUMENT_REMOVE && i < catalog_edit_change_count(write->edit); i++) {
        const struct connection *before = catalog_edit_change_at(write->edit, i).before;
        if (!before || count == TOKEN_CHANGES_MAX)
            continue;
        char *key = keys[count / 3];
        const char *name = connection_name(before);
        token_cache_key(connection_tenant(before), name, strlen(name), key);
        for (size_t k = 0; k < 3; k++)
            changes[count++] = (struct store_change){.table = token_tables[k], .key = key};
    }
    return count;
}

static void commit(struct document_write *write)
{
    struct document_store *documents = write->documents;
    struct store *store = documents->broker->store;
    char keys[PARTINGS_MAX][TOKEN_CACHE_KEY_MAX];
    struct store_change changes[1 + TOKEN_CHANGES_MAX] = {
        {.table = tables[write->kind], .key = write->place->key, .value = write->text}};
    size_t count = 1 + add_token_changes(write, keys, changes + 1);
    documents->is_committing = true;
    store->operations->write(store, changes, count, on_committed, write);
}

static void run_queue(struct document_store *documents)
{
    if (documents->is_running)
        return;
    documents->is_running = true;
    while (!documents->is_committing) {
        document_store_ready *ready = documents->ready;
        documents->ready = NULL;
        if (ready)
            ready(documents->ready_context);
        struct document_write *write = documents->queue;
        if (!write)
            break;
        enum document_result result = document_prepare(write);
        if (result == DOCUMENT_DONE) {
            commit(write);
            continue;
        }
        take_from_queue(documents, write);
        document_write_end(write, result, REVOKE_NOTHING, NULL);
    }
    documents->is_running = false;
}

void document_store_when_idle(struct document_store *documents, document_store_ready *ready, void *context)
{
    documents->ready = ready;
    documents->ready_context = context;
    run_queue(documents);
}

static const char *default_tenant(const struct document_request *request)
{
    const char *own = json_read_string(request->take_document, "tenant");
    return request->tenant ? request->tenant : own ? own : "default";
}

/* The tenant is the path's, else the document's; a new connection's key is its name. */
static struct document_write *document_write_create(struct document_store *documents,
                                                    const struct document_request *request, json_t *document)
{
    AUTO(document_write) write = calloc(1, sizeof *write);
    if (!write)
        return NULL;
    const char *name = request->kind == DOCUMENT_CONNECTION ? json_read_string(document, "name") : NULL;
    const char *key = request->key ? request->key : name;
    write->documents = documents;
    write->kind = request->kind;
    write->action = request->action;
    write->body = json_incref(document);
    write->tenant = strdup(default_tenant(request));
    write->key = key ? strdup(key) : NULL;
    write->faults = fault_list_create();
    for (char *at = request->kind == DOCUMENT_ICLIENT ? write->key : NULL; at && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    bool is_whole = write->tenant && write->faults && (write->key || !key);
    return is_whole ? TAKE(write) : NULL;
}

static bool is_same_document(const struct document_write *a, const struct document_write *b)
{
    if (!a->key || !b->key || a->kind != b->kind)
        return false;
    return strcmp(a->key, b->key) == 0 && (a->kind == DOCUMENT_ICLIENT || strcmp(a->tenant, b->tenant) == 0);
}

static bool is_being_written(const struct document_store *documents, const struct document_write *write)
{
    const struct document_write *other;
    DL_FOREACH(documents->queue, other)
    if (is_same_document(other, write))
        return true;
    return false;
}

void document_store_submit(struct document_store *documents, const struct document_request *request,
                           document_done *done, void *context)
{
    AUTO_JSON document = request->take_document;
    struct document_write *write = document_write_create(documents, request, document);
    if (!write) {
        done(context, &(struct document_outcome){.result = DOCUMENT_NO_MEMORY, .message = "out of memory"});
        return;
    }
    write->done = done;
    write->done_context = context;
    if (is_being_written(documents, write)) {
        error_set(&write->error, ERR_CONFLICT, "somebody else is writing this very document: look at it and try again");
        document_write_end(write, DOCUMENT_CONFLICT, REVOKE_NOTHING, NULL);
        return;
    }
    if (documents->queue_length == DOCUMENT_WRITES_MAX) {
        error_set(&write->error, ERR_BUSY, "too many documents are being written: try again in a moment");
        document_write_end(write, DOCUMENT_BUSY, REVOKE_NOTHING, NULL);
        return;
    }
    DL_APPEND(documents->queue, write);
    documents->queue_length++;
    run_queue(documents);
}

void document_store_forget_waiter(struct document_store *documents, const void *context)
{
    struct document_write *write;
    DL_FOREACH(documents->queue, write)
    if (write->done_context == context)
        write->done = NULL;
    DL_FOREACH(documents->revoking, write)
    if (write->done_context == context)
        write->done = NULL;
}
