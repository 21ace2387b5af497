#include "state_files.h"

#include <stdio.h>
#include <unistd.h>

#include "io/store_crypto.h"

enum status state_files_store_path(const struct config *config, char ret_path[STATE_PATH_MAX], struct error *ret_error)
{
    if (snprintf(ret_path, STATE_PATH_MAX, "%s/store.sqlite3", config->state_dir) >= STATE_PATH_MAX)
        return error_set(ret_error, ERR_INVALID, "the state directory's path is too long");
    return OK;
}

enum status state_files_load_key(const struct config *config, bool make, struct secret **ret_key,
                                 struct error *ret_error)
{
    char store[STATE_PATH_MAX];
    enum status status = state_files_store_path(config, store, ret_error);
    if (status != OK)
        return status;
    bool is_first_start = access(store, F_OK) != 0;
    if (is_first_start && !make && access(config->key_file, F_OK) != 0) {
        *ret_key = NULL;
        return OK;
    }
    return store_key_load(config->key_file, is_first_start && make, ret_key, ret_error);
}
