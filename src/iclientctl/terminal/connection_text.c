#include "iclientctl/terminal/connection_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/terminal/terminal_text.h"

enum { CELL_MAX = 4096 };

static const struct {
    const char *state;
    enum terminal_tone tone;
} state_tones[] = {
    {"ready", TONE_GOOD},
    {"authorization_required", TONE_BAD},
    {"client_rejected", TONE_BAD},
    {"provider_error", TONE_BAD},
    {"unsupported", TONE_BAD},
    {"provider_unavailable", TONE_CAUTION},
    {"store_unavailable", TONE_BAD},
    {"inactive", TONE_CAUTION},
};

static enum terminal_tone state_tone(const char *state)
{
    for (size_t i = 0; state && i < sizeof state_tones / sizeof state_tones[0]; i++) {
        if (strcmp(state, state_tones[i].state) == 0)
            return state_tones[i].tone;
    }
    return TONE_PLAIN;
}

static void format_span(int64_t seconds, char *text, size_t size)
{
    static const struct {
        int64_t from, unit;
        const char *name;
    } units[] = {{2 * 86400, 86400, "days"}, {2 * 3600, 3600, "h"}, {2 * 60, 60, "min"}, {0, 1, "s"}};
    size_t i = 0;
    while (seconds < units[i].from)
        i++;
    snprintf(text, size, "%" PRId64 " %s", seconds / units[i].unit, units[i].name);
}

void moment_format(const json_t *time, int64_t now, char text[MOMENT_SIZE])
{
    int64_t wall;
    if (!json_read_integer(time, &wall)) {
        snprintf(text, MOMENT_SIZE, "-");
        return;
    }
    char date[CLOCK_TEXT_SIZE];
    clock_format(wall, date);
    char span[32];
    format_span(wall >= now ? wall - now : now - wall, span, sizeof span);
    /* Without the milliseconds, which a wall clock second has none of. */
    int length = (int)strcspn(date, ".");
    bool ahead = wall > now;
    snprintf(text, MOMENT_SIZE, "%.*sZ (%s%s%s)", length, date, ahead ? "in " : "", span, ahead ? "" : " ago");
}

/* "in 59 min", "3 h ago": what fits a column of a table. */
static void moment_format_short(const json_t *time, int64_t now, char text[MOMENT_SIZE])
{
    int64_t wall;
    if (!json_read_integer(time, &wall)) {
        snprintf(text, MOMENT_SIZE, "-");
        return;
    }
    char span[32];
    format_span(wall >= now ? wall - now : now - wall, span, sizeof span);
    snprintf(text, MOMENT_SIZE, wall > now ? "in %s" : "%s ago", span);
}

typedef void moment_formatter(const json_t *time, int64_t now, char text[MOMENT_SIZE]);

/* No expiry means never where there is a token at all; the token socket tells no generation. */
static void format_expiry(const json_t *connection, int64_t now, moment_formatter *format, char text[MOMENT_SIZE])
{
    const json_t *expires_at = json_object_get(connection, "expires_at");
    const json_t *generation = json_object_get(connection, "generation");
    const char *state = json_read_string(connection, "state");
    bool has_token = generation ? json_integer_value(generation) > 0 : state && strcmp(state, "ready") == 0;
    if (has_token && json_is_null(expires_at))
        snprintf(text, MOMENT_SIZE, "never");
    else
        format(expires_at, now, text);
}

enum exit_code connections_fetch(const struct arguments *arguments, json_t **ret_array)
{
    struct api_call call = {
        .socket = SOCKET_ADMIN, .method = "GET", .collection = "connections", .timeout_seconds = API_TIMEOUT_LOCAL};
    struct api_failure failure;
    AUTO_JSON array = NULL;
    enum exit_code code = api_call_try_json(arguments, &call, &array, &failure);
    bool closed = code == EXIT_NOT_REACHABLE || code == EXIT_NOT_ALLOWED;
    /* Who names a socket wants that one, not a daemon that happens to listen elsewhere. */
    if (closed && !arguments->options[OPTION_ADMIN_SOCKET]) {
        call.socket = SOCKET_TOKEN;
        code = api_call_try_json(arguments, &call, &array, &failure);
    }
    if (code != EXIT_DONE)
        return api_failure_say(arguments, &failure, NULL);
    if (!json_is_array(array)) {
        terminal_say("the daemon's answer is no list of connections");
        return EXIT_FAILED;
    }
    *ret_array = TAKE(array);
    return EXIT_DONE;
}

bool connections_append(const json_t *array, bool colours, struct text_buffer *buffer)
{
    static const char *const titles[] = {"NAME", "STATE", "ICLIENT", "EXPIRES", "LAST ERROR"};
    AUTO(terminal_table) table = terminal_table_create(titles, sizeof titles / sizeof titles[0]);
    if (!table)
        return false;
    int64_t now = clock_wall();
    size_t index;
    const json_t *connection;
    json_array_foreach (array, index, connection) {
        char expires[MOMENT_SIZE];
        format_expiry(connection, now, moment_format_short, expires);
        const char *state = json_read_string(connection, "state");
        const struct terminal_cell cells[] = {
            {json_read_string(connection, "name"), TONE_PLAIN},
            {state, state_tone(state)},
            {json_read_string(connection, "iclient"), TONE_PLAIN},
            {expires, TONE_PLAIN},
            {json_read_string(json_object_get(connection, "last_error"), "message"), TONE_PLAIN},
        };
        terminal_table_add(table, cells);
    }
    return terminal_table_append(table, colours, buffer);
}

static void add_line(struct terminal_table *table, const char *name, const char *value, enum terminal_tone tone)
{
    terminal_table_add(table, (const struct terminal_cell[]){{name, TONE_TITLE}, {value, tone}});
}

static void add_text(struct terminal_table *table, const char *name, const json_t *value)
{
    if (!value || json_is_null(value))
        return;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, CELL_MAX);
    json_read_as_text(value, &text);
    if (text.length > 0)
        add_line(table, name, text_buffer_text(&text), TONE_PLAIN);
}

static void add_moment(struct terminal_table *table, const char *name, const json_t *value, int64_t now)
{
    if (!value || json_is_null(value))
        return;
    char text[MOMENT_SIZE];
    moment_format(value, now, text);
    add_line(table, name, text, TONE_PLAIN);
}

bool connection_append(const json_t *connection, bool colours, struct text_buffer *buffer)
{
    AUTO(terminal_table) table = terminal_table_create(NULL, 2);
    if (!table)
        return false;
    int64_t now = clock_wall();
    const char *state = json_read_string(connection, "state");
    const json_t *trouble = json_object_get(connection, "last_error");
    add_text(table, "name", json_object_get(connection, "name"));
    add_line(table, "state", state, state_tone(state));
    add_text(table, "iClient", json_object_get(connection, "iclient"));
    add_text(table, "tenant", json_object_get(connection, "tenant"));
    add_text(table, "grant", json_object_get(connection, "grant"));
    add_text(table, "scope", json_object_get(connection, "scope"));
    add_text(table, "generation", json_object_get(connection, "generation"));
    char expires[MOMENT_SIZE];
    format_expiry(connection, now, moment_format, expires);
    add_line(table, "expires", expires, TONE_PLAIN);
    add_moment(table, "refresh", json_object_get(connection, "refresh_after"), now);
    add_text(table, "last error", json_object_get(trouble, "message"));
    add_text(table, "error code", json_object_get(trouble, "code"));
    add_moment(table, "error at", json_object_get(trouble, "at"), now);
    add_moment(table, "next try", json_object_get(trouble, "retry_at"), now);
    if (json_is_true(json_object_get(connection, "unsaved")))
        add_line(table, "unsaved",
                 "what happened is in memory only: the store cannot be written; do not stop the daemon", TONE_BAD);
    return terminal_table_append(table, colours, buffer);
}

enum exit_code connection_print(const struct arguments *arguments, const json_t *connection)
{
    if (arguments->options[OPTION_JSON])
        return terminal_write_json(connection) ? EXIT_DONE : EXIT_FAILED;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, TERMINAL_TEXT_MAX);
    if (!connection_append(connection, terminal_has_colours(STDOUT_FILENO), &text)) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    if (!terminal_write_buffer(&text))
        return EXIT_FAILED;
    const char *state = json_read_string(connection, "state");
    if (state && exit_code_from_api(state) == EXIT_AUTHORIZATION_REQUIRED)
        api_advice_say(arguments, "run: iclientctl login NAME", arguments->operands[0]);
    return EXIT_DONE;
}
