#include "broker/document/document_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "broker/document/document_store_state.h"

static const enum store_table tables[DOCUMENT_KIND_COUNT] = {
    [DOCUMENT_ICLIENT] = STORE_ICLIENTS,
    [DOCUMENT_CONNECTION] = STORE_CONNECTIONS,
};

enum store_table document_store_table(enum document_kind kind)
{
    return tables[kind];
}

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

json_t *document_parse(enum document_kind kind, const struct document *document)
{
    AUTO_JSON value = NULL;
    json_read_text(secret_reveal(document->text), secret_length(document->text), &value, NULL);
    /* Earlier versions took an iClient without a provider, and took it for this one. */
    bool is_old = kind == DOCUMENT_ICLIENT && json_is_object(value) && !json_object_get(value, "provider");
    if (is_old && json_object_set_new(value, "provider", json_string("custom_oauth2")) < 0)
        return NULL;
    return TAKE(value);
}

/* ---- life ---- */

struct document_store *document_store_create(struct store *store)
{
    struct document_store *documents = calloc(1, sizeof *documents);
    if (documents)
        documents->store = store;
    return documents;
}

void document_store_destroy(struct document_store *documents)
{
    if (!documents)
        return;
    for (enum document_kind kind = 0; kind < DOCUMENT_KIND_COUNT; kind++) {
        struct document *document, *next;
        HASH_ITER (by_key, documents->documents[kind], document, next)
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
    struct store *store = documents->store;
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
    AUTO_JSON json = own ? document_parse(kind, document) : NULL;
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
    HASH_ITER (by_key, documents->documents[kind], document, next) {
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
