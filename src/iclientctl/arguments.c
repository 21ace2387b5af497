#include "iclientctl/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault_list.h"

enum { SECONDS_MAX = 10 * 366 * 86400 };

#define OPTION_ROW(symbol, text, value, help) [OPTION_##symbol] = {text, value, help},
static const struct option_row option_rows[OPTION_COUNT] = {OPTION_TABLE(OPTION_ROW)};
#undef OPTION_ROW

const struct option_row *option_row(enum option option)
{
    return &option_rows[option];
}

static enum status unknown_option(const char *word, size_t length, struct error *ret_error)
{
    const char *texts[OPTION_COUNT];
    for (size_t i = 0; i < OPTION_COUNT; i++)
        texts[i] = option_rows[i].text;
    char name[64];
    const char *nearest = NULL;
    if (length < sizeof name) {
        memcpy(name, word, length);
        name[length] = '\0';
        nearest = nearest_name(name, texts, OPTION_COUNT);
    }
    if (nearest)
        return error_set(ret_error, ERR_INVALID, "unknown option %.*s; did you mean %s?", (int)length, word, nearest);
    return error_set(ret_error, ERR_INVALID, "unknown option %.*s", (int)length, word);
}

/* OPTION_COUNT when there is none of that name. */
static enum option find_option(const char *word, size_t length)
{
    if (length == 2 && strncmp(word, "-h", 2) == 0)
        return OPTION_HELP;
    enum option option = 0;
    while (option < OPTION_COUNT) {
        const char *text = option_rows[option].text;
        if (strlen(text) == length && strncmp(word, text, length) == 0)
            break;
        option++;
    }
    return option;
}

/* Reads the option at *at and leaves *at on its last word. */
static enum status read_option(char **argv, int argc, int *at, struct arguments *arguments, struct error *ret_error)
{
    const char *word = argv[*at];
    size_t length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    enum option option = find_option(word, length);
    if (option == OPTION_COUNT)
        return unknown_option(word, length, ret_error);

    const struct option_row *row = &option_rows[option];
    if (!row->value && value)
        return error_set(ret_error, ERR_INVALID, "%s takes no value", row->text);
    if (row->value && !value) {
        if (*at + 1 == argc)
            return error_set(ret_error, ERR_INVALID, "%s needs a value: %s %s", row->text, row->text, row->value);
        value = argv[++*at];
    }
    if (row->value && !*value)
        return error_set(ret_error, ERR_INVALID, "%s needs a value that is not empty", row->text);
    arguments->options[option] = row->value ? value : "";
    return OK;
}

enum status arguments_parse(int argc, char **argv, struct arguments *ret_arguments, struct error *ret_error)
{
    struct arguments arguments = {.operands = argv};
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (!arguments.has_dashes && strcmp(word, "--") == 0) {
            arguments.has_dashes = true;
            arguments.before_dashes = arguments.operand_count;
        } else if (!arguments.has_dashes && word[0] == '-' && word[1] != '\0') {
            enum status status = read_option(argv, argc, &i, &arguments, ret_error);
            if (status != OK)
                return status;
        } else if (!arguments.command) {
            arguments.command = word;
        } else {
            arguments.operands[arguments.operand_count++] = word;
        }
    }
    if (!arguments.has_dashes)
        arguments.before_dashes = arguments.operand_count;
    arguments.operands[arguments.operand_count] = NULL;
    *ret_arguments = arguments;
    return OK;
}

enum status arguments_seconds(const struct arguments *arguments, enum option option, long fallback, long *ret_seconds,
                              struct error *ret_error)
{
    const char *text = arguments->options[option];
    if (!text) {
        *ret_seconds = fallback;
        return OK;
    }
    char *end;
    long seconds = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || seconds > SECONDS_MAX)
        return error_set(ret_error, ERR_INVALID, "%s takes a whole number of seconds", option_rows[option].text);
    *ret_seconds = seconds;
    return OK;
}
