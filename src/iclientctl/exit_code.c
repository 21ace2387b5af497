#include "iclientctl/exit_code.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *code;
    enum exit_code exit;
    const char *advice;
} api_codes[] = {
    {"authorization_required", EXIT_AUTHORIZATION_REQUIRED, "run: iclientctl login NAME"},
    {"busy", EXIT_PROVIDER_UNAVAILABLE, "try again in a moment"},
    {"client_rejected", EXIT_FAILED, "check the iClient's client id and secret against the provider's console"},
    {"conflict", EXIT_FAILED, "look at what it is now and try again"},
    {"inactive", EXIT_FAILED, "the connection or its iClient says \"active\": false"},
    {"not_allowed", EXIT_NOT_ALLOWED, "ask an administrator to name you in the connection's \"allow\""},
    {"not_found", EXIT_FAILED, "run: iclientctl list"},
    {"not_ready", EXIT_NOT_REACHABLE, "the daemon is starting or its store does not answer; try again in a moment"},
    {"provider_unavailable", EXIT_PROVIDER_UNAVAILABLE, "the daemon goes on trying; run: iclientctl status NAME"},
    {"store_unavailable", EXIT_NOT_REACHABLE, "look at the daemon's log and its disk, and try again"},
    {"token_rejected", EXIT_PROVIDER_UNAVAILABLE, "look at scope, audience and the failure rules, and try again later"},
};

enum exit_code exit_code_from_api(const char *code)
{
    for (size_t i = 0; code && i < sizeof api_codes / sizeof api_codes[0]; i++) {
        if (strcmp(code, api_codes[i].code) == 0)
            return api_codes[i].exit;
    }
    return EXIT_FAILED;
}

const char *exit_code_advice(const char *code)
{
    for (size_t i = 0; code && i < sizeof api_codes / sizeof api_codes[0]; i++) {
        if (strcmp(code, api_codes[i].code) == 0)
            return api_codes[i].advice;
    }
    return NULL;
}

enum exit_code exit_code_from_status(enum status status)
{
    switch (status) {
    case OK:
        return EXIT_DONE;
    case ERR_DENIED:
        return EXIT_NOT_ALLOWED;
    case ERR_IO:
    case ERR_NOT_FOUND:
    case ERR_TIMEOUT:
        return EXIT_NOT_REACHABLE;
    default:
        return EXIT_FAILED;
    }
}
