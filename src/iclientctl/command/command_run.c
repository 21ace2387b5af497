#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/terminal_text.h"
#include "iclientctl/daemon/token_reply.h"

#define VARIABLE "ACCESS_TOKEN="
enum { VARIABLE_MAX = 1024 * 1024 };

static struct secret *make_variable(const json_t *document)
{
    AUTO_FINISH(text_buffer) variable;
    text_buffer_init(&variable, VARIABLE_MAX);
    text_buffer_append_text(&variable, VARIABLE);
    text_buffer_append_text(&variable, token_reply_access_token(document));
    return text_buffer_take_secret(&variable);
}

/* Our environment with the variable in the place of any of its name. The texts are borrowed; the array is freed. */
static char **make_environment(const struct secret *variable)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **environment = calloc(count + 2, sizeof *environment);
    if (!environment)
        return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], VARIABLE, strlen(VARIABLE)) != 0)
            environment[kept++] = environ[i];
    }
    /* execve takes mutable texts and changes none. */
    environment[kept] = (char *)(uintptr_t)secret_reveal(variable);
    return environment;
}

enum exit_code command_run(const struct arguments *arguments)
{
    if (!arguments->has_dashes || arguments->before_dashes != 1) {
        terminal_say("usage: iclientctl run NAME -- COMMAND…");
        return EXIT_USAGE;
    }
    AUTO_JSON document = NULL;
    enum exit_code code = token_reply_fetch(arguments, &document);
    if (code != EXIT_DONE)
        return code;

    AUTO(secret) variable = make_variable(document);
    char **environment = variable ? make_environment(variable) : NULL;
    if (!environment) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    char **command = arguments->operands + 1;
    execvpe(command[0], command, environment);
    terminal_say("%s: %s", command[0], strerror(errno));
    free(environment);
    return EXIT_FAILED;
}
