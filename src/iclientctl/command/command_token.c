#include <string.h>

#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/terminal_text.h"
#include "iclientctl/daemon/token_reply.h"

enum { LINE_MAX_BYTES = 1024 * 1024 };

static enum exit_code print_line(const struct text_buffer *line)
{
    return terminal_write_buffer(line) ? EXIT_DONE : EXIT_FAILED;
}

/* "Authorization: Bearer …"; the iClient may want the token in the URL or the body instead. */
static enum exit_code print_header(const char *name, const json_t *document)
{
    const json_t *request = json_object_get(document, "request");
    const char *location = json_read_string(request, "location");
    const char *header = json_read_string(request, "name");
    const char *value = json_read_string(request, "value");
    if (!location || strcmp(location, "header") != 0) {
        terminal_say("%s: this API takes its token in the %s, not in a header", name, location ? location : "request");
        return EXIT_FAILED;
    }
    if (!header || !value || !terminal_text_is_plain(header) || !terminal_text_is_plain(value)) {
        terminal_say("%s: the daemon's answer has no usable header", name);
        return EXIT_FAILED;
    }
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, LINE_MAX_BYTES);
    text_buffer_append_text(&line, header);
    text_buffer_append_text(&line, ": ");
    text_buffer_append_text(&line, value);
    text_buffer_append_text(&line, "\n");
    return print_line(&line);
}

static enum exit_code print_token(const json_t *document)
{
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, LINE_MAX_BYTES);
    text_buffer_append_text(&line, token_reply_access_token(document));
    text_buffer_append_text(&line, "\n");
    return print_line(&line);
}

enum exit_code command_token(const struct arguments *arguments)
{
    if (arguments->options[OPTION_HEADER] && arguments->options[OPTION_JSON]) {
        terminal_say("--header and --json exclude each other");
        return EXIT_USAGE;
    }
    AUTO_JSON document = NULL;
    enum exit_code code = token_reply_fetch(arguments, &document);
    if (code != EXIT_DONE)
        return code;
    if (arguments->options[OPTION_JSON])
        return terminal_write_json(document) ? EXIT_DONE : EXIT_FAILED;
    if (arguments->options[OPTION_HEADER])
        return print_header(arguments->operands[0], document);
    return print_token(document);
}
