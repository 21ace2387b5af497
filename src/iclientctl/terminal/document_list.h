#ifndef ICLIENTCTL_TERMINAL_DOCUMENT_LIST_H
#define ICLIENTCTL_TERMINAL_DOCUMENT_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fault_list.h"

/* The documents that `check` was given: files, and *.json below folders, however deep these lie. */
enum { DOCUMENT_LIST_MAX = 1000000, DOCUMENT_DEPTH_MAX = 16 };

struct document {
    char *path;
    json_t *json;
    bool is_connection; /* it names an iClient; else it is one */
};

struct document_list;

struct document_list *document_list_create(void);
void document_list_destroy(struct document_list *list);
AUTO_DEFINE(document_list);

/*
 * Adds a file, or all of a folder. What cannot be read or parsed is a fault. Within a folder the daemon's own
 * iclientd.json and a folder of presets ("providers") are passed over: they are neither. ERR_NO_MEMORY.
 */
enum status document_list_add(struct document_list *list, const char *path, struct fault_list *faults);

/* Adds one that was read already; held. More than DOCUMENT_LIST_MAX is a fault. ERR_TOO_LARGE, ERR_NO_MEMORY. */
enum status document_list_put(struct document_list *list, const char *path, const json_t *json,
                              struct fault_list *faults);

size_t document_list_count(const struct document_list *list);
const struct document *document_list_at(const struct document_list *list, size_t index);

#endif
