#ifndef BASE_HASH_TABLE_H
#define BASE_HASH_TABLE_H

/*
 * Hash tables and lists whose links stand in their elements: uthash and utlist, so configured that running out of
 * memory does not end the process. An element that found no memory has hh.tbl NULL and is not in the table: check it
 * after each addition.
 */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((void)(element))
#include <uthash.h>
#include <utlist.h>

#endif
