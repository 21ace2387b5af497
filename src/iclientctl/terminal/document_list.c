#include "iclientctl/terminal/document_list.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "io/files/file_load.h"

struct document_list {
    struct document *documents;
    size_t count;
    size_t capacity;
    bool no_memory;
};

struct document_list *document_list_create(void)
{
    return calloc(1, sizeof(struct document_list));
}

void document_list_destroy(struct document_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++) {
        free(list->documents[i].path);
        json_decref(list->documents[i].json);
    }
    free(list->documents);
    free(list);
}

static bool make_room(struct document_list *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity ? list->capacity * 2 : 16;
    struct document *grown = reallocarray(list->documents, capacity, sizeof *grown);
    if (!grown)
        return false;
    list->documents = grown;
    list->capacity = capacity;
    return true;
}

/* A wrong case is a fault of a connection: as an iClient's it would be told among many that are none. */
static bool is_connection(const json_t *json)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)json, name, value) {
        if (strcasecmp(name, "iClient") == 0)
            return true;
    }
    return false;
}

enum status document_list_put(struct document_list *list, const char *path, const json_t *json,
                              struct fault_list *faults)
{
    if (list->count == DOCUMENT_LIST_MAX) {
        fault_list_add(faults, path, "", NULL, "more than %d documents", DOCUMENT_LIST_MAX);
        return ERR_TOO_LARGE;
    }
    char *copy = make_room(list) ? strdup(path) : NULL;
    if (!copy) {
        list->no_memory = true;
        return ERR_NO_MEMORY;
    }
    list->documents[list->count++] = (struct document){
        .path = copy,
        .json = json_incref((json_t *)(uintptr_t)json),
        .is_connection = is_connection(json),
    };
    return OK;
}

static bool is_daemon_configuration(const char *name)
{
    return strcmp(name, "iclientd") == 0;
}

static enum status keep_from_folder(void *context, const char *path, const char *name, const json_t *json,
                                    struct fault_list *faults)
{
    return is_daemon_configuration(name) ? OK : document_list_put(context, path, json, faults);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "providers") != 0;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A link below a folder may lead back up, or to a folder that is read anyway. */
static bool is_own_folder(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void add_folder(struct document_list *list, const char *path, int depth, struct fault_list *faults);

static void add_folders_below(struct document_list *list, const char *path, int depth, struct fault_list *faults)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0)
        return;
    for (int i = 0; i < count; i++) {
        char *below = NULL;
        if (asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
            list->no_memory = true;
        else if (is_own_folder(below))
            add_folder(list, below, depth + 1, faults);
        free(below);
        free(entries[i]);
    }
    free(entries);
}

static void add_folder(struct document_list *list, const char *path, int depth, struct fault_list *faults)
{
    if (depth > DOCUMENT_DEPTH_MAX) {
        fault_list_add(faults, path, "", NULL, "folders lie deeper than %d", DOCUMENT_DEPTH_MAX);
        return;
    }
    /* What is wrong is in faults already. */
    (void)file_load_directory(path, false, keep_from_folder, list, faults);
    add_folders_below(list, path, depth, faults);
}

static void add_file(struct document_list *list, const char *path, struct fault_list *faults)
{
    AUTO_JSON json = NULL;
    struct error error;
    if (file_load_json(path, &json, &error) == OK) {
        (void)document_list_put(list, path, json, faults);
        return;
    }
    /* The message names the file, and so will the fault. */
    size_t length = strlen(path);
    bool named = strncmp(error.message, path, length) == 0 && strncmp(error.message + length, ": ", 2) == 0;
    fault_list_add(faults, path, "", NULL, "%s", named ? error.message + length + 2 : error.message);
}

enum status document_list_add(struct document_list *list, const char *path, struct fault_list *faults)
{
    if (is_folder(path))
        add_folder(list, path, 0, faults);
    else
        add_file(list, path, faults);
    return list->no_memory ? ERR_NO_MEMORY : OK;
}

size_t document_list_count(const struct document_list *list)
{
    return list->count;
}

const struct document *document_list_at(const struct document_list *list, size_t index)
{
    return &list->documents[index];
}
