#include <unistd.h>

#include "iclientctl/command/command.h"
#include "iclientctl/terminal/connection_text.h"
#include "iclientctl/terminal/terminal_text.h"

enum exit_code command_list(const struct arguments *arguments)
{
    AUTO_JSON connections = NULL;
    enum exit_code code = connections_fetch(arguments, &connections);
    if (code != EXIT_DONE)
        return code;
    if (arguments->options[OPTION_JSON])
        return terminal_write_json(connections) ? EXIT_DONE : EXIT_FAILED;
    if (json_array_size(connections) == 0) {
        terminal_say("no connections");
        return EXIT_DONE;
    }
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    if (!connections_append(connections, terminal_has_colours(STDOUT_FILENO), &text)) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    return terminal_write_buffer(&text) ? EXIT_DONE : EXIT_FAILED;
}
