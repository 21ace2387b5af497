#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "iclientctl/terminal/terminal_text.h"

#define EXPECT_TABLE(table, colours, expected)                                                                         \
    do {                                                                                                               \
        AUTO_FINISH(text_buffer) buffer_;                                                                              \
        text_buffer_init(&buffer_, 64 * 1024);                                                                         \
        cr_assert(terminal_table_append(table, colours, &buffer_));                                                    \
        cr_expect_str_eq(text_buffer_text(&buffer_), expected);                                                        \
    } while (0)

static void add_row(struct terminal_table *table, const char *first, const char *second)
{
    terminal_table_add(table, (const struct terminal_cell[]){{first, TONE_PLAIN}, {second, TONE_GOOD}});
}

Test(terminal_table, columns_are_as_wide_as_their_widest_cell)
{
    static const char *const titles[] = {"NAME", "STATE"};
    AUTO(terminal_table) table = terminal_table_create(titles, 2);
    EXPECT_TABLE(table, false, "NAME  STATE\n");
    add_row(table, "a-long-name", "ready");
    add_row(table, "b", NULL);
    add_row(table, "", "M\xc3\xbc");
    add_row(table, "M\xc3\xbcnchen", "x");
    EXPECT_TABLE(table, false,
                 "NAME         STATE\n"
                 "a-long-name  ready\n"
                 "b            -\n"
                 "-            M\xc3\xbc\n"
                 "M\xc3\xbcnchen      x\n");
}

Test(terminal_table, colours_take_no_room)
{
    static const char *const titles[] = {"A", "B"};
    AUTO(terminal_table) table = terminal_table_create(titles, 2);
    add_row(table, "x", "y");
    EXPECT_TABLE(table, true, "\033[1mA\033[0m  \033[1mB\033[0m\nx  \033[32my\033[0m\n");
}

Test(terminal_table, cells_are_escaped_and_measured_as_they_are_shown)
{
    AUTO(terminal_table) table = terminal_table_create(NULL, 2);
    add_row(table, "\033", "x\ny");
    add_row(table, "abc", "z");
    EXPECT_TABLE(table, false, "\\x1b  x\\x0ay\nabc   z\n");
}

Test(terminal_table, no_rows_are_no_lines)
{
    AUTO(terminal_table) table = terminal_table_create(NULL, 2);
    EXPECT_TABLE(table, false, "");
}

Test(terminal_table, many_rows_are_all_there)
{
    enum { ROWS = 1000 };
    AUTO(terminal_table) table = terminal_table_create(NULL, 2);
    AUTO_FINISH(text_buffer) expected;
    text_buffer_init(&expected, 64 * 1024);
    for (int i = 0; i < ROWS; i++) {
        char number[16];
        snprintf(number, sizeof number, "%04d", i);
        add_row(table, number, "x");
        text_buffer_append_format(&expected, "%s  x\n", number);
    }
    EXPECT_TABLE(table, false, text_buffer_text(&expected));
}

Test(terminal_table, a_buffer_that_is_too_small_fails)
{
    AUTO(terminal_table) table = terminal_table_create(NULL, 2);
    add_row(table, "abc", "def");
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 5);
    cr_assert_not(terminal_table_append(table, false, &buffer));
}
