#ifndef BROKER_DOCUMENT_DOCUMENT_STORE_STATE_H
#define BROKER_DOCUMENT_DOCUMENT_STORE_STATE_H

#include "base/secret.h"
#include "broker/document/document_store.h"
#include "broker/entry/token_entry_state.h"

/* One document as it is stored. */
struct document {
    UT_hash_handle by_key;
    char *key;           /* as in the store's table */
    struct secret *text; /* NULL: the place of one that is being committed */
};

struct document_store {
    struct store *store; /* borrowed */
    struct document *documents[DOCUMENT_KIND_COUNT];
    /* document_store_load() */
    enum document_kind loading;
    store_done *loaded;
    void *loaded_context;
    struct error load_error;
};

/* store: borrowed. NULL when out of memory. */
struct document_store *document_store_create(struct store *store);
/* Takes NULL. */
void document_store_destroy(struct document_store *documents);

/* The store's table of a kind. */
enum store_table document_store_table(enum document_kind kind);
/* "tenant/name" or the _id. NULL when out of memory. Caller frees. */
char *document_store_key(enum document_kind kind, const char *tenant, const char *key);
struct document *document_find(const struct document_store *documents, enum document_kind kind, const char *key);
/* Finds or makes its place. NULL when out of memory. */
struct document *document_ensure(struct document_store *documents, enum document_kind kind, const char *key);
void document_drop(struct document_store *documents, enum document_kind kind, struct document *document);
/* NULL when out of memory. */
json_t *document_parse(enum document_kind kind, const struct document *document);

#endif
