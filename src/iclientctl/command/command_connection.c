#include <string.h>

#include "base/json/json_read.h"
#include "iclientctl/command/command.h"
#include "iclientctl/daemon/document_action.h"
#include "iclientctl/terminal/terminal_text.h"

static const char list_command[] = "run: iclientctl connection list";

static struct api_call call_of(const char *method, const char *name)
{
    return (struct api_call){
        .socket = SOCKET_ADMIN,
        .method = method,
        .collection = "connections",
        .name = name,
        .timeout_seconds = API_TIMEOUT_PROVIDER,
    };
}

static enum exit_code list(const struct arguments *arguments, char **operands)
{
    (void)operands;
    return command_list(arguments);
}

/* What `update` takes; `iclientctl status` tells how the connection is. */
static enum exit_code show(const struct arguments *arguments, char **operands)
{
    AUTO_JSON reply = NULL;
    struct api_call call = call_of("GET", operands[0]);
    enum exit_code code = document_action_send(arguments, &call, NULL, operands[0], list_command, &reply);
    return code == EXIT_DONE ? document_action_print(arguments, json_object_get(reply, "document")) : code;
}

static enum exit_code create(const struct arguments *arguments, char **operands)
{
    AUTO_JSON document = NULL;
    AUTO_JSON reply = NULL;
    if (!document_action_read(operands[0], &document))
        return EXIT_FAILED;
    struct api_call call = call_of("POST", NULL);
    enum exit_code code = document_action_send(arguments, &call, document, operands[0], list_command, &reply);
    return code == EXIT_DONE ? document_action_print_written(arguments, reply, "name", "connection", "created") : code;
}

static enum exit_code update(const struct arguments *arguments, char **operands)
{
    AUTO_JSON document = NULL;
    AUTO_JSON reply = NULL;
    if (!document_action_read(operands[1], &document))
        return EXIT_FAILED;
    struct api_call call = call_of("PUT", operands[0]);
    enum exit_code code = document_action_send(arguments, &call, document, operands[0], list_command, &reply);
    return code == EXIT_DONE ? document_action_print_written(arguments, reply, "name", "connection", "updated") : code;
}

static enum exit_code remove_connection(const struct arguments *arguments, char **operands)
{
    AUTO_JSON reply = NULL;
    struct api_call call = call_of("DELETE", operands[0]);
    enum exit_code code = document_action_send(arguments, &call, NULL, operands[0], list_command, &reply);
    if (code != EXIT_DONE)
        return code;
    const char *message = json_read_string(reply, "message");
    /* Nothing is said when the provider has nothing left of it. */
    terminal_say("%s: deleted; %s", operands[0],
                 message ? message : "it has no tokens any more, here or at the provider");
    if (reply && arguments->options[OPTION_JSON] && !terminal_write_json(reply))
        return EXIT_FAILED;
    return EXIT_DONE;
}

static const struct document_action actions[] = {
    {"create", "FILE|-", 1, create}, {"delete", "NAME", 1, remove_connection}, {"list", "", 0, list},
    {"show", "NAME", 1, show},       {"update", "NAME FILE|-", 2, update},
};

enum exit_code command_connection(const struct arguments *arguments)
{
    return document_action_run(arguments, actions, sizeof actions / sizeof actions[0]);
}
