#ifndef BROKER_COORDINATOR_H
#define BROKER_COORDINATOR_H

#include "broker/entry/token_entry_state.h"

/*
 * Who decides what follows from what. An entry has at most one operation at a time (entry->running); what waits for it
 * is a fact: callers in entry->waiters, a login with a code, a revocation that did not begin. Each event leads to its
 * row's actions, in this order. An action looks at the facts and does nothing where there is nothing to do, and none
 * starts an operation beside one that is running, so that a row may be applied twice.
 *
 * tests/checks/check_coordinator.py keeps the diagram in docs/ARCHITECTURE.md equal to these tables.
 */

/* Symbol, the operation that it may begin, what it does. */
#define COORDINATOR_ACTION_TABLE(X)                                                                                    \
    X(RENEW, EXCHANGE, "callers that wait get an exchange, where there is no token yet")                               \
    X(RENEW_FOR_EDIT, EXCHANGE, "callers that wait get an exchange for the new configuration")                         \
    X(ANSWER, NOTHING, "callers that wait are answered")                                                               \
    X(EXCHANGE_CODE, EXCHANGE, "a login whose code has arrived exchanges it")                                          \
    X(REVOKE, REVOCATION, "a revocation that waits begins")                                                            \
    X(END_INACTIVE, REVOCATION, "tokens of a connection that is switched off are revoked")                             \
    X(REFRESH, EXCHANGE, "a refresh ahead of expiry begins, if it is time for one")                                    \
    X(PLAN, NOTHING, "the timer of the next refresh is set or stopped")                                                \
    X(SAY_DRAINED, NOTHING, "who waits for the last exchange of the process is told")

/* Symbol, what happened, the actions that follow. */
#define COORDINATOR_TABLE(X)                                                                                           \
    X(EXCHANGE_ENDED, "an exchange ended", RENEW, ANSWER, EXCHANGE_CODE, REVOKE, END_INACTIVE, PLAN, SAY_DRAINED)      \
    X(EXCHANGE_OUTDATED, "an exchange failed for a configuration that an edit replaced", RENEW_FOR_EDIT, ANSWER,       \
      EXCHANGE_CODE, REVOKE, END_INACTIVE, PLAN, SAY_DRAINED)                                                          \
    X(REVOCATION_ENDED, "a revocation ended", RENEW, ANSWER, EXCHANGE_CODE, REVOKE, END_INACTIVE, PLAN, SAY_DRAINED)   \
    X(CODE_ARRIVED, "a login's code arrived", EXCHANGE_CODE)                                                           \
    X(CONFIGURED, "its configuration changed", PLAN, END_INACTIVE)                                                     \
    X(RESTORED, "it was read from the store", PLAN, END_INACTIVE)                                                      \
    X(CLOCK_CHANGED, "the clock was set, or the machine resumed", PLAN)                                                \
    X(REFRESH_DUE, "its refresh is due and has its turn", REFRESH, PLAN)

/* The broker's on_event. */
void coordinator_on_event(struct token_entry *entry, enum entry_event event);
/* The operations that an event's actions may begin: bits 1 << enum entry_running. */
unsigned coordinator_may_begin(enum entry_event event);
const char *coordinator_event_words(enum entry_event event);
/* Ends what is running for the entry without any callback: the process ends. */
void coordinator_stop_entry(struct token_entry *entry);

#endif
