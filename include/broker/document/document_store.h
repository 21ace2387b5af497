#ifndef BROKER_DOCUMENT_DOCUMENT_STORE_H
#define BROKER_DOCUMENT_DOCUMENT_STORE_H

#include "io/files/file_load.h"
#include "io/store/store.h"

/*
 * iClients and connections that were made through the API: kept with their secrets in memory and, encrypted, in the
 * store; a part of every catalog beside the documents of files. They are written through document_queue.h.
 */
struct document_store;
struct broker;

enum document_kind { DOCUMENT_ICLIENT, DOCUMENT_CONNECTION, DOCUMENT_KIND_COUNT };

struct document_store *broker_documents(struct broker *broker);

/* Reads what the store has, once, before the first catalog is loaded. done: as store_done. */
void document_store_load(struct document_store *documents, store_done *done, void *context);
/* For file_load_catalog(). A document that does not fit the files any more is a fault that names both. */
struct catalog_source document_store_source(struct document_store *documents);

#endif
