#ifndef BROKER_DOCUMENT_DOCUMENT_PREPARE_H
#define BROKER_DOCUMENT_DOCUMENT_PREPARE_H

#include "broker/document/document_queue_state.h"

/* Judges a write and makes its edit of the catalog. DOCUMENT_DONE: it can be committed. */
enum document_result document_prepare(struct document_write *write);

#endif
