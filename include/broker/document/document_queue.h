#ifndef BROKER_DOCUMENT_DOCUMENT_QUEUE_H
#define BROKER_DOCUMENT_DOCUMENT_QUEUE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/fault_list.h"
#include "broker/broker.h"
#include "broker/document/document_store.h"

/*
 * Writes of documents through the API. They go one after another: each is judged by the catalog as the one before it
 * left it, committed, and only then put to work and answered.
 */
struct document_queue;

struct document_queue *broker_document_queue(struct broker *broker);

/*
 * Calls ready once no write is being committed, at once if so, and before the next one begins: the moment to load and
 * apply another catalog. Replaces an earlier one.
 */
typedef void document_queue_ready(void *context);
void document_queue_when_idle(struct document_queue *queue, document_queue_ready *ready, void *context);

enum document_action {
    DOCUMENT_CREATE,
    DOCUMENT_REPLACE, /* secrets that are left out or masked stay, see document_secrets.h */
    DOCUMENT_PATCH,   /* iClients only; the document is a JSON Patch, see document_patch.h */
    DOCUMENT_REMOVE,  /* tokens of connections that go with it are revoked and forgotten */
};

struct document_request {
    enum document_kind kind;
    enum document_action action;
    const char *tenant;    /* that the path says; NULL when it says none: the document's own, else "default" */
    const char *key;       /* _id, or the connection's name; NULL to create */
    json_t *take_document; /* NULL to remove */
};

enum document_result {
    DOCUMENT_DONE,
    DOCUMENT_INVALID,   /* faults */
    DOCUMENT_NOT_FOUND, /* none of this key within the tenant */
    DOCUMENT_READ_ONLY, /* it comes from a file, which message names */
    DOCUMENT_IN_USE,    /* message names the connection */
    DOCUMENT_CONFLICT,  /* another write of the same document is under way */
    DOCUMENT_BUSY,      /* too many writes are waiting, here or at the store; nothing changed */
    DOCUMENT_UNSAVED,   /* the store refused it; nothing changed */
    DOCUMENT_NO_MEMORY,
};

struct document_outcome {
    enum document_result result;
    const char *message;
    const struct fault_list *faults;
    const char *tenant;               /* of the document, when it is done */
    const char *key;                  /* as in the request; made for a new iClient */
    enum revoke_result revoke_result; /* for a connection that was removed: what became of its tokens */
    const char *revoke_message;
};

enum { DOCUMENT_WRITES_MAX = 256 };

/* done runs once, later or within the call. */
typedef void document_done(void *context, const struct document_outcome *outcome);
void document_queue_submit(struct document_queue *queue, const struct document_request *request, document_done *done,
                           void *context);
/* The one who waits goes away; the write goes on. */
void document_queue_forget_waiter(struct document_queue *queue, const void *context);

#endif
