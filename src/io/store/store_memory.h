#ifndef IO_STORE_STORE_MEMORY_H
#define IO_STORE_STORE_MEMORY_H

/*
 * Makes SQLite wipe what it frees. Values reach it sealed, but the page cache also holds keys of rows; and the rule is
 * the same for every library. Before the first connection of the process; afterwards a no-op.
 */
void store_memory_wipe(void);

#endif
