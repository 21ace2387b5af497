#include <string.h>

#include "base/json_read.h"
#include "iclientctl/api_call.h"
#include "iclientctl/command.h"
#include "iclientctl/terminal_text.h"

/* What became of it at the provider; here the tokens are forgotten in each case. */
static const struct {
    const char *provider;
    enum exit_code exit;
    const char *words;
} outcomes[] = {
    {"confirmed", EXIT_DONE, "revoked at the provider and forgotten here"},
    {"unsupported", EXIT_DONE, "forgotten here; this provider offers no revocation, so the tokens end by themselves"},
    {"failed", EXIT_FAILED, "forgotten here, but the provider did not confirm; revoke the access in its console"},
};

enum exit_code command_revoke(const struct arguments *arguments)
{
    const char *name = arguments->operands[0];
    const struct api_call call = {
        .socket = SOCKET_ADMIN,
        .method = "POST",
        .collection = "connections",
        .name = name,
        .action = "revoke",
        .timeout_seconds = API_TIMEOUT_PROVIDER,
    };
    AUTO_JSON document = NULL;
    enum exit_code code = api_call_json(arguments, &call, &document);
    if (code != EXIT_DONE)
        return code;
    if (arguments->options[OPTION_JSON] && !terminal_write_json(document))
        return EXIT_FAILED;

    const char *provider = json_read_string(document, "provider");
    const char *message = json_read_string(document, "message");
    if (message && *message)
        terminal_say("%s: %s", name, message);
    for (size_t i = 0; provider && i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (strcmp(provider, outcomes[i].provider) == 0 && json_is_true(json_object_get(document, "revoked"))) {
            terminal_say("%s: %s", name, outcomes[i].words);
            return outcomes[i].exit;
        }
    }
    terminal_say("%s: not revoked", name);
    return EXIT_FAILED;
}
