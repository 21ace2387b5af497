#include "iclientctl/daemon/rekey_steps.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "iclientctl/standard_streams.h"

/* Commands that a person copies: the parts that must be in them, by where the key is and how far it has come. */
Test(rekey_steps, are_for_the_place_of_the_key)
{
    static const struct {
        const char *state;
        bool begins;
        const char *has[4], *has_not;
    } rows[] = {
        {"{\"credential\": true}",
         true,
         {"iclientd.key.before", "systemd-creds encrypt", "head -c 32 /dev/urandom"},
         "FILE"},
        {"{\"credential\": true, \"key_id\": \"k1\"}",
         false,
         {"with the key k1", "head -n 1", "iclientd.key.both"},
         "FILE"},
        {"{\"credential\": false}", true, {"FILE.before", "head -c 32 /dev/urandom", "umask 077"}, "systemd-creds"},
        {"{}", false, {"with the key of the first line", "FILE.both", "umask 077"}, "systemd-creds"},
    };
    int words = stream_catch(STDERR_FILENO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[CAUGHT_MAX];
        AUTO_JSON state = json_loads(rows[i].state, 0, NULL);
        if (rows[i].begins)
            rekey_steps_say_begin(state);
        else
            rekey_steps_say_end(state);
        stream_read(words, text);
        for (size_t part = 0; rows[i].has[part]; part++)
            cr_expect_not_null(strstr(text, rows[i].has[part]), "row %zu, %s: %s", i, rows[i].has[part], text);
        cr_expect_null(strstr(text, rows[i].has_not), "row %zu: %s", i, text);
    }
}

/* docs/OPERATIONS.md has the same commands. */
Test(rekey_steps, have_the_commands_of_the_document)
{
    static char document[512 * 1024];
    FILE *file = fopen(TEST_SOURCE_DIR "/docs/OPERATIONS.md", "r");
    cr_assert_not_null(file);
    size_t length = fread(document, 1, sizeof document - 1, file);
    fclose(file);
    document[length] = '\0';
    int words = stream_catch(STDERR_FILENO);
    char text[CAUGHT_MAX];
    AUTO_JSON state = json_pack("{s:b}", "credential", 1);
    rekey_steps_say_begin(state);
    rekey_steps_say_end(state);
    stream_read(words, text);
    size_t commands = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *command = line + strlen("iclientctl: ");
        if (strncmp(command, "  ", 2) != 0)
            continue;
        command += strspn(command, " ");
        cr_expect_not_null(strstr(document, command), "%s", command);
        commands++;
    }
    cr_assert_eq(commands, 9);
}
