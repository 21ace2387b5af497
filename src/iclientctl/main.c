#include <stdio.h>
#include <string.h>

#include "base/fault_list.h"
#include "base/key_recorder.h"
#include "base/library_memory.h"
#include "base/standard_descriptors.h"
#include "base/text/text_buffer.h"
#include "iclientctl/daemon/api_client.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/terminal_text.h"

enum { OPERANDS_ANY = 1000000, USAGE_MAX = 16 * 1024 };

struct command {
    const char *name;
    const char *operands; /* as the usage shows them */
    const char *summary;
    uint32_t options; /* beside the global ones */
    size_t least;
    size_t most;
    command_run_function *run;
};

static const uint32_t global_options = OPTION_BIT(OPTION_ADMIN_SOCKET) | OPTION_BIT(OPTION_HELP) |
                                       OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_TENANT) |
                                       OPTION_BIT(OPTION_TOKEN_SOCKET) | OPTION_BIT(OPTION_VERSION);
static const uint32_t check_options =
    OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_EXPLAIN) | OPTION_BIT(OPTION_PRESET_DIR) | OPTION_BIT(OPTION_SCHEMA);
static const uint32_t import_options =
    OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_FORCE) | OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_OUTPUT);
static const uint32_t rekey_options = OPTION_BIT(OPTION_NO_WAIT) | OPTION_BIT(OPTION_STATUS);
static const uint32_t token_options = OPTION_BIT(OPTION_MIN_TTL) | OPTION_BIT(OPTION_WAIT);

/* Sorted by name. */
static const struct command commands[] = {
    {"check", "[FILE|DIR…]", "check iClients and connections; needs no daemon", check_options, 0, OPERANDS_ANY,
     command_check},
    {"connection", "ACTION …", "list, show, create, update or delete connections", 0, 0, 3, command_connection},
    {"iclient", "ACTION …", "list, show, create, update or delete iClients", 0, 0, 3, command_iclient},
    {"import", "FILE", "make an iClient from an integration component's definition", import_options, 1, 1,
     command_import},
    {"list", "", "list the connections and how they are", 0, 0, 0, command_list},
    {"login", "NAME", "authorize a connection in the browser", OPTION_BIT(OPTION_NO_BROWSER), 1, 1, command_login},
    {"refresh", "NAME", "get a new token now", 0, 1, 1, command_refresh},
    {"rekey", "", "seal the store with a new key", rekey_options, 0, 0, command_rekey},
    {"revoke", "NAME", "revoke a connection's tokens and forget them", 0, 1, 1, command_revoke},
    {"run", "NAME -- COMMAND…", "run a command with the token in ACCESS_TOKEN", token_options, 2, OPERANDS_ANY,
     command_run},
    {"status", "NAME", "show one connection", 0, 1, 1, command_status},
    {"token", "NAME", "print an access token", token_options | OPTION_BIT(OPTION_HEADER), 1, 1, command_token},
    {"watch", "NAME", "print each new token's arrival and each change of state", 0, 1, 1, command_watch},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void append_options(struct text_buffer *text, uint32_t options)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        if (!(options & OPTION_BIT(option)))
            continue;
        const struct option_row *row = option_row(option);
        char left[64];
        snprintf(left, sizeof left, "%s %s", row->text, row->value ? row->value : "");
        text_buffer_append_format(text, "  %-24s%s\n", left, row->help);
    }
}

static void append_usage(struct text_buffer *text)
{
    text_buffer_append_text(text, "Usage: iclientctl [OPTION…] COMMAND …\n\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].operands);
        /* printf pads by bytes, and the ellipsis has three of them for one column. */
        int width = 24 + (int)(strlen(left) - terminal_text_width(left));
        text_buffer_append_format(text, "  %-*s%s\n", width, left, commands[i].summary);
    }
    text_buffer_append_text(text, "\nOptions:\n");
    append_options(text, global_options);
    text_buffer_append_text(text, "\n`iclientctl COMMAND --help` shows the command's own options.\n"
                                  "Environment: ICLIENTD_TOKEN_SOCKET, ICLIENTD_ADMIN_SOCKET.\n"
                                  "Exit: 0 done, 1 failed, 2 usage, 3 authorization required, 4 not allowed,\n"
                                  "      5 provider unavailable, 6 daemon not reachable.\n");
}

static void append_command_usage(const struct command *command, struct text_buffer *text)
{
    text_buffer_append_format(text, "Usage: iclientctl %s%s%s%s\n\n%s\n\n", command->name,
                              command->options ? " [OPTION…]" : "", *command->operands ? " " : "", command->operands,
                              command->summary);
    append_options(text, command->options | global_options);
}

static enum exit_code print_usage(const struct command *command)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, USAGE_MAX);
    if (command)
        append_command_usage(command, &text);
    else
        append_usage(&text);
    return terminal_write_buffer(&text) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code say_unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_name(word, names, COMMAND_COUNT);
    if (nearest)
        terminal_say("unknown command %s; did you mean %s?", word, nearest);
    else
        terminal_say("unknown command %s; iclientctl --help lists them", word);
    return EXIT_USAGE;
}

static enum exit_code check_usage(const struct command *command, const struct arguments *arguments)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        bool allowed = (command->options | global_options) & OPTION_BIT(option);
        if (arguments->options[option] && !allowed) {
            terminal_say("%s takes no %s", command->name, option_row(option)->text);
            return EXIT_USAGE;
        }
    }
    if (arguments->operand_count < command->least || arguments->operand_count > command->most) {
        terminal_say("usage: iclientctl %s%s%s", command->name, *command->operands ? " " : "", command->operands);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static enum exit_code run(int argc, char **argv)
{
    struct arguments arguments;
    struct error error;
    if (arguments_parse(argc, argv, &arguments, &error) != OK) {
        terminal_say("%s", error.message);
        return EXIT_USAGE;
    }
    const struct command *command = arguments.command ? find_command(arguments.command) : NULL;
    if (arguments.command && !command)
        return say_unknown_command(arguments.command);
    if (arguments.options[OPTION_HELP])
        return print_usage(command);
    if (arguments.options[OPTION_VERSION])
        return terminal_write("iclientctl " ICLIENTD_VERSION "\n", strlen("iclientctl " ICLIENTD_VERSION "\n"))
                   ? EXIT_DONE
                   : EXIT_FAILED;
    if (!command) {
        terminal_say("no command given; iclientctl --help lists them");
        return EXIT_USAGE;
    }
    enum exit_code usage = check_usage(command, &arguments);
    return usage == EXIT_DONE ? command->run(&arguments) : usage;
}

int main(int argc, char **argv)
{
    standard_descriptors_reserve();
    key_recorder_disable();
    library_memory_wipe_freed();
    struct error error;
    if (api_client_start(&error) != OK) {
        terminal_say("%s", error.message);
        return EXIT_FAILED;
    }
    enum exit_code code = run(argc, argv);
    api_client_stop();
    return (int)code;
}
