#ifndef BASE_LIBRARY_MEMORY_H
#define BASE_LIBRARY_MEMORY_H

/*
 * Makes jansson and OpenSSL wipe what they free, so that parsed documents, replies and keys leave nothing behind. Call
 * once, first in main: OpenSSL accepts it only before its first allocation. (io does the same for its own libraries.)
 */
void library_memory_wipe_freed(void);

#endif
