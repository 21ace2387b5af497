#ifndef BROKER_DOCUMENT_STORE_STATE_H
#define BROKER_DOCUMENT_STORE_STATE_H

#include "broker/document_store.h"
#include "broker/token_entry_state.h"
#include "model/catalog_edit.h"

/* One document as it is stored. */
struct document {
    UT_hash_handle by_key;
    char *key;           /* as in the store's table */
    struct secret *text; /* NULL: the place of one that is being committed */
};

/* A write on its way, waiting for its turn or for the revocation after it. */
struct document_write {
    struct document_store *documents;
    enum document_kind kind;
    enum document_action action;
    char *tenant; /* NULL until it is known */
    char *key;    /* likewise */
    json_t *body; /* of the request */
    struct fault_list *faults;
    struct error error;
    struct catalog_edit *edit;
    struct document *place;
    struct secret *text;         /* to be stored; NULL: removed */
    struct token_entry *parting; /* whose tokens are being revoked */
    document_done *done;
    void *done_context;
    struct document_write *next, *prev;
};

struct document_store {
    struct broker *broker;
    struct document *documents[DOCUMENT_KIND_COUNT];
    struct document_write *queue; /* the first one is at work */
    size_t queue_length;
    struct document_write *revoking; /* done but for the answer */
    bool is_committing;
    bool is_running;
    document_store_ready *ready;
    void *ready_context;
    /* document_store_load() */
    enum document_kind loading;
    store_done *loaded;
    void *loaded_context;
    struct error load_error;
};

struct document_store *document_store_create(struct broker *broker);
/* Without calling back. */
void document_store_destroy(struct document_store *documents);

/* "tenant/name" or the _id. NULL when out of memory. Caller frees. */
char *document_store_key(enum document_kind kind, const char *tenant, const char *key);
struct document *document_find(const struct document_store *documents, enum document_kind kind, const char *key);
/* Finds or makes its place. NULL when out of memory. */
struct document *document_ensure(struct document_store *documents, enum document_kind kind, const char *key);
void document_drop(struct document_store *documents, enum document_kind kind, struct document *document);
/* NULL when out of memory. */
json_t *document_parse(const struct document *document);

/* document_prepare.c: judges a write and makes its edit. DOCUMENT_DONE: it can be committed. */
enum document_result document_prepare(struct document_write *write);
/* document_apply.c: puts a committed write to work. True when the answer waits for a revocation. */
bool document_apply(struct document_write *write);

/* Answers and ends a write that is in no list any more. */
void document_write_end(struct document_write *write, enum document_result result, enum revoke_result revoke_result,
                        const char *revoke_message);

#endif
