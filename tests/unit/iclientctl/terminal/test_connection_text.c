#include "iclientctl/terminal/connection_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"

enum { NOW = 1800000000 };

/* ---- what the program asks of others ---- */

int64_t clock_wall(void)
{
    return NOW;
}

static struct {
    enum exit_code exit[2]; /* by socket */
    const char *document;
    int calls[2];
} daemon_answers;

enum exit_code api_call_try_json(const struct arguments *arguments, const struct api_call *call, json_t **ret_document,
                                 struct api_failure *ret_failure)
{
    (void)arguments;
    enum exit_code code = daemon_answers.exit[call->socket];
    daemon_answers.calls[call->socket]++;
    cr_expect_str_eq(call->collection, "connections");
    *ret_failure = (struct api_failure){.exit = code};
    if (code == EXIT_DONE)
        cr_assert_eq(json_read_text(daemon_answers.document, strlen(daemon_answers.document), ret_document, NULL), OK);
    return code;
}

enum exit_code api_failure_say(const struct arguments *arguments, const struct api_failure *failure, const char *name)
{
    (void)arguments, (void)name;
    return failure->exit;
}

void api_advice_say(const struct arguments *arguments, const char *advice, const char *name)
{
    (void)arguments, (void)advice, (void)name;
}

/* ---- moments ---- */

Test(moment, says_when_and_how_far_that_is)
{
    static const struct {
        int64_t distance;
        const char *text;
    } rows[] = {
        {0, "2027-01-15T08:00:00Z (0 s ago)"},
        {1, "2027-01-15T08:00:01Z (in 1 s)"},
        {119, "2027-01-15T08:01:59Z (in 119 s)"},
        {120, "2027-01-15T08:02:00Z (in 2 min)"},
        {7199, "2027-01-15T09:59:59Z (in 119 min)"},
        {7200, "2027-01-15T10:00:00Z (in 2 h)"},
        {2 * 86400 - 1, "2027-01-17T07:59:59Z (in 47 h)"},
        {2 * 86400, "2027-01-17T08:00:00Z (in 2 days)"},
        {-1, "2027-01-15T07:59:59Z (1 s ago)"},
        {-3 * 86400, "2027-01-12T08:00:00Z (3 days ago)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON time = json_integer(NOW + rows[i].distance);
        char text[MOMENT_SIZE];
        moment_format(time, NOW, text);
        cr_expect_str_eq(text, rows[i].text);
    }
}

Test(moment, what_is_no_time_is_a_dash)
{
    AUTO_JSON values = json_pack("[n, s, o]", "soon", json_object());
    for (size_t i = 0; i <= json_array_size(values); i++) {
        char text[MOMENT_SIZE];
        moment_format(json_array_get(values, i), NOW, text);
        cr_expect_str_eq(text, "-");
    }
}

/* ---- connections ---- */

static json_t *read_document(const char *text)
{
    json_t *document = NULL;
    cr_assert_eq(json_read_text(text, strlen(text), &document, NULL), OK, "%s", text);
    return document;
}

static void expect_table(const char *array, const char *expected)
{
    AUTO_JSON document = read_document(array);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 4096);
    cr_assert(connections_append(document, false, &text));
    cr_expect_str_eq(text_buffer_text(&text), expected);
}

Test(connections, are_one_line_each)
{
    expect_table("[]", "NAME  STATE  ICLIENT  EXPIRES  LAST ERROR\n");
    expect_table("[{\"name\": \"crm\", \"state\": \"ready\", \"iclient\": \"app\", \"expires_at\": 1800003600, "
                 "\"generation\": 2,"
                 "  \"last_error\": null},"
                 " {\"name\": \"b\", \"state\": \"provider_error\", \"iclient\": \"app\", \"expires_at\": null, "
                 "\"generation\": 0,"
                 "  \"last_error\": {\"code\": \"x\", \"message\": \"no \\u001b[2J\"}},"
                 " {}]",
                 "NAME  STATE           ICLIENT  EXPIRES    LAST ERROR\n"
                 "crm   ready           app      in 60 min  -\n"
                 "b     provider_error  app      -          no \\x1b[2J\n"
                 "-     -               -        -          -\n");
}

/* The token socket tells name, state and expiry alone. */
Test(connections, no_expiry_is_never_where_there_is_a_token)
{
    static const struct {
        const char *connection, *expires;
    } rows[] = {
        {"{\"state\": \"ready\", \"expires_at\": null}", "never"},
        {"{\"state\": \"ready\", \"expires_at\": null, \"generation\": 1}", "never"},
        {"{\"state\": \"authorization_required\", \"expires_at\": null, \"generation\": 1}", "never"},
        {"{\"state\": \"ready\", \"expires_at\": null, \"generation\": 0}", "-"},
        {"{\"state\": \"authorization_required\", \"expires_at\": null}", "-"},
        {"{\"state\": \"ready\"}", "-"},
        {"{\"state\": \"ready\", \"expires_at\": 1799996400}", "60 min ago"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON array = json_array();
        json_array_append_new(array, read_document(rows[i].connection));
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, 4096);
        cr_assert(connections_append(array, false, &text));
        /* "-        STATE  -        EXPIRES  -": the second line, without its last cell */
        char line[128], expected[128];
        snprintf(line, sizeof line, "%s", strchr(text_buffer_text(&text), '\n') + 1);
        snprintf(expected, sizeof expected, "  %s", rows[i].expires);
        size_t length = strlen(line) - strlen("  -\n");
        while (length > 0 && line[length - 1] == ' ')
            length--;
        line[length] = '\0';
        cr_expect(strcmp(line + length - strlen(expected), expected) == 0, "%s: %s", rows[i].connection, line);
    }
}

Test(connections, a_state_has_its_tone)
{
    static const struct {
        const char *state, *tone;
    } rows[] = {
        {"ready", "\033[32m"},
        {"authorization_required", "\033[31m"},
        {"client_rejected", "\033[31m"},
        {"provider_error", "\033[31m"},
        {"unsupported", "\033[31m"},
        {"store_unavailable", "\033[31m"},
        {"provider_unavailable", "\033[33m"},
        {"inactive", "\033[33m"},
        {"a_new_one", "  "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON array = json_pack("[{s:s}]", "state", rows[i].state);
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, 4096);
        cr_assert(connections_append(array, true, &text));
        char cell[64];
        snprintf(cell, sizeof cell, "%s%s", rows[i].tone, rows[i].state);
        cr_expect_not_null(strstr(text_buffer_text(&text), cell), "%s", rows[i].state);
    }
}

Test(connection, is_a_line_for_each_member_that_is_there)
{
    static const struct {
        const char *connection, *expected;
    } rows[] = {
        {"{}", "state    -\nexpires  -\n"},
        {"{\"name\": \"crm\", \"state\": \"ready\", \"iclient\": \"app\", \"tenant\": \"default\","
         " \"grant\": \"authorization_code\", \"scope\": \"a b\", \"generation\": 3, \"expires_at\": 1800003600,"
         " \"refresh_after\": 1800003000, \"last_error\": null}",
         "name        crm\n"
         "state       ready\n"
         "iClient     app\n"
         "tenant      default\n"
         "grant       authorization_code\n"
         "scope       a b\n"
         "generation  3\n"
         "expires     2027-01-15T09:00:00Z (in 60 min)\n"
         "refresh     2027-01-15T08:50:00Z (in 50 min)\n"},
        {"{\"name\": \"crm\", \"state\": \"provider_unavailable\", \"generation\": 0, \"expires_at\": null,"
         " \"last_error\": {\"message\": \"no \\u001b[2J\", \"code\": \"http_500\", \"at\": 1799999990,"
         "  \"retry_at\": 1800000050}}",
         "name        crm\n"
         "state       provider_unavailable\n"
         "generation  0\n"
         "expires     -\n"
         "last error  no \\x1b[2J\n"
         "error code  http_500\n"
         "error at    2027-01-15T07:59:50Z (10 s ago)\n"
         "next try    2027-01-15T08:00:50Z (in 50 s)\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON document = read_document(rows[i].connection);
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, 4096);
        cr_assert(connection_append(document, false, &text));
        cr_expect_str_eq(text_buffer_text(&text), rows[i].expected);
    }
}

Test(connection, an_unsaved_one_says_so)
{
    for (int unsaved = 0; unsaved < 2; unsaved++) {
        AUTO_JSON document = json_pack("{s:s, s:b}", "name", "crm", "unsaved", unsaved);
        AUTO_FINISH(text_buffer) text;
        text_buffer_init(&text, 4096);
        cr_assert(connection_append(document, false, &text));
        cr_expect_eq(strstr(text_buffer_text(&text), "\nunsaved ") != NULL, unsaved == 1);
    }
}

/* ---- where they come from ---- */

Test(connections_fetch, asks_the_token_socket_where_the_admin_socket_is_closed)
{
    static const struct {
        enum exit_code admin, token;
        bool names_admin_socket;
        enum exit_code exit;
        int calls[2];
    } rows[] = {
        {EXIT_DONE, EXIT_FAILED, false, EXIT_DONE, {[SOCKET_ADMIN] = 1}},
        {EXIT_NOT_REACHABLE, EXIT_DONE, false, EXIT_DONE, {1, 1}},
        {EXIT_NOT_ALLOWED, EXIT_DONE, false, EXIT_DONE, {1, 1}},
        {EXIT_NOT_ALLOWED, EXIT_NOT_REACHABLE, false, EXIT_NOT_REACHABLE, {1, 1}},
        {EXIT_FAILED, EXIT_DONE, false, EXIT_FAILED, {[SOCKET_ADMIN] = 1}},
        {EXIT_NOT_REACHABLE, EXIT_DONE, true, EXIT_NOT_REACHABLE, {[SOCKET_ADMIN] = 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arguments arguments = {0};
        arguments.options[OPTION_ADMIN_SOCKET] = rows[i].names_admin_socket ? "/a" : NULL;
        memset(&daemon_answers, 0, sizeof daemon_answers);
        daemon_answers.document = "[{\"name\": \"crm\"}]";
        daemon_answers.exit[SOCKET_ADMIN] = rows[i].admin;
        daemon_answers.exit[SOCKET_TOKEN] = rows[i].token;
        AUTO_JSON array = NULL;
        cr_expect_eq(connections_fetch(&arguments, &array), rows[i].exit, "row %zu", i);
        cr_expect_eq(json_array_size(array), rows[i].exit == EXIT_DONE ? 1 : 0, "row %zu", i);
        for (int socket = 0; socket < 2; socket++)
            cr_expect_eq(daemon_answers.calls[socket], rows[i].calls[socket], "row %zu, socket %d", i, socket);
    }
}

Test(connections_fetch, what_is_no_array_is_a_failure)
{
    const struct arguments arguments = {0};
    daemon_answers.document = "{\"name\": \"crm\"}";
    AUTO_JSON array = NULL;
    cr_assert_eq(connections_fetch(&arguments, &array), EXIT_FAILED);
    cr_assert_null(array);
}
