#include "io/file_load.h"

static enum status add_preset(void *context, const char *path, const char *name, const json_t *document,
                              struct fault_list *faults)
{
    return catalog_add_preset(context, name, document, path, faults);
}

static enum status add_iclient(void *context, const char *path, const char *name, const json_t *document,
                               struct fault_list *faults)
{
    (void)name;
    return catalog_add_iclient(context, document, path, faults);
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
    const struct {
        const char *path;
        bool optional;
        file_load_each *add;
    } steps[] = {
        {directories->presets, false, add_preset},
        {directories->iclients, true, add_iclient},
        {directories->connections, true, add_connection},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        enum status status = OK;
        if (steps[i].path)
            status = file_load_directory(steps[i].path, steps[i].optional, steps[i].add, catalog, faults);
        if (status != OK && status != ERR_INVALID)
            return status;
    }
    enum status status = catalog_finish(catalog, faults);
    if (status != OK)
        return status;
    return fault_list_has_errors(faults) ? ERR_INVALID : OK;
}
