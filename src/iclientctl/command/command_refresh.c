#include "iclientctl/daemon/api_call.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/connection_text.h"

enum exit_code command_refresh(const struct arguments *arguments)
{
    const struct api_call call = {
        .socket = SOCKET_ADMIN,
        .method = "POST",
        .collection = "connections",
        .name = arguments->operands[0],
        .action = "refresh",
        .timeout_seconds = API_TIMEOUT_PROVIDER,
    };
    AUTO_JSON connection = NULL;
    enum exit_code code = api_call_json(arguments, &call, &connection);
    return code == EXIT_DONE ? connection_print(arguments, connection) : code;
}
