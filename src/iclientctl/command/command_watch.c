#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/connection_text.h"
#include "iclientctl/terminal/terminal_text.h"

enum { EVENT_MAX = 8 * 1024 };

struct watch {
    const struct arguments *arguments;
    bool colours;
};

/* One line per event, without the token itself: that is for --json, which programs read. */
static bool print_event(const struct watch *watch, const json_t *event)
{
    int64_t now = clock_wall();
    char time[CLOCK_TEXT_SIZE];
    clock_format(now, time);
    const char *state = json_read_string(event, "state");
    bool has_token = json_read_string(event, "access_token") != NULL;

    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, EVENT_MAX);
    text_buffer_append_text(&line, time);
    text_buffer_append_text(&line, "  ");
    terminal_text_append_tone(&line,
                              has_token ? "token"
                              : state   ? state
                                        : "unknown",
                              has_token ? TONE_GOOD : TONE_CAUTION, watch->colours);
    const json_t *generation = json_object_get(event, "generation");
    if (json_is_integer(generation))
        text_buffer_append_format(&line, "  generation %lld", (long long)json_integer_value(generation));
    if (has_token) {
        char expires[MOMENT_SIZE];
        const json_t *expires_at = json_object_get(event, "expires_at");
        moment_format(expires_at, now, expires);
        text_buffer_append_format(&line, "  expires %s", json_is_null(expires_at) ? "never" : expires);
    }
    const char *words[] = {json_read_string(event, "stale_reason"),
                           json_read_string(json_object_get(event, "error"), "message")};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i] && *words[i]) {
            text_buffer_append_text(&line, "  ");
            terminal_text_append(&line, words[i]);
        }
    }
    text_buffer_append_text(&line, "\n");
    return terminal_write_buffer(&line);
}

static bool take_line(void *context, const char *line, size_t length)
{
    const struct watch *watch = context;
    if (length == 0)
        return true;
    AUTO_JSON event = NULL;
    struct error error;
    if (json_read_text(line, length, &event, &error) != OK) {
        terminal_say("the daemon sent a line that is no JSON: %s", error.message);
        return false;
    }
    return watch->arguments->options[OPTION_JSON] ? terminal_write_json(event) : print_event(watch, event);
}

/* An hour may pass until the next line, and a pipeline waits for all of its programs. */
static bool somebody_reads(void *context)
{
    (void)context;
    return terminal_is_read();
}

enum exit_code command_watch(const struct arguments *arguments)
{
    struct watch watch = {.arguments = arguments, .colours = terminal_has_colours(STDOUT_FILENO)};
    const struct api_call call = {
        .socket = SOCKET_TOKEN,
        .method = "GET",
        .collection = "token",
        .name = arguments->operands[0],
        .action = "watch",
        .each_line = take_line,
        .goes_on = somebody_reads,
        .context = &watch,
    };
    AUTO_FINISH(api_reply) reply;
    api_reply_init(&reply);
    struct api_failure failure;
    enum exit_code code = api_call_try(arguments, &call, &reply, &failure);
    if (code == EXIT_DONE) {
        terminal_say("%s: the daemon ended the stream", arguments->operands[0]);
        return EXIT_NOT_REACHABLE;
    }
    /* Who stopped it has said why. */
    return failure.error.status == ERR_CANCELLED ? EXIT_FAILED
                                                 : api_failure_say(arguments, &failure, arguments->operands[0]);
}
