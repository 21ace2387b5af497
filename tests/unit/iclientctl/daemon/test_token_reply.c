#include "iclientctl/daemon/token_reply.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/standard_streams.h"

/* ---- the daemon: answers with a document and keeps what it was asked ---- */

static struct {
    const char *document; /* NULL: EXIT_NOT_REACHABLE */
    int calls;
    char query[64];
    long timeout_seconds;
} asked;

enum exit_code api_call_json(const struct arguments *arguments, const struct api_call *call, json_t **ret_document)
{
    (void)arguments;
    asked.calls++;
    asked.timeout_seconds = call->timeout_seconds;
    snprintf(asked.query, sizeof asked.query, "%s", call->query);
    cr_expect_eq(call->socket, SOCKET_TOKEN);
    cr_expect_str_eq(call->method, "GET");
    cr_expect_str_eq(call->collection, "token");
    cr_expect_str_eq(call->name, "crm");
    if (!asked.document)
        return EXIT_NOT_REACHABLE;
    cr_assert_eq(json_read_text(asked.document, strlen(asked.document), ret_document, NULL), OK);
    return EXIT_DONE;
}

static enum exit_code fetch(const char *min_ttl, const char *wait, json_t **ret_document)
{
    char *operands[] = {"crm", NULL};
    struct arguments arguments = {.command = "token", .operands = operands, .operand_count = 1};
    arguments.options[OPTION_MIN_TTL] = min_ttl;
    arguments.options[OPTION_WAIT] = wait;
    return token_reply_fetch(&arguments, ret_document);
}

Test(token_reply, options_become_the_query_and_the_time_to_wait)
{
    static const struct {
        const char *min_ttl, *wait, *query;
        long timeout;
    } rows[] = {
        {NULL, NULL, "", 35},
        {"60", NULL, "min_ttl=60", 35},
        {NULL, "0", "wait=0", 5},
        {"0", "100", "min_ttl=0&wait=100", 105},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON document = NULL;
        asked.document = "{\"access_token\": \"t\"}";
        cr_expect_eq(fetch(rows[i].min_ttl, rows[i].wait, &document), EXIT_DONE);
        cr_expect_str_eq(asked.query, rows[i].query);
        cr_expect_eq(asked.timeout_seconds, rows[i].timeout, "%s: %ld", rows[i].query, asked.timeout_seconds);
    }
}

Test(token_reply, what_is_no_number_of_seconds_is_not_sent)
{
    int words = stream_catch(STDERR_FILENO);
    char text[CAUGHT_MAX];
    AUTO_JSON document = NULL;
    cr_expect_eq(fetch("soon", NULL, &document), EXIT_USAGE);
    cr_expect_not_null(strstr(stream_read(words, text), "--min-ttl"), "%s", text);
    cr_expect_eq(fetch(NULL, "-1", &document), EXIT_USAGE);
    cr_expect_not_null(strstr(stream_read(words, text), "--wait"), "%s", text);
    cr_expect_eq(asked.calls, 0);
}

Test(token_reply, a_token_has_to_fit_a_header)
{
    static const struct {
        const char *document;
        enum exit_code exit;
        const char *said; /* a part; "": nothing */
    } rows[] = {
        {"{\"access_token\": \"t.o-k_e~n\"}", EXIT_DONE, ""},
        {"{\"access_token\": \"t\", \"stale_reason\": \"the provider is down\"}", EXIT_DONE, "the provider is down"},
        {"{\"access_token\": \"a\\nb\"}", EXIT_FAILED, "no usable access token"},
        {"{\"access_token\": \"\"}", EXIT_FAILED, "no usable access token"},
        {"{\"access_token\": 7}", EXIT_FAILED, "no usable access token"},
        {"{}", EXIT_FAILED, "no usable access token"},
        {"[]", EXIT_FAILED, "no usable access token"},
        {NULL, EXIT_NOT_REACHABLE, ""},
    };
    int words = stream_catch(STDERR_FILENO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[CAUGHT_MAX];
        AUTO_JSON document = NULL;
        asked.document = rows[i].document;
        cr_expect_eq(fetch(NULL, NULL, &document), rows[i].exit, "row %zu", i);
        cr_expect_eq(document != NULL, rows[i].exit == EXIT_DONE, "row %zu", i);
        stream_read(words, text);
        cr_expect(rows[i].said[0] ? strstr(text, rows[i].said) != NULL : text[0] == '\0', "row %zu: %s", i, text);
    }
}
