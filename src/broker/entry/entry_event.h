#ifndef BROKER_ENTRY_ENTRY_EVENT_H
#define BROKER_ENTRY_ENTRY_EVENT_H

#include "broker/broker_state.h"
#include "broker/entry/token_entry_state.h"

/*
 * What the parts of an entry report. They do not know what follows: the table in coordinator.h says it. An event is
 * reported last in a function, because what follows may begin the next operation.
 */
static inline void entry_report(struct token_entry *entry, enum entry_event event)
{
    entry->broker->on_event(entry, event);
}

#endif
