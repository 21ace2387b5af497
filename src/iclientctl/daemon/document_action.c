#include "iclientctl/daemon/document_action.h"

#include <stdio.h>
#include <string.h>

#include "base/fault_list.h"
#include "base/json/json_read.h"
#include "iclientctl/terminal/terminal_text.h"
#include "io/files/file_load.h"

enum { ACTIONS_MAX = 8, BODY_MAX = 1024 * 1024, READ_SIZE = 16 * 1024 };

/* ---- which ---- */

static enum exit_code say_usage(const struct arguments *arguments, const struct document_action *actions, size_t count)
{
    const char *names[ACTIONS_MAX] = {NULL};
    const char *word = arguments->operands[0];
    for (size_t i = 0; i < count; i++)
        names[i] = actions[i].name;
    const char *nearest = word ? nearest_name(word, names, count) : NULL;
    if (nearest)
        terminal_say("unknown action %s; did you mean %s?", word, nearest);
    for (size_t i = 0; i < count; i++)
        terminal_say("usage: iclientctl %s %s%s%s", arguments->command, actions[i].name,
                     *actions[i].operands ? " " : "", actions[i].operands);
    return EXIT_USAGE;
}

enum exit_code document_action_run(const struct arguments *arguments, const struct document_action *actions,
                                   size_t count)
{
    const char *word = arguments->operands[0];
    for (size_t i = 0; word && i < count; i++) {
        if (strcmp(actions[i].name, word) != 0)
            continue;
        if (arguments->operand_count == actions[i].operand_count + 1)
            return actions[i].run(arguments, arguments->operands + 1);
        return say_usage(arguments, &actions[i], 1);
    }
    return say_usage(arguments, actions, count);
}

/* ---- documents ---- */

static bool read_input(struct text_buffer *text, struct error *ret_error)
{
    char part[READ_SIZE];
    for (size_t length; (length = fread(part, 1, sizeof part, stdin)) > 0;)
        text_buffer_append(text, part, length);
    secret_wipe(part, sizeof part);
    if (ferror(stdin))
        error_set(ret_error, ERR_IO, "the standard input cannot be read");
    else if (text->failed)
        error_set(ret_error, ERR_TOO_LARGE, "the standard input is larger than %d bytes", FILE_LOAD_DOCUMENT_MAX);
    return !ferror(stdin) && !text->failed;
}

bool document_action_read(const char *path, json_t **ret_document)
{
    struct error error;
    bool is_read;
    if (strcmp(path, "-") != 0) {
        is_read = file_load_json(path, ret_document, &error) == OK;
    } else {
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, FILE_LOAD_DOCUMENT_MAX);
        is_read = read_input(&text, &error);
        if (is_read && json_read_text(text_buffer_text(&text), text.length, ret_document, &error) != OK) {
            error_prefix(&error, "the standard input");
            is_read = false;
        }
    }
    if (!is_read)
        terminal_say("%s", error.message);
    return is_read;
}

enum exit_code document_action_print(const struct arguments *arguments, const json_t *document)
{
    bool is_written =
        arguments->options[OPTION_JSON] ? terminal_write_json(document) : terminal_write_document(document);
    return is_written ? EXIT_DONE : EXIT_FAILED;
}

enum exit_code document_action_print_written(const struct arguments *arguments, const json_t *reply, const char *member,
                                             const char *kind, const char *done)
{
    const char *handle = json_read_string(reply, member);
    const char *name = json_read_string(reply, "name");
    terminal_say("%s: %s", name ? name : kind, done);
    if (arguments->options[OPTION_JSON])
        return terminal_write_json(reply) ? EXIT_DONE : EXIT_FAILED;
    bool is_written = handle && terminal_write(handle, strlen(handle)) && terminal_write("\n", 1);
    return is_written ? EXIT_DONE : EXIT_FAILED;
}

/* ---- calls ---- */

/* The first error is the failure's own; a document may have more faults. */
static void say_other_errors(const struct api_reply *reply, const char *name)
{
    AUTO_JSON document = NULL;
    json_read_text(text_buffer_text(&reply->body), reply->body.length, &document, NULL);
    const json_t *errors = json_object_get(document, "errors");
    for (size_t i = 1; i < json_array_size(errors); i++) {
        const json_t *error = json_array_get(errors, i);
        const char *field = json_read_string(error, "field");
        const char *message = json_read_string(error, "message");
        terminal_say("%s: %s%s%s", name, field ? field : "", field ? ": " : "", message ? message : "");
    }
}

enum exit_code document_action_send(const struct arguments *arguments, const struct api_call *call,
                                    const json_t *document, const char *name, const char *list_command,
                                    json_t **ret_reply)
{
    AUTO_FINISH(text_buffer) body;
    AUTO_FINISH(api_reply) reply;
    text_buffer_init(&body, BODY_MAX);
    api_reply_init(&reply);
    *ret_reply = NULL;
    if (document && !text_buffer_append_json(&body, document)) {
        terminal_say("%s: the document is too large", name);
        return EXIT_FAILED;
    }
    struct api_call sent = *call;
    sent.body = document ? text_buffer_text(&body) : NULL;
    struct api_failure failure;
    enum exit_code code = api_call_try(arguments, &sent, &reply, &failure);
    if (code != EXIT_DONE) {
        if (strcmp(failure.code, "not_found") == 0)
            failure.advice = list_command;
        api_failure_say(arguments, &failure, name);
        say_other_errors(&reply, name);
        return code;
    }
    struct error error;
    if (reply.body.length == 0 ||
        json_read_text(text_buffer_text(&reply.body), reply.body.length, ret_reply, &error) == OK)
        return EXIT_DONE;
    terminal_say("%s: the daemon's answer is no JSON: %s", name, error.message);
    return EXIT_FAILED;
}
