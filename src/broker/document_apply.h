#ifndef BROKER_DOCUMENT_APPLY_H
#define BROKER_DOCUMENT_APPLY_H

#include "broker/document/document_queue_state.h"

/* A document_apply_write: the catalog, the connections at work, and the tokens of those that go. */
bool document_apply(struct broker *broker, struct document_write *write);

#endif
