#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"

Test(error, set_fills_status_and_message_and_returns_status)
{
    struct error error = {0};
    cr_assert_eq(error_set(&error, ERR_DENIED, "host %s: %d", "a.example", 7), ERR_DENIED);
    cr_assert_eq(error.status, ERR_DENIED);
    cr_assert_str_eq(error.message, "host a.example: 7");
}

Test(error, set_takes_null)
{
    cr_assert_eq(error_set(NULL, ERR_BUSY, "%s", "nobody listens"), ERR_BUSY);
}

Test(error, prefix_puts_context_before_message)
{
    struct error error = {0};
    error_set(&error, ERR_INVALID, "no such field");
    cr_assert_eq(error_prefix(&error, "file %s", "a.json"), ERR_INVALID);
    cr_assert_str_eq(error.message, "file a.json: no such field");
}

Test(error, long_messages_are_cut_within_the_array)
{
    char text[2 * ERROR_MESSAGE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct error error = {0};
    error_set(&error, ERR_IO, "%s", text);
    cr_assert_eq(strlen(error.message), ERROR_MESSAGE_MAX - 1);
    error_prefix(&error, "context");
    cr_assert_eq(strlen(error.message), ERROR_MESSAGE_MAX - 1);
    cr_assert_eq(strncmp(error.message, "context: xxx", 12), 0);
    error_prefix(&error, "%s", text);
    cr_assert_eq(strncmp(error.message, "context: xxx", 12), 0, "a prefix that fills the array is left away");
    cr_assert_eq(error.status, ERR_IO);
}

Test(error, prefix_lengths_around_the_limit_keep_the_end)
{
    for (int length = ERROR_MESSAGE_MAX - 6; length < ERROR_MESSAGE_MAX + 2; length++) {
        struct error error = {0};
        error_set(&error, ERR_IO, "cause");
        error_prefix(&error, "%*s", length, "x");
        cr_assert_lt(strlen(error.message), ERROR_MESSAGE_MAX);
    }
}
