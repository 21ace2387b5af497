#include "broker/document/document_queue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/document/document_prepare.h"
#include "broker/document/document_queue_state.h"
#include "broker/entry/token_cache.h"
#include "model/catalog/tenant.h"

/* ---- life ---- */

struct document_queue *document_queue_create(struct broker *broker, document_apply_write *apply)
{
    struct document_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->broker = broker;
    queue->apply = apply;
    return queue;
}

static void document_write_destroy(struct document_write *write)
{
    if (!write)
        return;
    /* The place of a new document that did not come to be. */
    if (write->place && !write->place->text)
        document_drop(write->queue->broker->documents, write->kind, write->place);
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

void document_queue_destroy(struct document_queue *queue)
{
    if (!queue)
        return;
    destroy_all(&queue->first);
    destroy_all(&queue->revoking);
    free(queue);
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

static void take_from_queue(struct document_queue *queue, struct document_write *write)
{
    DL_DELETE(queue->first, write);
    queue->length--;
}

static void run_queue(struct document_queue *queue);

static void on_committed(void *context, enum status status, const struct error *error)
{
    struct document_write *write = context;
    struct document_queue *queue = write->queue;
    queue->is_committing = false;
    take_from_queue(queue, write);
    if (status != OK) {
        metrics_add(queue->broker->metrics, METRIC_STORE_FAILURES, 1);
        log_error("a document could not be stored, and nothing changed: %s", error->message);
        error_set(&write->error, status, "the store refused it, and nothing changed: %.400s", error->message);
        bool is_overload = status == ERR_BUSY || status == ERR_NO_MEMORY;
        document_write_end(write, is_overload ? DOCUMENT_BUSY : DOCUMENT_UNSAVED, REVOKE_NOTHING, NULL);
    } else if (!queue->apply(queue->broker, write)) {
        document_write_end(write, DOCUMENT_DONE, REVOKE_NOTHING, NULL);
    }
    run_queue(queue);
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
    struct document_queue *queue = write->queue;
    struct store *store = queue->broker->store;
    char keys[PARTINGS_MAX][TOKEN_CACHE_KEY_MAX];
    struct store_change changes[1 + TOKEN_CHANGES_MAX] = {
        {.table = document_store_table(write->kind), .key = write->place->key, .value = write->text}};
    size_t count = 1 + add_token_changes(write, keys, changes + 1);
    queue->is_committing = true;
    store->operations->write(store, changes, count, on_committed, write);
}

static void run_queue(struct document_queue *queue)
{
    if (queue->is_running)
        return;
    queue->is_running = true;
    while (!queue->is_committing) {
        document_queue_ready *ready = queue->ready;
        queue->ready = NULL;
        if (ready)
            ready(queue->ready_context);
        struct document_write *write = queue->first;
        if (!write)
            break;
        enum document_result result = document_prepare(write);
        if (result == DOCUMENT_DONE) {
            commit(write);
            continue;
        }
        take_from_queue(queue, write);
        document_write_end(write, result, REVOKE_NOTHING, NULL);
    }
    queue->is_running = false;
}

void document_queue_when_idle(struct document_queue *queue, document_queue_ready *ready, void *context)
{
    queue->ready = ready;
    queue->ready_context = context;
    run_queue(queue);
}

static const char *default_tenant(const struct document_request *request)
{
    const char *own = json_read_string(request->take_document, "tenant");
    return request->tenant ? request->tenant : own ? own : TENANT_DEFAULT;
}

/* The tenant is the path's, else the document's; a new connection's key is its name. */
static struct document_write *document_write_create(struct document_queue *queue,
                                                    const struct document_request *request, json_t *document)
{
    AUTO(document_write) write = calloc(1, sizeof *write);
    if (!write)
        return NULL;
    const char *name = request->kind == DOCUMENT_CONNECTION ? json_read_string(document, "name") : NULL;
    const char *key = request->key ? request->key : name;
    write->queue = queue;
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

static bool is_being_written(const struct document_queue *queue, const struct document_write *write)
{
    const struct document_write *other;
    DL_FOREACH (queue->first, other)
        if (is_same_document(other, write))
            return true;
    return false;
}

void document_queue_submit(struct document_queue *queue, const struct document_request *request, document_done *done,
                           void *context)
{
    AUTO_JSON document = request->take_document;
    struct document_write *write = document_write_create(queue, request, document);
    if (!write) {
        done(context, &(struct document_outcome){.result = DOCUMENT_NO_MEMORY, .message = "out of memory"});
        return;
    }
    write->done = done;
    write->done_context = context;
    if (is_being_written(queue, write)) {
        error_set(&write->error, ERR_CONFLICT, "somebody else is writing this very document: look at it and try again");
        document_write_end(write, DOCUMENT_CONFLICT, REVOKE_NOTHING, NULL);
        return;
    }
    if (queue->length == DOCUMENT_WRITES_MAX) {
        error_set(&write->error, ERR_BUSY, "too many documents are being written: try again in a moment");
        document_write_end(write, DOCUMENT_BUSY, REVOKE_NOTHING, NULL);
        return;
    }
    DL_APPEND(queue->first, write);
    queue->length++;
    run_queue(queue);
}

void document_queue_forget_waiter(struct document_queue *queue, const void *context)
{
    struct document_write *write;
    DL_FOREACH (queue->first, write)
        if (write->done_context == context)
            write->done = NULL;
    DL_FOREACH (queue->revoking, write)
        if (write->done_context == context)
            write->done = NULL;
}
