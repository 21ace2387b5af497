#include <sys/stat.h>

#include "base/clock.h"
#include "io/files/file_load.h"
#include "model/connection/redirect_share.h"

static enum status add_preset(void *context, const char *path, const char *name, const json_t *document,
                              struct fault_list *faults)
{
    return catalog_add_preset(context, name, document, path, faults);
}

/* The document with its file's time, where it says none itself. New reference; NULL when out of memory. */
static json_t *with_file_time(const json_t *document, const char *path)
{
    struct stat file;
    if (!json_is_object(document) || json_object_get(document, "lastModified") || stat(path, &file) < 0)
        return json_incref((json_t *)document);
    char text[CLOCK_TEXT_SIZE];
    clock_format(file.st_mtime, text);
    AUTO_JSON dated = json_copy((json_t *)document);
    if (!dated || json_object_set_new(dated, "lastModified", json_string(text)) < 0)
        return NULL;
    return TAKE(dated);
}

static enum status add_iclient(void *context, const char *path, const char *name, const json_t *document,
                               struct fault_list *faults)
{
    (void)name;
    AUTO_JSON dated = with_file_time(document, path);
    return dated ? catalog_add_iclient(context, dated, path, faults) : ERR_NO_MEMORY;
}

static enum status add_connection(void *context, const char *path, const char *name, const json_t *document,
                                  struct fault_list *faults)
{
    (void)name;
    return catalog_add_connection(context, document, path, faults);
}

/* All is read, however much of it is wrong, so that one run shows every fault. */
enum status file_load_catalog(const struct catalog_directories *directories, struct catalog *catalog,
                              struct fault_list *faults)
{
    const struct catalog_source *beside = directories->beside;
    const struct {
        const char *path;
        bool optional;
        file_load_each *add;
        enum status (*add_beside)(void *context, struct catalog *catalog, struct fault_list *faults);
    } steps[] = {
        {directories->presets, false, add_preset, NULL},
        {directories->iclients, true, add_iclient, beside ? beside->add_iclients : NULL},
        {directories->connections, true, add_connection, beside ? beside->add_connections : NULL},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        enum status status = OK;
        if (steps[i].path)
            status = file_load_directory(steps[i].path, steps[i].optional, steps[i].add, catalog, faults);
        if ((status == OK || status == ERR_INVALID) && steps[i].add_beside)
            status = steps[i].add_beside(beside->context, catalog, faults);
        if (status != OK && status != ERR_INVALID)
            return status;
    }
    enum status status = catalog_finish(catalog, faults);
    if (status == OK)
        status = redirect_share_check(catalog, faults);
    if (status != OK)
        return status;
    return fault_list_has_errors(faults) ? ERR_INVALID : OK;
}
