#ifndef BROKER_ENTRY_TOKEN_RECORD_H
#define BROKER_ENTRY_TOKEN_RECORD_H

#include "io/store/store.h"

/* What the store keeps of an entry: its tokens, its state, and the journal of a refresh that is on its way. */
struct broker;
struct token_entry;
struct token_set;

enum token_record_part {
    RECORD_TOKENS = 1, /* tokens, or their deletion when NULL */
    RECORD_STATE = 2,
    RECORD_JOURNAL_BEGIN = 4, /* refresh_started(generation) */
    RECORD_JOURNAL_END = 8,
};

/* Writes parts in one transaction. tokens: what RECORD_TOKENS writes. done may be NULL. */
void token_record_write(struct token_entry *entry, unsigned parts, const struct token_set *tokens, store_done *done,
                        void *context);
/* Writes the rows of an earlier version as this one writes them, some at a time, until there are none any more. */
void token_record_renew_rows(struct broker *broker);
/*
 * Writes all that the entry is in memory, again and again until the store takes it. Says so in the log and in the
 * metrics.
 */
enum token_record_loss {
    LOSS_OF_TOKENS,  /* the commit of new tokens failed, or of the deletion of old ones */
    LOSS_OF_JOURNAL, /* a refresh goes out although the store could not note it */
};
void token_record_keep_trying(struct token_entry *entry, enum token_record_loss loss, const struct error *error);
/* The broker's unsaved_timer, made with the broker: when a commit fails there may be no memory for a timer either. */
void token_record_retry_unsaved(void *broker);
/* The last attempt, when the broker ends: nobody is told what becomes of it. */
void token_record_write_unsaved(struct broker *broker);
/* Reads everything back into the broker's entries. */
void token_record_read_all(struct broker *broker, store_done *done, void *context);
void token_record_stop_reading(struct broker *broker);

#endif
