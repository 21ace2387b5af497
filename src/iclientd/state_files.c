#include "state_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status state_files_store_path(const struct config *config, char ret_path[STATE_PATH_MAX], struct error *ret_error)
{
    if (snprintf(ret_path, STATE_PATH_MAX, "%s/store.sqlite3", config->state_dir) >= STATE_PATH_MAX)
        return error_set(ret_error, ERR_INVALID, "the state directory's path is too long");
    return OK;
}

enum status state_files_load_key(const struct config *config, bool make, struct store_crypto **ret_crypto,
                                 struct error *ret_error)
{
    char store[STATE_PATH_MAX];
    enum status status = state_files_store_path(config, store, ret_error);
    if (status != OK)
        return status;
    bool is_first_start = access(store, F_OK) != 0;
    if (is_first_start && !make && access(config->key_file, F_OK) != 0) {
        *ret_crypto = NULL;
        return OK;
    }
    return store_key_load(config->key_file, is_first_start && make, ret_crypto, ret_error);
}

/* The key itself, or what a write of it was cut off from becoming. */
static bool belongs_to(const char *name, const char *key)
{
    size_t length = strlen(key);
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           (strncmp(name, key, length) == 0 && (name[length] == '\0' || name[length] == '.'));
}

bool state_files_key_directory(const struct config *config, char ret_path[STATE_PATH_MAX])
{
    AUTO_TEXT path = realpath(config->key_file, NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash || slash == path || slash - path >= STATE_PATH_MAX)
        return false;
    *slash = '\0';
    DIR *directory = opendir(path);
    bool is_own = directory != NULL;
    for (const struct dirent *entry; is_own && (entry = readdir(directory)) != NULL;)
        is_own = belongs_to(entry->d_name, slash + 1);
    if (directory)
        closedir(directory);
    if (is_own)
        strcpy(ret_path, path);
    return is_own;
}
