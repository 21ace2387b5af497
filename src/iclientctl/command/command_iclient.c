#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "iclientctl/command/command.h"
#include "iclientctl/daemon/document_action.h"
#include "iclientctl/terminal/terminal_text.h"

enum { ID_LENGTH = 24, ID_SIZE = ID_LENGTH + 1 };
static const char list_command[] = "run: iclientctl iclient list";

static struct api_call call_of(const char *method, const char *id)
{
    return (struct api_call){
        .socket = SOCKET_ADMIN,
        .method = method,
        .collection = "iClients",
        .name = id,
        .timeout_seconds = API_TIMEOUT_LOCAL,
    };
}

static enum exit_code fetch_all(const struct arguments *arguments, json_t **ret_array)
{
    struct api_call call = call_of("GET", NULL);
    return api_call_json(arguments, &call, ret_array);
}

/* ---- an _id, or a name that stands for one iClient ---- */

static bool is_id(const char *text)
{
    return strlen(text) == ID_LENGTH && strspn(text, "0123456789abcdefABCDEF") == ID_LENGTH;
}

static bool has_name(const json_t *iclient, const char *name)
{
    const char *own = json_read_string(iclient, "name");
    return own && strcasecmp(own, name) == 0;
}

static void say_versions(const json_t *array, const char *name)
{
    terminal_say("%s: there are several versions; say the _id of one:", name);
    size_t index;
    const json_t *iclient;
    json_array_foreach (array, index, iclient) {
        const char *version = json_read_string(iclient, "version");
        if (has_name(iclient, name))
            terminal_say("%s  %s version %s", json_read_string(iclient, "_id"), name, version ? version : "1");
    }
}

static enum exit_code find_id(const struct arguments *arguments, const char *word, char ret_id[ID_SIZE])
{
    if (is_id(word)) {
        memcpy(ret_id, word, ID_SIZE);
        return EXIT_DONE;
    }
    AUTO_JSON array = NULL;
    enum exit_code code = fetch_all(arguments, &array);
    if (code != EXIT_DONE)
        return code;
    size_t index;
    size_t count = 0;
    const json_t *iclient;
    json_array_foreach (array, index, iclient) {
        const char *id = json_read_string(iclient, "_id");
        if (!id || !has_name(iclient, word))
            continue;
        snprintf(ret_id, ID_SIZE, "%s", id);
        count++;
    }
    if (count == 1)
        return EXIT_DONE;
    if (count > 1) {
        say_versions(array, word);
    } else {
        terminal_say("%s: no iClient has this name", word);
        api_advice_say(arguments, list_command, word);
    }
    return EXIT_FAILED;
}

/* ---- actions ---- */

static enum exit_code list(const struct arguments *arguments, char **operands)
{
    (void)operands;
    AUTO_JSON array = NULL;
    enum exit_code code = fetch_all(arguments, &array);
    if (code != EXIT_DONE)
        return code;
    if (arguments->options[OPTION_JSON])
        return terminal_write_json(array) ? EXIT_DONE : EXIT_FAILED;
    if (json_array_size(array) == 0) {
        terminal_say("no iClients");
        return EXIT_DONE;
    }
    static const char *const titles[] = {"NAME", "VERSION", "PROVIDER", "ID", "MODIFIED"};
    AUTO(terminal_table) table = terminal_table_create(titles, sizeof titles / sizeof titles[0]);
    size_t index;
    const json_t *iclient;
    json_array_foreach (array, index, iclient) {
        const char *version = json_read_string(iclient, "version");
        const struct terminal_cell cells[] = {
            {json_read_string(iclient, "name"), TONE_PLAIN},         {version ? version : "1", TONE_PLAIN},
            {json_read_string(iclient, "provider"), TONE_PLAIN},     {json_read_string(iclient, "_id"), TONE_PLAIN},
            {json_read_string(iclient, "lastModified"), TONE_PLAIN},
        };
        if (table)
            terminal_table_add(table, cells);
    }
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    if (!table || !terminal_table_append(table, terminal_has_colours(STDOUT_FILENO), &text)) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    return terminal_write_buffer(&text) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code show(const struct arguments *arguments, char **operands)
{
    char id[ID_SIZE];
    AUTO_JSON document = NULL;
    enum exit_code code = find_id(arguments, operands[0], id);
    if (code != EXIT_DONE)
        return code;
    struct api_call call = call_of("GET", id);
    code = document_action_send(arguments, &call, NULL, operands[0], list_command, &document);
    return code == EXIT_DONE ? document_action_print(arguments, document) : code;
}

static enum exit_code create(const struct arguments *arguments, char **operands)
{
    AUTO_JSON document = NULL;
    AUTO_JSON reply = NULL;
    if (!document_action_read(operands[0], &document))
        return EXIT_FAILED;
    struct api_call call = call_of("POST", NULL);
    enum exit_code code = document_action_send(arguments, &call, document, operands[0], list_command, &reply);
    return code == EXIT_DONE ? document_action_print_written(arguments, reply, "_id", "iClient", "created") : code;
}

static enum exit_code update(const struct arguments *arguments, char **operands)
{
    char id[ID_SIZE];
    AUTO_JSON document = NULL;
    AUTO_JSON reply = NULL;
    if (!document_action_read(operands[1], &document))
        return EXIT_FAILED;
    enum exit_code code = find_id(arguments, operands[0], id);
    if (code != EXIT_DONE)
        return code;
    struct api_call call = call_of("PUT", id);
    code = document_action_send(arguments, &call, document, operands[0], list_command, &reply);
    return code == EXIT_DONE ? document_action_print_written(arguments, reply, "_id", "iClient", "updated") : code;
}

static enum exit_code remove_iclient(const struct arguments *arguments, char **operands)
{
    char id[ID_SIZE];
    AUTO_JSON reply = NULL;
    enum exit_code code = find_id(arguments, operands[0], id);
    if (code != EXIT_DONE)
        return code;
    struct api_call call = call_of("DELETE", id);
    code = document_action_send(arguments, &call, NULL, operands[0], list_command, &reply);
    if (code == EXIT_DONE)
        terminal_say("%s: deleted", operands[0]);
    return code;
}

static const struct document_action actions[] = {
    {"create", "FILE|-", 1, create}, {"delete", "NAME|ID", 1, remove_iclient}, {"list", "", 0, list},
    {"show", "NAME|ID", 1, show},    {"update", "NAME|ID FILE|-", 2, update},
};

enum exit_code command_iclient(const struct arguments *arguments)
{
    return document_action_run(arguments, actions, sizeof actions / sizeof actions[0]);
}
