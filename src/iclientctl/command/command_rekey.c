#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/command/command.h"
#include "iclientctl/daemon/rekey_steps.h"
#include "iclientctl/terminal/terminal_text.h"

/* How often the daemon is asked, and every which answer is told when it has changed. */
enum { REKEY_POLL_MS = 250, REKEY_TELL_EVERY = 4, REKEY_TEXT_MAX = 16 * 1024 };

struct progress {
    json_int_t told_left;
    char trouble[ERROR_MESSAGE_MAX];
};

static struct api_call rekey_call(const char *method)
{
    return (struct api_call){
        .socket = SOCKET_ADMIN,
        .method = method,
        .collection = "rekey",
        .timeout_seconds = API_TIMEOUT_LOCAL,
    };
}

static enum exit_code fetch(const struct arguments *arguments, json_t **ret_state)
{
    const struct api_call call = rekey_call("GET");
    return api_call_json(arguments, &call, ret_state);
}

/* A key that the daemon cannot change is changed by hand: the daemon says where it stands. */
static enum exit_code begin(const struct arguments *arguments, json_t **ret_state)
{
    const struct api_call call = rekey_call("POST");
    struct api_failure failure;
    enum exit_code code = api_call_try_json(arguments, &call, ret_state, &failure);
    if (code == EXIT_DONE)
        return EXIT_DONE;
    api_failure_say(arguments, &failure, NULL);
    AUTO_JSON state = NULL;
    if (strcmp(failure.code, "read_only") == 0 && fetch(arguments, &state) == EXIT_DONE)
        rekey_steps_say_begin(state);
    return code;
}

static json_int_t values_left(const json_t *state)
{
    return json_integer_value(json_object_get(state, "values_left"));
}

static const char *trouble_of(const json_t *state)
{
    return json_read_string(json_object_get(state, "last_error"), "message");
}

/* ---- what a person reads ---- */

static const char *words_for(const char *state)
{
    static const struct {
        const char *state;
        const char *words;
    } rows[] = {
        {"settled", "every value is sealed with this key"},
        {"resealing", "values are being sealed anew; the old key still reads"},
        {"old_key_unused", "no value needs the old key any more; take it out"},
    };
    for (size_t i = 0; state && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].state, state) == 0)
            return rows[i].words;
    }
    return state;
}

static void add_row(struct terminal_table *table, const char *name, const char *value)
{
    terminal_table_add(table, (const struct terminal_cell[]){{name, TONE_TITLE}, {value, TONE_PLAIN}});
}

static bool append_state(const json_t *state, struct text_buffer *text)
{
    AUTO(terminal_table) table = terminal_table_create(NULL, 2);
    if (!table)
        return false;
    char left[32] = "not counted yet";
    if (json_is_integer(json_object_get(state, "values_left")))
        snprintf(left, sizeof left, "%lld", (long long)values_left(state));
    add_row(table, "state", words_for(json_read_string(state, "state")));
    add_row(table, "key", json_read_string(state, "key_id"));
    size_t index;
    const json_t *old;
    json_array_foreach (json_object_get(state, "old_key_ids"), index, old)
        add_row(table, "old key", json_string_value(old));
    add_row(table, "values left", left);
    add_row(table, "key file", json_read_string(state, "key_file"));
    if (trouble_of(state))
        add_row(table, "last error", trouble_of(state));
    return terminal_table_append(table, terminal_has_colours(STDOUT_FILENO), text);
}

static enum exit_code print(const struct arguments *arguments, const json_t *state)
{
    if (arguments->options[OPTION_JSON])
        return terminal_write_json(state) ? EXIT_DONE : EXIT_FAILED;
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, REKEY_TEXT_MAX);
    if (!append_state(state, &text)) {
        terminal_say("out of memory");
        return EXIT_FAILED;
    }
    return terminal_write_buffer(&text) ? EXIT_DONE : EXIT_FAILED;
}

static void tell_progress(struct progress *progress, const json_t *state)
{
    const char *trouble = trouble_of(state);
    if (trouble && strncmp(progress->trouble, trouble, sizeof progress->trouble - 1) != 0)
        terminal_say("it does not go on for now, and is tried again: %s", trouble);
    snprintf(progress->trouble, sizeof progress->trouble, "%s", trouble ? trouble : "");
    json_int_t left = values_left(state);
    if (left > 0 && left != progress->told_left)
        terminal_say("%lld values left", (long long)left);
    progress->told_left = left;
}

/* ---- waiting ---- */

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = REKEY_POLL_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* The old key is in use until the daemon says otherwise; it goes on whether anybody waits or not. */
static enum exit_code follow(const struct arguments *arguments, json_t **state)
{
    struct progress progress = {.told_left = -1};
    for (unsigned round = 0;; round++) {
        const char *word = json_read_string(*state, "state");
        if (!word || strcmp(word, "resealing") != 0)
            return EXIT_DONE;
        if (round % REKEY_TELL_EVERY == 0)
            tell_progress(&progress, *state);
        pause_a_little();
        json_decref(TAKE(*state));
        enum exit_code code = fetch(arguments, state);
        if (code != EXIT_DONE) {
            terminal_say("the daemon goes on by itself; run: iclientctl rekey --status");
            return code;
        }
    }
}

static enum exit_code finish(const struct arguments *arguments, const json_t *state)
{
    const char *word = json_read_string(state, "state");
    const char *key_id = json_read_string(state, "key_id");
    if (!word || !key_id) {
        terminal_say("the daemon's answer is no state of a key");
        return EXIT_FAILED;
    }
    if (strcmp(word, "old_key_unused") == 0)
        rekey_steps_say_end(state);
    else if (strcmp(word, "settled") == 0)
        terminal_say("every value is sealed with the key %s, and the old key is gone", key_id);
    else
        terminal_say("values are sealed anew with the key %s; run: iclientctl rekey --status", key_id);
    return arguments->options[OPTION_JSON] ? print(arguments, state) : EXIT_DONE;
}

enum exit_code command_rekey(const struct arguments *arguments)
{
    AUTO_JSON state = NULL;
    bool only_status = arguments->options[OPTION_STATUS] != NULL;
    enum exit_code code = only_status ? fetch(arguments, &state) : begin(arguments, &state);
    if (code != EXIT_DONE)
        return code;
    if (only_status)
        return print(arguments, state);
    if (!arguments->options[OPTION_NO_WAIT])
        code = follow(arguments, &state);
    return code == EXIT_DONE ? finish(arguments, state) : code;
}
