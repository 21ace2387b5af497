#include "io/files/file_load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "io/files/file_read.h"

static const char SUFFIX[] = ".json";

enum status file_load_bytes(const char *path, size_t limit, struct secret **ret_bytes, struct error *ret_error)
{
    struct error reason;
    struct stat ignored;
    enum status status = file_read(path, limit, ret_bytes, &ignored, &reason);
    return status == OK ? OK : error_set(ret_error, status, "%s: %s", path, reason.message);
}

enum status file_load_json(const char *path, json_t **ret_document, struct error *ret_error)
{
    AUTO(secret) text = NULL;
    struct stat ignored;
    struct error reason;
    enum status status = file_read(path, FILE_LOAD_DOCUMENT_MAX, &text, &ignored, &reason);
    if (status == OK)
        status = json_read_text(secret_reveal(text), secret_length(text), ret_document, &reason);
    return status == OK ? OK : error_set(ret_error, status, "%s: %s", path, reason.message);
}

struct file_name {
    char *text;
    bool is_regular; /* the directory said so; else it may be a link */
};

struct name_list {
    DIR *directory; /* open, to read them from */
    struct file_name *names;
    size_t count;
    size_t capacity;
};

static void name_list_finish(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i].text);
    free(list->names);
    if (list->directory)
        closedir(list->directory);
}

static enum status name_list_add(struct name_list *list, const struct dirent *entry)
{
    if (list->count == FILE_LOAD_DIRECTORY_MAX)
        return ERR_TOO_LARGE;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct file_name *grown = reallocarray(list->names, capacity, sizeof *grown);
        if (!grown)
            return ERR_NO_MEMORY;
        list->names = grown;
        list->capacity = capacity;
    }
    char *copy = strdup(entry->d_name);
    if (!copy)
        return ERR_NO_MEMORY;
    list->names[list->count++] = (struct file_name){copy, entry->d_type == DT_REG};
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
        enum status status = name_list_add(list, entry);
        if (status == ERR_TOO_LARGE)
            return error_set(ret_error, status, "more than %d documents", FILE_LOAD_DIRECTORY_MAX);
        if (status != OK)
            return error_set(ret_error, status, "out of memory");
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct file_name *)a)->text, ((const struct file_name *)b)->text);
}

static enum status list_documents(const char *path, struct name_list *list, struct error *ret_error)
{
    list->directory = opendir(path);
    if (!list->directory)
        return error_set(ret_error, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "directory: %s", strerror(errno));
    enum status status = list_entries(list->directory, list, ret_error);
    if (status == OK && list->count > 0)
        qsort(list->names, list->count, sizeof *list->names, compare_names);
    return status;
}

/* The message does not name the file: a fault does. */
static enum status load_document(const struct name_list *list, const struct file_name *file, json_t **ret_document,
                                 struct error *ret_error)
{
    AUTO(secret) text = NULL;
    enum status status =
        file_read_in(dirfd(list->directory), file->text, file->is_regular, FILE_LOAD_DOCUMENT_MAX, &text, ret_error);
    if (status != OK)
        return status;
    return json_read_text(secret_reveal(text), secret_length(text), ret_document, ret_error);
}

/* The file's name is cut to the document's. */
static enum status visit_document(const char *directory, const struct name_list *list, const struct file_name *file,
                                  file_load_each *each, void *context, struct fault_list *faults)
{
    AUTO_TEXT path = NULL;
    if (asprintf(&path, "%s/%s", directory, file->text) < 0) {
        path = NULL;
        return ERR_NO_MEMORY;
    }
    AUTO_JSON document = NULL;
    struct error reason;
    enum status status = load_document(list, file, &document, &reason);
    if (status == ERR_NO_MEMORY)
        return status;
    if (status != OK) {
        fault_list_add(faults, path, "", NULL, "%s", reason.message);
        return ERR_INVALID;
    }
    file->text[strlen(file->text) - (sizeof SUFFIX - 1)] = '\0';
    return each(context, path, file->text, document, faults);
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
        status = visit_document(path, &list, &list.names[i], each, context, faults);
        if (status != OK && status != ERR_INVALID)
            return status;
        if (status != OK)
            result = status;
    }
    return result;
}
