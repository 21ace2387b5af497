#include "iclientctl/arguments.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 12, SHOWN_MAX = 256 };

/* argv after the program's name; NULL-terminated. */
static enum status parse(const char *const *words, char *argv[WORDS_MAX], struct arguments *ret_arguments,
                         struct error *ret_error)
{
    int argc = 0;
    argv[argc++] = "iclientctl";
    while (*words)
        argv[argc++] = (char *)*words++;
    argv[argc] = NULL;
    return arguments_parse(argc, argv, ret_arguments, ret_error);
}

/* "command|operand,operand,|--option=value,|operands before the dashes, or -": all that was read. */
static void show(const struct arguments *arguments, char text[SHOWN_MAX])
{
    int length = snprintf(text, SHOWN_MAX, "%s|", arguments->command ? arguments->command : "-");
    for (size_t i = 0; i < arguments->operand_count; i++)
        length += snprintf(text + length, SHOWN_MAX - (size_t)length, "%s,", arguments->operands[i]);
    length += snprintf(text + length, SHOWN_MAX - (size_t)length, "|");
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        if (arguments->options[option])
            length += snprintf(text + length, SHOWN_MAX - (size_t)length, "%s=%s,", option_row(option)->text,
                               arguments->options[option]);
    }
    if (arguments->has_dashes)
        snprintf(text + length, SHOWN_MAX - (size_t)length, "|%zu", arguments->before_dashes);
    else
        snprintf(text + length, SHOWN_MAX - (size_t)length, "|-");
}

Test(arguments, words_are_command_operands_and_options)
{
    static const struct {
        const char *words[WORDS_MAX - 2];
        const char *shown;
    } rows[] = {
        {{NULL}, "-|||-"},
        {{"list", NULL}, "list|||-"},
        {{"token", "crm", "drive", NULL}, "token|crm,drive,||-"},
        {{"--json", "token", "crm", NULL}, "token|crm,|--json=,|-"},
        {{"token", "crm", "--min-ttl", "60", NULL}, "token|crm,|--min-ttl=60,|-"},
        {{"token", "--min-ttl=60", "crm", NULL}, "token|crm,|--min-ttl=60,|-"},
        {{"token", "--min-ttl=a=b", NULL}, "token||--min-ttl=a=b,|-"},
        {{"token", "--wait", "1", "--wait", "2", NULL}, "token||--wait=2,|-"},
        {{"token", "--wait", "--json", NULL}, "token||--wait=--json,|-"},
        {{"-h", NULL}, "-||--help=,|-"},
        {{"check", "-", NULL}, "check|-,||-"},
        {{"run", "crm", "--", "curl", "--json", NULL}, "run|crm,curl,--json,||1"},
        {{"run", "--", NULL}, "run|||0"},
        {{"run", "--", "--", NULL}, "run|--,||0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *argv[WORDS_MAX];
        char shown[SHOWN_MAX];
        struct arguments arguments;
        struct error error = {0};
        cr_assert_eq(parse(rows[i].words, argv, &arguments, &error), OK, "%s: %s", rows[i].shown, error.message);
        show(&arguments, shown);
        cr_expect_str_eq(shown, rows[i].shown);
        cr_expect_null(arguments.operands[arguments.operand_count], "%s", rows[i].shown);
        if (!arguments.has_dashes)
            cr_expect_eq(arguments.before_dashes, arguments.operand_count, "%s", rows[i].shown);
    }
}

Test(arguments, what_is_wrong_with_an_option_is_said)
{
    static const struct {
        const char *words[WORDS_MAX - 2];
        const char *message;
    } rows[] = {
        {{"list", "--jsno", NULL}, "unknown option --jsno; did you mean --json?"},
        {{"list", "--what-is-this", NULL}, "unknown option --what-is-this"},
        {{"list", "--jso=1", NULL}, "unknown option --jso; did you mean --json?"},
        {{"list", "-j", NULL}, "unknown option -j"},
        {{"list", "--js", NULL}, "unknown option --js"},
        {{"list", "--json=1", NULL}, "--json takes no value"},
        {{"list", "--json=", NULL}, "--json takes no value"},
        {{"token", "--wait", NULL}, "--wait needs a value: --wait SECONDS"},
        {{"token", "--wait", "", NULL}, "--wait needs a value that is not empty"},
        {{"token", "--wait=", NULL}, "--wait needs a value that is not empty"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *argv[WORDS_MAX];
        struct arguments arguments;
        struct error error = {0};
        cr_expect_eq(parse(rows[i].words, argv, &arguments, &error), ERR_INVALID, "%s", rows[i].message);
        cr_expect_str_eq(error.message, rows[i].message);
    }
}

/* A word that is longer than any option's name is not compared with them. */
Test(arguments, long_unknown_option_is_named_as_it_is)
{
    char word[200] = "--";
    memset(word + 2, 'j', sizeof word - 3);
    const char *const words[] = {"list", word, NULL};
    char *argv[WORDS_MAX];
    struct arguments arguments;
    struct error error = {0};
    cr_assert_eq(parse(words, argv, &arguments, &error), ERR_INVALID);
    cr_assert(strncmp(error.message, "unknown option --jjj", 20) == 0, "%s", error.message);
    cr_assert_null(strstr(error.message, "did you mean"));
}

Test(arguments, seconds_are_a_whole_number_within_ten_years)
{
    static const struct {
        const char *text;
        enum status status;
        long seconds;
    } rows[] = {
        {NULL, OK, -7},
        {"0", OK, 0},
        {"60", OK, 60},
        {"007", OK, 7},
        {"316224000", OK, 316224000},
        {"316224001", ERR_INVALID, 0},
        {"99999999999999999999", ERR_INVALID, 0},
        {"", ERR_INVALID, 0},
        {"-1", ERR_INVALID, 0},
        {"+1", ERR_INVALID, 0},
        {" 1", ERR_INVALID, 0},
        {"1 ", ERR_INVALID, 0},
        {"1s", ERR_INVALID, 0},
        {"0x10", ERR_INVALID, 0},
        {"1.5", ERR_INVALID, 0},
        {"soon", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct arguments arguments = {.options = {[OPTION_WAIT] = rows[i].text}};
        const char *text = rows[i].text ? rows[i].text : "(none)";
        long seconds = 12345;
        struct error error = {0};
        cr_expect_eq(arguments_seconds(&arguments, OPTION_WAIT, -7, &seconds, &error), rows[i].status, "%s", text);
        cr_expect_eq(seconds, rows[i].status == OK ? rows[i].seconds : 12345, "%s: %ld", text, seconds);
        if (rows[i].status != OK)
            cr_expect_str_eq(error.message, "--wait takes a whole number of seconds");
    }
}

/* The help prints them in this order. */
Test(arguments, options_are_sorted_and_explained)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = option_row(option);
        cr_expect(strncmp(row->text, "--", 2) == 0 && row->help[0], "%s", row->text);
        if (option > 0)
            cr_expect_lt(strcmp(option_row(option - 1)->text, row->text), 0, "%s", row->text);
    }
}
