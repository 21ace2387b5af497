#include <unistd.h>

#include "base/fault_list.h"
#include "iclientctl/check/check_catalog.h"
#include "iclientctl/check/check_settings.h"
#include "iclientctl/command/command.h"
#include "iclientctl/command/command_check_explain.h"
#include "iclientctl/terminal/document_list.h"
#include "iclientctl/terminal/terminal_text.h"
#include "io/files/file_load.h"
#include "model/catalog/catalog.h"
#include "model/iclient/iclient_schema.h"

static enum status check_given(const struct arguments *arguments, const struct check_settings *settings,
                               struct catalog *catalog, struct fault_list *faults)
{
    AUTO(document_list) documents = document_list_create();
    if (!documents)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < arguments->operand_count; i++) {
        if (document_list_add(documents, arguments->operands[i], faults) != OK)
            return ERR_NO_MEMORY;
    }
    return check_catalog_fill(catalog, settings, documents, faults);
}

static enum status check_configured(const struct check_settings *settings, struct catalog *catalog,
                                    struct fault_list *faults)
{
    const struct catalog_directories directories = {
        .presets = settings->presets,
        .iclients = settings->iclients,
        .connections = settings->connections,
    };
    enum status status = file_load_catalog(&directories, catalog, faults);
    return status == ERR_NO_MEMORY ? ERR_NO_MEMORY : OK;
}

static bool print_as_json(const struct fault_list *faults)
{
    AUTO_JSON array = json_array();
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        /* Paths need not be UTF-8; jansson then makes no string, and the member is null. */
        json_t *row =
            json_pack("{s:o?,s:s,s:s,s:s?,s:s}", "file", json_string(fault->file), "pointer", fault->pointer, "message",
                      fault->message, "hint", fault->hint, "severity", fault->warning ? "warning" : "error");
        if (json_array_append_new(array, row) != 0) {
            terminal_say("out of memory");
            return false;
        }
    }
    return terminal_write_json(array);
}

static bool print_as_text(const struct fault_list *faults)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    bool colours = terminal_has_colours(STDOUT_FILENO);
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        const struct fault *fault = fault_list_at(faults, i);
        AUTO_TEXT line = fault_format(fault);
        terminal_text_append_tone(
            &text, fault->warning ? "warning: " : "error: ", fault->warning ? TONE_CAUTION : TONE_BAD, colours);
        terminal_text_append(&text, line ? line : fault->message);
        text_buffer_append_text(&text, "\n");
    }
    return terminal_write_buffer(&text);
}

static void say_summary(const struct catalog *catalog, const struct fault_list *faults)
{
    size_t errors = 0;
    size_t count = fault_list_count(faults);
    for (size_t i = 0; i < count; i++)
        errors += !fault_list_at(faults, i)->warning;
    terminal_say("good iClients: %zu, good connections: %zu, errors: %zu, warnings: %zu",
                 catalog_iclient_count(catalog), catalog_connection_count(catalog), errors, count - errors);
}

static enum exit_code check(const struct arguments *arguments, const struct check_settings *settings)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(catalog) catalog = check_catalog_create(settings, NULL);
    enum status status = ERR_NO_MEMORY;
    if (faults && catalog)
        status = arguments->operand_count > 0 ? check_given(arguments, settings, catalog, faults)
                                              : check_configured(settings, catalog, faults);
    if (status != OK) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    bool printed = arguments->options[OPTION_JSON] ? print_as_json(faults) : print_as_text(faults);
    say_summary(catalog, faults);
    return printed && !fault_list_has_errors(faults) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code print_schema(const struct arguments *arguments)
{
    if (arguments->operand_count > 0) {
        terminal_say("check --schema takes no document");
        return EXIT_USAGE;
    }
    AUTO_JSON schema = iclient_schema_create();
    if (!schema) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    return terminal_write_document(schema) ? EXIT_DONE : EXIT_FAILED;
}

enum exit_code command_check(const struct arguments *arguments)
{
    if (arguments->options[OPTION_SCHEMA])
        return print_schema(arguments);
    AUTO_FINISH(check_settings) settings;
    struct error error;
    if (check_settings_init(&settings, arguments, &error) != OK) {
        terminal_say("%s", error.message);
        return EXIT_FAILED;
    }
    return arguments->options[OPTION_EXPLAIN] ? check_explain(arguments, &settings) : check(arguments, &settings);
}
