#include "iclientctl/daemon/document_action.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "iclientctl/standard_streams.h"
#include "io/temporary_folder.h"

static char ran[64];

static enum exit_code run_get(const struct arguments *arguments, char **operands)
{
    (void)arguments;
    snprintf(ran, sizeof ran, "get %s", operands[0]);
    return EXIT_NOT_ALLOWED;
}

static enum exit_code run_list(const struct arguments *arguments, char **operands)
{
    (void)arguments, (void)operands;
    snprintf(ran, sizeof ran, "list");
    return EXIT_DONE;
}

static const struct document_action actions[] = {{"get", "ID", 1, run_get}, {"list", "", 0, run_list}};

Test(document_action, the_second_word_chooses_and_its_operands_are_counted)
{
    static const struct {
        char *operands[4];
        enum exit_code exit;
        const char *ran, *said; /* its end */
    } rows[] = {
        {{"get", "7"}, EXIT_NOT_ALLOWED, "get 7", ""},
        {{"list"}, EXIT_DONE, "list", ""},
        {{"get"}, EXIT_USAGE, "", "usage: iclientctl iclient get ID\n"},
        {{"list", "7"}, EXIT_USAGE, "", "usage: iclientctl iclient list\n"},
        {{"lits"},
         EXIT_USAGE,
         "",
         "iclientctl: unknown action lits; did you mean list?\n"
         "iclientctl: usage: iclientctl iclient get ID\niclientctl: usage: iclientctl iclient list\n"},
        {{NULL},
         EXIT_USAGE,
         "",
         "iclientctl: usage: iclientctl iclient get ID\niclientctl: usage: iclientctl iclient list\n"},
    };
    int words = stream_catch(STDERR_FILENO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[CAUGHT_MAX];
        char *operands[4];
        struct arguments arguments = {.command = "iclient", .operands = operands};
        memcpy(operands, rows[i].operands, sizeof operands);
        while (operands[arguments.operand_count])
            arguments.operand_count++;
        ran[0] = '\0';
        cr_expect_eq(document_action_run(&arguments, actions, 2), rows[i].exit, "row %zu", i);
        cr_expect_str_eq(ran, rows[i].ran);
        stream_read(words, text);
        size_t length = strlen(text), end = strlen(rows[i].said);
        cr_expect(length >= end && strcmp(text + length - end, rows[i].said) == 0, "row %zu: %s", i, text);
        cr_expect_eq(length > 0, end > 0, "row %zu: %s", i, text);
    }
}

/* ---- documents ---- */

static void become_stdin(const char *path)
{
    cr_assert_not_null(freopen(path, "r", stdin));
}

Test(document_action, a_document_comes_from_a_file_or_the_standard_input)
{
    TEMPORARY_FOLDER(folder);
    int words = stream_catch(STDERR_FILENO);
    const char *path = folder_write(&folder, "a.json", 0600, "{\"name\": \"app\"}");
    become_stdin(path);
    const char *const sources[] = {path, "-"};
    for (size_t i = 0; i < 2; i++) {
        char text[CAUGHT_MAX];
        AUTO_JSON document = NULL;
        cr_assert(document_action_read(sources[i], &document), "%s", stream_read(words, text));
        cr_expect_str_eq(json_read_string(document, "name"), "app");
    }
}

Test(document_action, what_cannot_be_read_is_said)
{
    TEMPORARY_FOLDER(folder);
    int words = stream_catch(STDERR_FILENO);
    static char large[300 * 1024];
    memset(large, ' ', sizeof large - 1);
    const char *gone = folder_path(&folder, "gone.json");
    const struct {
        const char *source, *input, *said;
    } rows[] = {
        {gone, "", "gone.json"},
        {"-", "{", "the standard input: "},
        {"-", "", "the standard input: "},
        {"-", large, "the standard input is larger than 262144 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[CAUGHT_MAX];
        json_t *document = NULL;
        become_stdin(folder_write(&folder, "input", 0600, rows[i].input));
        cr_expect_not(document_action_read(rows[i].source, &document), "row %zu", i);
        cr_expect_null(document);
        cr_expect_not_null(strstr(stream_read(words, text), rows[i].said), "row %zu: %s", i, text);
    }
}

Test(document_action, a_write_is_told_in_words_and_its_handle_printed)
{
    static const struct {
        const char *reply;
        bool json;
        enum exit_code exit;
        const char *printed, *said;
    } rows[] = {
        {"{\"_id\": \"7\", \"name\": \"app\"}", false, EXIT_DONE, "7\n", "iclientctl: app: created\n"},
        {"{\"_id\": \"7\"}", false, EXIT_DONE, "7\n", "iclientctl: iClient: created\n"},
        {"{\"_id\": \"7\"}", true, EXIT_DONE, "{\"_id\":\"7\"}\n", "iclientctl: iClient: created\n"},
        {"{\"name\": \"app\"}", false, EXIT_FAILED, "", "iclientctl: app: created\n"},
    };
    int out = stream_catch(STDOUT_FILENO);
    int words = stream_catch(STDERR_FILENO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char printed[CAUGHT_MAX], said[CAUGHT_MAX];
        struct arguments arguments = {0};
        arguments.options[OPTION_JSON] = rows[i].json ? "" : NULL;
        AUTO_JSON reply = json_loads(rows[i].reply, 0, NULL);
        cr_expect_eq(document_action_print_written(&arguments, reply, "_id", "iClient", "created"), rows[i].exit);
        cr_expect_str_eq(stream_read(out, printed), rows[i].printed);
        cr_expect_str_eq(stream_read(words, said), rows[i].said);
    }
}

Test(document_action, a_document_is_printed_for_a_person_or_for_a_script)
{
    int out = stream_catch(STDOUT_FILENO);
    char text[CAUGHT_MAX];
    struct arguments arguments = {0};
    AUTO_JSON document = json_pack("{s:i}", "a", 1);
    cr_assert_eq(document_action_print(&arguments, document), EXIT_DONE);
    cr_assert_str_eq(stream_read(out, text), "{\n  \"a\": 1\n}\n");
    arguments.options[OPTION_JSON] = "";
    cr_assert_eq(document_action_print(&arguments, document), EXIT_DONE);
    cr_assert_str_eq(stream_read(out, text), "{\"a\":1}\n");
}

/* ---- calls: the daemon answers with a row's reply ---- */

static struct {
    enum exit_code exit;
    const char *code, *body;
    char sent[64], advice[64];
} answers;

void api_reply_init(struct api_reply *reply)
{
    text_buffer_init(&reply->body, 4096);
}

void api_reply_finish(struct api_reply *reply)
{
    text_buffer_finish(&reply->body);
}

enum exit_code api_call_try(const struct arguments *arguments, const struct api_call *call, struct api_reply *reply,
                            struct api_failure *ret_failure)
{
    (void)arguments;
    snprintf(answers.sent, sizeof answers.sent, "%s %s", call->method, call->body ? call->body : "(nothing)");
    text_buffer_append_text(&reply->body, answers.body);
    *ret_failure = (struct api_failure){.exit = answers.exit};
    snprintf(ret_failure->code, sizeof ret_failure->code, "%s", answers.code ? answers.code : "");
    return answers.exit;
}

enum exit_code api_failure_say(const struct arguments *arguments, const struct api_failure *failure, const char *name)
{
    (void)arguments, (void)name;
    snprintf(answers.advice, sizeof answers.advice, "%s", failure->advice ? failure->advice : "");
    return failure->exit;
}

Test(document_action, a_call_sends_the_document_and_says_every_fault)
{
    static const struct {
        const char *document;
        enum exit_code exit;
        const char *code, *body, *sent, *said, *advice, *reply;
    } rows[] = {
        {"{\"a\": 1}", EXIT_DONE, NULL, "{\"_id\": \"7\"}", "PUT {\"a\":1}", "", "", "{\"_id\":\"7\"}"},
        {NULL, EXIT_DONE, NULL, "", "PUT (nothing)", "", "", NULL},
        {NULL, EXIT_FAILED, "not_found", "{}", "PUT (nothing)", "", "run: iclientctl iclient list", NULL},
        {NULL, EXIT_FAILED, "invalid",
         "{\"errors\": [{\"message\": \"first\"}, {\"field\": \"/name\", \"message\": \"second\"}, {\"message\": "
         "\"third\"}, {}]}",
         "PUT (nothing)", "iclientctl: app: /name: second\niclientctl: app: third\niclientctl: app: \n", "", NULL},
    };
    int words = stream_catch(STDERR_FILENO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[CAUGHT_MAX];
        const struct arguments arguments = {0};
        const struct api_call call = {.method = "PUT"};
        AUTO_JSON document = rows[i].document ? json_loads(rows[i].document, 0, NULL) : NULL;
        AUTO_JSON reply = NULL;
        answers.exit = rows[i].exit;
        answers.code = rows[i].code;
        answers.body = rows[i].body;
        answers.advice[0] = '\0';
        enum exit_code code =
            document_action_send(&arguments, &call, document, "app", "run: iclientctl iclient list", &reply);
        AUTO_TEXT reply_text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
        cr_expect_eq(code, rows[i].exit, "row %zu", i);
        cr_expect_str_eq(answers.sent, rows[i].sent);
        cr_expect_str_eq(stream_read(words, text), rows[i].said);
        cr_expect_str_eq(answers.advice, rows[i].advice);
        cr_expect_str_eq(reply_text ? reply_text : "", rows[i].reply ? rows[i].reply : "", "row %zu", i);
    }
}

Test(document_action, a_reply_that_is_no_json_is_a_failure)
{
    int words = stream_catch(STDERR_FILENO);
    char text[CAUGHT_MAX];
    const struct arguments arguments = {0};
    const struct api_call call = {.method = "GET"};
    AUTO_JSON reply = NULL;
    answers.body = "<html>";
    cr_assert_eq(document_action_send(&arguments, &call, NULL, "app", NULL, &reply), EXIT_FAILED);
    cr_assert_not_null(strstr(stream_read(words, text), "app: the daemon's answer is no JSON: "), "%s", text);
    cr_assert_null(reply);
}
