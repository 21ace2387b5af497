#include "iclientctl/exit_code.h"

#include <criterion/criterion.h>
#include <string.h>

/* `iclientctl --help` and docs/OPERATIONS.md promise the numbers to scripts. */
Test(exit_code, error_codes_of_the_api_have_their_exit_codes)
{
    static const struct {
        const char *code;
        int exit;
        const char *advice; /* a part of it; NULL: none */
    } rows[] = {
        {"authorization_required", 3, "iclientctl login NAME"},
        {"not_allowed", 4, "administrator"},
        {"provider_unavailable", 5, "iclientctl status NAME"},
        {"token_rejected", 5, "scope"},
        {"busy", 5, "try again"},
        {"not_ready", 6, "starting"},
        {"store_unavailable", 6, "disk"},
        {"not_found", 1, "iclientctl list"},
        {"inactive", 1, "active"},
        {"conflict", 1, "try again"},
        {"client_rejected", 1, "client id and secret"},
        {"internal_error", 1, NULL},
        {"busy_", 1, NULL},
        {"", 1, NULL},
        {NULL, 1, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *code = rows[i].code ? rows[i].code : "(none)";
        const char *advice = exit_code_advice(rows[i].code);
        cr_expect_eq((int)exit_code_from_api(rows[i].code), rows[i].exit, "%s", code);
        cr_expect_eq(advice != NULL, rows[i].advice != NULL, "%s", code);
        if (advice && rows[i].advice)
            cr_expect_not_null(strstr(advice, rows[i].advice), "%s: %s", code, advice);
    }
}

Test(exit_code, a_call_without_a_reply_has_its_own)
{
    static const struct {
        enum status status;
        int exit;
    } rows[] = {
        {OK, 0},          {ERR_DENIED, 4},  {ERR_IO, 6},        {ERR_NOT_FOUND, 6},
        {ERR_TIMEOUT, 6}, {ERR_INVALID, 1}, {ERR_NO_MEMORY, 1}, {ERR_TOO_LARGE, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq((int)exit_code_from_status(rows[i].status), rows[i].exit, "status %d", (int)rows[i].status);
}
