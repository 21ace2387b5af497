#ifndef BROKER_CATALOG_APPLY_H
#define BROKER_CATALOG_APPLY_H

#include "broker/broker.h"

/* Puts configuration to work: a whole catalog (broker_apply_catalog()), or one connection of it after an edit. */

/*
 * A connection that is new, changed or gone (NULL): its entry is configured, and one that is switched off is revoked.
 */
void catalog_apply_to_entry(struct token_entry *entry, const struct connection *connection);
/* The gauges of what is configured. */
void catalog_apply_count(struct broker *broker);

#endif
