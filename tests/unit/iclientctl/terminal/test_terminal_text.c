#include "iclientctl/terminal/terminal_text.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json/json_read.h"
#include "iclientctl/standard_streams.h"

static const struct {
    const char *text, *shown;
    size_t width; /* of text, where it is shown as it is */
} texts[] = {
    {"", "", 0},
    {"crm", "crm", 3},
    {"M\xc3\xbcnchen", "M\xc3\xbcnchen", 7},
    {"\xf0\x9f\x94\x91 key", "\xf0\x9f\x94\x91 key", 5},
    {"\033[2J", "\\x1b[2J", 0},
    {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d", 0},
    {"\x7f", "\\x7f", 0},
    {"a\xff", "a\\xff", 0},
    {"\xc3", "\\xc3", 0},
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m", 0}, /* CSI as one C1 character */
    {"\xe2\x80\xae"
     "exe.txt",
     "\\xe2\\x80\\xae"
     "exe.txt",
     0},                                      /* right-to-left override */
    {"\xe2\x80\x8bx", "\\xe2\\x80\\x8bx", 0}, /* zero width space */
};

Test(terminal_text, bytes_that_a_terminal_obeys_are_shown_as_numbers)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        cr_expect(terminal_text_append(&buffer, texts[i].text));
        cr_expect_str_eq(text_buffer_text(&buffer), texts[i].shown);
        bool is_plain = strcmp(texts[i].text, texts[i].shown) == 0;
        cr_expect_eq(terminal_text_is_plain(texts[i].text), is_plain, "%s", texts[i].shown);
        if (is_plain)
            cr_expect_eq(terminal_text_width(texts[i].text), texts[i].width, "%s", texts[i].shown);
    }
}

Test(terminal_text, text_beyond_the_limit_fails)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 5);
    cr_assert(terminal_text_append(&buffer, "a\033"));
    cr_assert_not(terminal_text_append(&buffer, "b"));
    cr_assert_str_eq(text_buffer_text(&buffer), "a\\x1b");
}

Test(terminal_text, tones_are_for_terminals_alone)
{
    static const struct {
        enum terminal_tone tone;
        bool colours;
        const char *shown;
    } rows[] = {
        {TONE_PLAIN, true, "x\\x1b"},
        {TONE_GOOD, true, "\033[32mx\\x1b\033[0m"},
        {TONE_BAD, true, "\033[31mx\\x1b\033[0m"},
        {TONE_CAUTION, true, "\033[33mx\\x1b\033[0m"},
        {TONE_TITLE, true, "\033[1mx\\x1b\033[0m"},
        {TONE_BAD, false, "x\\x1b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        cr_expect(terminal_text_append_tone(&buffer, "x\033", rows[i].tone, rows[i].colours));
        cr_expect_str_eq(text_buffer_text(&buffer), rows[i].shown);
    }
}

Test(terminal_text, colours_need_a_terminal_that_has_them)
{
    static const struct {
        const char *term, *no_color;
        bool has;
    } rows[] = {
        {"xterm", NULL, true}, {"xterm", "", true}, {"xterm", "1", false}, {"dumb", NULL, false}, {NULL, NULL, false}};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    int pipes[2];
    cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0 && pipe(pipes) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rows[i].term ? setenv("TERM", rows[i].term, 1) : unsetenv("TERM");
        rows[i].no_color ? setenv("NO_COLOR", rows[i].no_color, 1) : unsetenv("NO_COLOR");
        cr_expect_eq(terminal_has_colours(terminal), rows[i].has, "row %zu", i);
        cr_expect_not(terminal_has_colours(pipes[1]), "row %zu: a pipe", i);
    }
}

Test(terminal_text, a_document_is_lines_of_ascii)
{
    AUTO_JSON document = json_pack("{s:s, s:[i]}", "name", "M\xc3\xbc", "list", 1);
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    cr_assert(terminal_text_append_document(&buffer, document));
    cr_assert_str_eq(text_buffer_text(&buffer), "{\n  \"name\": \"M\\u00FC\",\n  \"list\": [\n    1\n  ]\n}\n");
}

/* ---- what is written ---- */

static void expect_caught(int reading, const char *expected)
{
    char text[CAUGHT_MAX];
    cr_expect_str_eq(stream_read(reading, text), expected);
}

Test(terminal_text, words_go_to_stderr_escaped_and_named)
{
    int reading = stream_catch(STDERR_FILENO);
    terminal_say("%s: no \"%s\"", "crm", "\033]0;x\007");
    expect_caught(reading, "iclientctl: crm: no \"\\x1b]0;x\\x07\"\n");
}

Test(terminal_text, json_is_one_line_on_stdout)
{
    int reading = stream_catch(STDOUT_FILENO);
    AUTO_JSON value = json_pack("{s:s, s:n}", "a", "\xc3\xbc\n", "b");
    cr_assert(terminal_write_json(value));
    expect_caught(reading, "{\"a\":\"\\u00FC\\n\",\"b\":null}\n");
}

Test(terminal_text, a_document_is_written_to_stdout)
{
    int reading = stream_catch(STDOUT_FILENO);
    AUTO_JSON value = json_pack("{s:i}", "a", 1);
    cr_assert(terminal_write_document(value));
    expect_caught(reading, "{\n  \"a\": 1\n}\n");
}

Test(terminal_text, a_failed_write_is_said)
{
    int reading = stream_catch(STDERR_FILENO);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert_eq(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    cr_assert_not(terminal_write("x", 1));
    expect_caught(reading, "iclientctl: cannot write to the standard output: No space left on device\n");
}

Test(terminal_text, an_incomplete_buffer_is_not_written)
{
    int out = stream_catch(STDOUT_FILENO);
    int reading = stream_catch(STDERR_FILENO);
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 1);
    text_buffer_append_text(&buffer, "ab");
    cr_assert_not(terminal_write_buffer(&buffer));
    expect_caught(reading, "iclientctl: out of memory\n");
    expect_caught(out, "");
}
