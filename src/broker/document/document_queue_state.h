#ifndef BROKER_DOCUMENT_DOCUMENT_QUEUE_STATE_H
#define BROKER_DOCUMENT_DOCUMENT_QUEUE_STATE_H

#include "broker/document/document_queue.h"
#include "broker/document/document_store_state.h"
#include "model/catalog/catalog_edit.h"

/* A write in progress, waiting for its turn or for the revocation after it. */
struct document_write {
    struct document_queue *queue;
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

/* Puts a committed write to work. True when its answer waits for a revocation. */
typedef bool document_apply_write(struct broker *broker, struct document_write *write);

struct document_queue {
    struct broker *broker; /* its catalog, cache and store; borrowed */
    document_apply_write *apply;
    struct document_write *first; /* the one at work; the others follow it */
    size_t length;
    struct document_write *revoking; /* done but for the answer */
    bool is_committing;
    bool is_running;
    document_queue_ready *ready;
    void *ready_context;
};

/* NULL when out of memory. */
struct document_queue *document_queue_create(struct broker *broker, document_apply_write *apply);
/* Without calling back. Takes NULL. */
void document_queue_destroy(struct document_queue *queue);

/* Answers and ends a write that is in no list any more. */
void document_write_end(struct document_write *write, enum document_result result, enum revoke_result revoke_result,
                        const char *revoke_message);

#endif
