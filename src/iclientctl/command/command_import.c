#include <stdlib.h>

#include "base/fault_list.h"
#include "iclientctl/check/check_catalog.h"
#include "iclientctl/command/command.h"
#include "iclientctl/file_write.h"
#include "iclientctl/terminal/terminal_text.h"
#include "io/files/file_load.h"
#include "model/catalog/component_import.h"

static const char *find_variable(const char *name)
{
    return getenv(name);
}

static void say_faults(const struct fault_list *faults)
{
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        AUTO_TEXT line = fault_format(fault);
        terminal_say("%s: %s", fault->warning ? "note" : "error", line ? line : fault->message);
    }
}

/* What is printed is good: the same check as `check` makes. It stands on no preset. */
static enum status check(const json_t *iclient, const char *file, const struct check_settings *settings,
                         struct fault_list *faults)
{
    AUTO(document_list) documents = document_list_create();
    AUTO(catalog) catalog = check_catalog_create(settings, NULL);
    if (!documents || !catalog)
        return ERR_NO_MEMORY;
    const struct check_settings without_presets = {.redirect_uri = settings->redirect_uri};
    enum status status = document_list_put(documents, file, iclient, faults);
    return status == OK ? check_catalog_fill(catalog, &without_presets, documents, faults) : status;
}

static enum exit_code write_document(const struct arguments *arguments, const json_t *iclient)
{
    const char *path = arguments->options[OPTION_OUTPUT];
    if (!path)
        return terminal_write_document(iclient) ? EXIT_DONE : EXIT_FAILED;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    struct error error;
    enum status status = OK;
    if (!terminal_text_append_document(&text, iclient))
        status = error_set(&error, ERR_NO_MEMORY, "out of memory");
    if (status == OK)
        status =
            file_write(path, text_buffer_text(&text), text.length, arguments->options[OPTION_FORCE] != NULL, &error);
    if (status != OK)
        terminal_say("%s", error.message);
    return status == OK ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code import(const struct arguments *arguments, const struct check_settings *settings,
                             struct fault_list *faults)
{
    const char *path = arguments->operands[0];
    struct error error;
    AUTO_JSON component = NULL;
    if (file_load_json(path, &component, &error) != OK) {
        terminal_say("%s", error.message);
        return EXIT_FAILED;
    }
    const struct component_import_options options = {
        .name = arguments->options[OPTION_NAME],
        .tenant = arguments->options[OPTION_TENANT],
        .find_variable = find_variable,
    };
    AUTO_JSON iclient = NULL;
    enum status status = component_import(component, path, &options, faults, &iclient);
    if (status == OK)
        status = check(iclient, "the iClient", settings, faults);
    say_faults(faults);
    if (status == ERR_NO_MEMORY)
        terminal_say("out of memory");
    return status == OK && !fault_list_has_errors(faults) ? write_document(arguments, iclient) : EXIT_FAILED;
}

enum exit_code command_import(const struct arguments *arguments)
{
    if (arguments->options[OPTION_FORCE] && !arguments->options[OPTION_OUTPUT]) {
        terminal_say("--force is for --output");
        return EXIT_USAGE;
    }
    AUTO_FINISH(check_settings) settings;
    struct error error;
    if (check_settings_init(&settings, arguments, &error) != OK) {
        terminal_say("%s", error.message);
        return EXIT_FAILED;
    }
    AUTO(fault_list) faults = fault_list_create();
    if (!faults) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    return import(arguments, &settings, faults);
}
