#include <string.h>

#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/connection_text.h"
#include "iclientctl/terminal/terminal_text.h"

/* What the token socket tells whom the admin socket is closed to. */
static enum exit_code print_own(const struct arguments *arguments)
{
    const char *name = arguments->operands[0];
    AUTO_JSON connections = NULL;
    enum exit_code code = connections_fetch(arguments, &connections);
    if (code != EXIT_DONE)
        return code;
    size_t index;
    const json_t *connection;
    json_array_foreach (connections, index, connection) {
        const char *each = json_read_string(connection, "name");
        if (each && strcmp(each, name) == 0)
            return connection_print(arguments, connection);
    }
    terminal_say("%s: no such connection, or none that you may use", name);
    api_advice_say(arguments, "run: iclientctl list", name);
    return EXIT_FAILED;
}

enum exit_code command_status(const struct arguments *arguments)
{
    const struct api_call call = {
        .socket = SOCKET_ADMIN,
        .method = "GET",
        .collection = "connections",
        .name = arguments->operands[0],
        .timeout_seconds = API_TIMEOUT_LOCAL,
    };
    struct api_failure failure;
    AUTO_JSON connection = NULL;
    enum exit_code code = api_call_try_json(arguments, &call, &connection, &failure);
    if (code == EXIT_DONE)
        return connection_print(arguments, connection);
    bool closed = code == EXIT_NOT_REACHABLE || code == EXIT_NOT_ALLOWED;
    if (closed && !arguments->options[OPTION_ADMIN_SOCKET])
        return print_own(arguments);
    return api_failure_say(arguments, &failure, arguments->operands[0]);
}
