#ifndef ICLIENTCTL_DAEMON_DOCUMENT_ACTION_H
#define ICLIENTCTL_DAEMON_DOCUMENT_ACTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "iclientctl/daemon/api_call.h"

/* The second word of `iclient` and `connection`: one row each, sorted by name. */
struct document_action {
    const char *name;
    const char *operands; /* as the usage shows them */
    size_t operand_count; /* after the name */
    enum exit_code (*run)(const struct arguments *arguments, char **operands);
};
enum exit_code document_action_run(const struct arguments *arguments, const struct document_action *actions,
                                   size_t count);

/* A file, or the standard input for "-"; said when it cannot be read. */
bool document_action_read(const char *path, json_t **ret_document);
/*
 * Sends a document (NULL: none) and reads the reply (NULL for one without a body). Every fault that the daemon finds is
 * said. name: for the words; list_command: where to look for names.
 */
enum exit_code document_action_send(const struct arguments *arguments, const struct api_call *call,
                                    const json_t *document, const char *name, const char *list_command,
                                    json_t **ret_reply);
/* On stdout, for a person to edit; on one line under --json. */
enum exit_code document_action_print(const struct arguments *arguments, const json_t *document);
/*
 * What a write brought: in words on stderr, and on stdout the member that a script goes on with, or the whole reply
 * under --json. kind: the word where the reply has no name; done: "created", "updated".
 */
enum exit_code document_action_print_written(const struct arguments *arguments, const json_t *reply, const char *member,
                                             const char *kind, const char *done);

#endif
