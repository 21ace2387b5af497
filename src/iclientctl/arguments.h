#ifndef ICLIENTCTL_ARGUMENTS_H
#define ICLIENTCTL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Every option of every command, one row each: symbol, text, name of its value (NULL: a flag), help. */
#define OPTION_TABLE(X)                                                                                                \
    X(ADMIN_SOCKET, "--admin-socket", "PATH", "the daemon's admin socket")                                             \
    X(CONFIG, "--config", "FILE", "the daemon configuration whose folders and options are used")                       \
    X(EXPLAIN, "--explain", NULL, "show the requests that these documents lead to")                                    \
    X(FORCE, "--force", NULL, "replace the file if it exists")                                                         \
    X(HEADER, "--header", NULL, "print the whole request header")                                                      \
    X(HELP, "--help", NULL, "say how to use it")                                                                       \
    X(JSON, "--json", NULL, "print JSON")                                                                              \
    X(MIN_TTL, "--min-ttl", "SECONDS", "the token must be good for that long")                                         \
    X(NAME, "--name", "NAME", "what to call it (default: made of the title)")                                          \
    X(NO_BROWSER, "--no-browser", NULL, "print the address instead of opening it")                                     \
    X(NO_WAIT, "--no-wait", NULL, "begin, and do not wait for the end")                                                \
    X(OUTPUT, "--output", "FILE", "write to a file instead of the standard output")                                    \
    X(PRESET_DIR, "--preset-dir", "DIR", "where the provider presets lie")                                             \
    X(SCHEMA, "--schema", NULL, "print a JSON Schema of the iClient document, for editors")                            \
    X(STATUS, "--status", NULL, "say how far it has come, and begin nothing")                                          \
    X(TENANT, "--tenant", "TENANT", "whose connections (default: default)")                                            \
    X(TOKEN_SOCKET, "--token-socket", "PATH", "the daemon's token socket")                                             \
    X(VERSION, "--version", NULL, "print the version")                                                                 \
    X(WAIT, "--wait", "SECONDS", "how long to wait for a refresh (default: 30)")

#define OPTION_SYMBOL(symbol, text, value, help) OPTION_##symbol,
enum option { OPTION_TABLE(OPTION_SYMBOL) OPTION_COUNT };
#undef OPTION_SYMBOL

#define OPTION_BIT(option) (UINT32_C(1) << (option))

struct option_row {
    const char *text;
    const char *value; /* NULL: a flag */
    const char *help;
};
const struct option_row *option_row(enum option option);

/* A command line taken apart. Everything is borrowed from argv. */
struct arguments {
    const char *command;               /* NULL when there is none */
    const char *options[OPTION_COUNT]; /* the value, "" for a flag, NULL when not given; the last one counts */
    char **operands;                   /* what is neither command nor option; NULL-terminated */
    size_t operand_count;
    size_t before_dashes; /* operands before "--"; operand_count when there is no "--" */
    bool has_dashes;
};

/* Options stand anywhere before "--", as "--name value" or "--name=value". Reorders argv. ERR_INVALID. */
enum status arguments_parse(int argc, char **argv, struct arguments *ret_arguments, struct error *ret_error);

/* A whole number of seconds, at most ten years; fallback when the option is not given. ERR_INVALID. */
enum status arguments_seconds(const struct arguments *arguments, enum option option, long fallback, long *ret_seconds,
                              struct error *ret_error);

#endif
