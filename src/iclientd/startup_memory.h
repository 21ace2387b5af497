#ifndef ICLIENTD_STARTUP_MEMORY_H
#define ICLIENTD_STARTUP_MEMORY_H

/*
 * Gives back the pages of program and libraries that only the start needed (symbol tables, relocations, initialisers):
 * most of what an idle daemon would otherwise keep resident. They are clean pages of files: one that is needed after
 * all is mapped again from the page cache.
 */
void startup_memory_release(void);

#endif
