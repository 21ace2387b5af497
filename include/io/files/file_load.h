#ifndef IO_FILES_FILE_LOAD_H
#define IO_FILES_FILE_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/fault_list.h"
#include "base/secret.h"
#include "model/catalog/catalog.h"
#include "model/secret/secret_reference.h"

enum { FILE_LOAD_DOCUMENT_MAX = 256 * 1024, FILE_LOAD_SECRET_MAX = 64 * 1024, FILE_LOAD_DIRECTORY_MAX = 1000000 };

/* Reads a regular file of at most limit bytes. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE, ERR_INVALID (no regular file). */
enum status file_load_bytes(const char *path, size_t limit, struct secret **ret_bytes, struct error *ret_error);
/* The same as a JSON document; the error names file, line and column. */
enum status file_load_json(const char *path, json_t **ret_document, struct error *ret_error);

/*
 * Calls each(path, name without ".json", document) for every *.json of a directory, in name order; hidden files are
 * passed over. A file that cannot be read or parsed becomes a fault and the walk goes on. A missing directory is no
 * entries when optional, else a fault.
 */
typedef enum status file_load_each(void *context, const char *path, const char *name, const json_t *document,
                                   struct fault_list *faults);
enum status file_load_directory(const char *path, bool optional, file_load_each *each, void *context,
                                struct fault_list *faults);

/*
 * Fills a catalog from the three directories (each may be NULL) and finishes it. ERR_INVALID when faults has errors. An
 * iClient without lastModified gets its file's.
 */
struct catalog_directories {
    const char *presets;
    const char *iclients;
    const char *connections;
    const struct catalog_source *beside; /* documents from elsewhere, each kind added after the files'; NULL: none */
};
/* As catalog_add_…(): what is wrong with a document is a fault, and the next one is added. */
struct catalog_source {
    enum status (*add_iclients)(void *context, struct catalog *catalog, struct fault_list *faults);
    enum status (*add_connections)(void *context, struct catalog *catalog, struct fault_list *faults);
    void *context;
};
enum status file_load_catalog(const struct catalog_directories *directories, struct catalog *catalog,
                              struct fault_list *faults);

/*
 * Reads {"$file"}, {"$credential"} ($CREDENTIALS_DIRECTORY), {"$env"}. A file that group or others may write is
 * refused.
 */
struct secret_resolver file_load_secret_resolver(void);

#endif
