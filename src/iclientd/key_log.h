#ifndef ICLIENTD_KEY_LOG_H
#define ICLIENTD_KEY_LOG_H

#include "io/store/store.h"

/* Puts on record how a change of the store's key goes: key ids, never a key. store: one of SQLite's. */
void key_log_start(struct store *store);

#endif
