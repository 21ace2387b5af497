#include "io/file_load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "io/file_read.h"

static const char SUFFIX[] = ".json";

enum status file_load_bytes(const char *path, size_t limit, struct secret **ret_bytes, struct error *ret_error)
{
    struct error reason;
    struct stat ignored;
    enum status status = file_read(path, limit, ret_bytes, &ignored, &reason);
    return status == OK ? OK : error_set(ret_error, status, "%s: %s", path, reason.message);
}

/* The message does not name the file: a fault does. */
static enum status load_document(const char *path, json_t **ret_document, struct error *ret_error)
{
    AUTO(secret) text = NULL;
    struct stat ignored;
    enum status status = file_read(path, FILE_LOAD_DOCUMENT_MAX, &text, &ignored, ret_error);
    if (status != OK)
        return status;
    return json_read_text(secret_reveal(text), secret_length(text), ret_document, ret_error);
}

enum status file_load_json(const char *path, json_t **ret_document, struct error *ret_error)
{
    struct error reason;
    enum status status = load_document(path, ret_document, &reason);
    return status == OK ? OK : error_set(ret_error, status, "%s: %s", path, reason.message);
}

struct name_list {
    char **names;
    size_t count;
    size_t capacity;
};

static void name_list_finish(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

static enum status name_list_add(struct name_list *list, const char *name)
{
    if (list->count == FILE_LOAD_DIRECTORY_MAX)
        return ERR_TOO_LARGE;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        char **grown = reallocarray(list->names, capacity, sizeof *grown);
        if (!grown)
            return ERR_NO_MEMORY;
        list->names = grown;
        list->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy)
        return ERR_NO_MEMORY;
    list->names[list->count++] = copy;
    return OK;
}

static bool is_document_name(const char *name)
{
    size_t length = strlen(name);
    size_t suffix = sizeof SUFFIX - 1;
    return name[0] != '.' && length > suffix && strcmp(name + length - suffix, SUFFIX) == 0;
}

static enum status list_entries(DIR *directory, struct name_list *list, struct error *ret_error)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            return errno == 0 ? OK : error_set(ret_error, ERR_IO, "%s", strerror(errno));
        if (!is_document_name(entry->d_name))
            continue;
        enum status status = name_list_add(list, entry->d_name);
        if (status == ERR_TOO_LARGE)
            return error_set(ret_error, status, "more than %d documents", FILE_LOAD_DIRECTORY_MAX);
        if (status != OK)
            return error_set(ret_error, status, "out of memory");
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status list_documents(const char *path, struct name_list *list, struct error *ret_error)
{
    DIR *directory = opendir(path);
    if (!directory)
        return error_set(ret_error, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "directory: %s", strerror(errno));
    enum status status = list_entries(directory, list, ret_error);
    closedir(directory);
    if (status == OK && list->count > 0)
        qsort(list->names, list->count, sizeof *list->names, compare_names);
    return status;
}

/* file_name is cut to the document's name. */
static enum status visit_document(const char *directory, char *file_name, file_load_each *each, void *context,
                                  struct fault_list *faults)
{
    AUTO_TEXT path = NULL;
    if (asprintf(&path, "%s/%s", directory, file_name) < 0) {
        path = NULL;
        return ERR_NO_MEMORY;
    }
    AUTO_JSON document = NULL;
    struct error reason;
    enum status status = load_document(path, &document, &reason);
    if (status == ERR_NO_MEMORY)
        return status;
    if (status != OK) {
        fault_list_add(faults, path, "", NULL, "%s", reason.message);
        return ERR_INVALID;
    }
    file_name[strlen(file_name) - (sizeof SUFFIX - 1)] = '\0';
    return each(context, path, file_name, document, faults);
}

enum status file_load_directory(const char *path, bool optional, file_load_each *each, void *context,
                                struct fault_list *faults)
{
    AUTO_FINISH(name_list) list = {0};
    struct error reason;
    enum status status = list_documents(path, &list, &reason);
    if (status == ERR_NOT_FOUND && optional) {
        /* Said, because a mistyped directory looks the same as an empty one. */
        fault_list_warn(faults, path, "", NULL, "the directory does not exist, so nothing is read from it");
        return OK;
    }
    if (status == ERR_NO_MEMORY)
        return status;
    if (status != OK) {
        fault_list_add(faults, path, "", NULL, "%s", reason.message);
        return ERR_INVALID;
    }
    enum status result = OK;
    for (size_t i = 0; i < list.count; i++) {
        status = visit_document(path, list.names[i], each, context, faults);
        if (status != OK && status != ERR_INVALID)
            return status;
        if (status != OK)
            result = status;
    }
    return result;
}
