#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "base/secret.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/login/browser.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/connection_text.h"
#include "iclientctl/login/login_input.h"
#include "iclientctl/login/login_page.h"
#include "iclientctl/terminal/terminal_text.h"

/* How often the daemon is asked, and how long beyond the login's own end. */
enum { LOGIN_POLL_MS = 500, LOGIN_GRACE_MS = 5000, LOGIN_SECONDS = 600 };

struct login {
    const struct arguments *arguments;
    const char *name;
    int64_t generation;      /* before the login; -1 when there was none */
    int64_t deadline;        /* clock_boot_ms() */
    struct login_page *page; /* what the browser opens, until it has; NULL: none */
};

static int64_t read_generation(const json_t *connection)
{
    int64_t generation;
    return json_read_integer(json_object_get(connection, "generation"), &generation) ? generation : -1;
}

static enum exit_code fetch_connection(const struct login *login, json_t **ret_connection)
{
    const struct api_call call = {
        .socket = SOCKET_ADMIN,
        .method = "GET",
        .collection = "connections",
        .name = login->name,
        .timeout_seconds = API_TIMEOUT_LOCAL,
    };
    return api_call_json(login->arguments, &call, ret_connection);
}

/*
 * The one-time address goes to stdout, where a script finds it, and the words around it to stderr. It leads to the
 * daemon's own endpoint, which another machine does not reach: there the provider's address does, and paste finishes.
 */
static enum exit_code show_address(const struct login *login, const json_t *reply, bool opened)
{
    if (login->arguments->options[OPTION_JSON])
        return terminal_write_json(reply) ? EXIT_DONE : EXIT_FAILED;
    if (opened)
        terminal_say("opening the browser; if nothing appears, open this address on this machine:");
    else
        terminal_say("open this address in a browser on this machine:");
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, TERMINAL_TEXT_MAX);
    text_buffer_append_text(&line, json_read_string(reply, "connect_url"));
    text_buffer_append_text(&line, "\n");
    if (!terminal_write_buffer(&line))
        return EXIT_FAILED;
    const char *redirect_uri = json_read_string(reply, "redirect_uri");
    if (redirect_uri)
        terminal_say("if the provider refuses the redirect URI, register this one there: %s", redirect_uri);
    const char *provider_address = json_read_string(reply, "authorization_url");
    if (!opened && provider_address && browser_takes(provider_address)) {
        terminal_say("or open this one on another machine: %s", provider_address);
        terminal_say("and paste here the address that the browser ends on, even if it shows no page:");
    }
    return EXIT_DONE;
}

/* Whatever keeps the browser from opening the page, the address in the terminal leads to the login as well. */
static bool open_page(struct login *login, const char *address)
{
    login->page = login_page_create(address);
    if (!login->page) {
        terminal_say("found no place for a page that leads the browser to the login");
        return false;
    }
    if (browser_open(login_page_url(login->page)))
        return true;
    login_page_destroy(TAKE(login->page));
    return false;
}

/* The page is of no use any more once the one-time address has been opened. */
static void remove_used_page(struct login *login, const json_t *connection)
{
    const char *state = json_read_string(json_object_get(connection, "login"), "state");
    if (state && strcmp(state, "pending") != 0)
        login_page_destroy(TAKE(login->page));
}

static enum exit_code begin(struct login *login, bool open_browser, struct login_input *input)
{
    const struct api_call call = {
        .socket = SOCKET_ADMIN,
        .method = "POST",
        .collection = "connections",
        .name = login->name,
        .action = "authorize",
        .timeout_seconds = API_TIMEOUT_LOCAL,
    };
    AUTO_JSON reply = NULL;
    enum exit_code code = api_call_json(login->arguments, &call, &reply);
    if (code != EXIT_DONE)
        return code;
    const char *address = json_read_string(reply, "connect_url");
    if (!address || !browser_takes(address)) {
        terminal_say("%s: the daemon's answer has no usable address", login->name);
        return EXIT_FAILED;
    }
    int64_t expires_in;
    if (!json_read_integer(json_object_get(reply, "expires_in"), &expires_in) || expires_in > LOGIN_SECONDS)
        expires_in = LOGIN_SECONDS;
    login->deadline = clock_boot_ms() + expires_in * 1000 + LOGIN_GRACE_MS;
    bool opened = open_browser && open_page(login, address);
    /* A display does not mean that there is a browser: without one the login may have to end by paste all the same. */
    if (!opened)
        login_input_begin_reading(input);
    return show_address(login, reply, opened);
}

/* Hands a pasted address over. A wrong one is said and may be tried again: the login itself tells when it is over. */
static void complete(const struct login *login, const char *pasted)
{
    AUTO_JSON document = json_pack("{s:s}", "redirect_url", pasted);
    char *body = document ? json_dumps(document, JSON_COMPACT) : NULL;
    if (!body) {
        terminal_say("%s: this is no address", login->name);
        return;
    }
    const struct api_call call = {
        .socket = SOCKET_ADMIN,
        .method = "POST",
        .collection = "connections",
        .name = login->name,
        .action = "complete",
        .body = body,
        .timeout_seconds = API_TIMEOUT_PROVIDER,
    };
    AUTO_JSON reply = NULL;
    (void)api_call_json(login->arguments, &call, &reply);
    /* It holds an authorization code. */
    secret_wipe(body, strlen(body));
    free(body);
}

/* How a login that the daemon tells about has ended; false while it goes on. */
static bool has_ended(const struct login *login, const json_t *connection, enum exit_code *ret_code)
{
    const json_t *state_of_login = json_object_get(connection, "login");
    const char *state = json_read_string(state_of_login, "state");
    const char *message = json_read_string(state_of_login, "message");
    bool failed = state && (strcmp(state, "failed") == 0 || strcmp(state, "expired") == 0);
    if (failed) {
        terminal_say("%s: the login %s%s%s", login->name, state, message && *message ? ": " : "",
                     message ? message : "");
        *ret_code = EXIT_FAILED;
        return true;
    }
    *ret_code = EXIT_DONE;
    /* The generation alone proves little: a refresh of the tokens at hand may go on beside the login. */
    return state ? strcmp(state, "completed") == 0 : read_generation(connection) > login->generation;
}

static void say_authorized(const struct login *login, const json_t *connection)
{
    if (!json_is_true(json_object_get(connection, "unsaved"))) {
        terminal_say("%s: authorized", login->name);
        return;
    }
    terminal_say("%s: authorized, but not saved yet: the daemon cannot write its token store, and a restart would lose "
                 "this login",
                 login->name);
    terminal_say("look at the daemon's log and its disk; do not stop it while iclientctl status %s says \"unsaved\"",
                 login->name);
}

static enum exit_code follow(struct login *login, struct login_input *input)
{
    while (clock_boot_ms() < login->deadline) {
        AUTO_JSON connection = NULL;
        enum exit_code code = fetch_connection(login, &connection);
        if (code != EXIT_DONE)
            return code;
        remove_used_page(login, connection);
        if (has_ended(login, connection, &code)) {
            if (code != EXIT_DONE)
                return code;
            say_authorized(login, connection);
            return connection_print(login->arguments, connection);
        }
        const char *pasted;
        switch (login_input_wait(input, LOGIN_POLL_MS, &pasted)) {
        case LOGIN_INPUT_LINE:
            complete(login, pasted);
            break;
        case LOGIN_INPUT_INTERRUPTED:
            terminal_say("%s: gave up waiting; the address stays good for a while", login->name);
            return EXIT_FAILED;
        case LOGIN_INPUT_NOTHING:
            break;
        }
    }
    terminal_say("%s: the login was not finished in time", login->name);
    api_advice_say(login->arguments, "run: iclientctl login NAME", login->name);
    return EXIT_FAILED;
}

enum exit_code command_login(const struct arguments *arguments)
{
    struct login login = {.arguments = arguments, .name = arguments->operands[0]};
    AUTO_JSON before = NULL;
    enum exit_code code = fetch_connection(&login, &before);
    if (code != EXIT_DONE)
        return code;
    login.generation = read_generation(before);

    bool open_browser = !arguments->options[OPTION_NO_BROWSER] && browser_has_display();
    AUTO(login_input) input = login_input_create();
    if (!input) {
        terminal_say("cannot watch the standard input and signals");
        return EXIT_FAILED;
    }
    code = begin(&login, open_browser, input);
    if (code == EXIT_DONE)
        code = follow(&login, input);
    /* Before signals are let through again, of which one could end us. */
    login_page_destroy(login.page);
    return code;
}
