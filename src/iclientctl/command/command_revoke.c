#include <string.h>

#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/command/command.h"
#include "iclientctl/terminal/terminal_text.h"

static const struct {
    const char *provider; /* what became of the tokens there; NULL: there were none */
    bool revoked;         /* forgotten here */
    enum exit_code exit;
    const char *words;
} outcomes[] = {
    {"confirmed", true, EXIT_DONE, "revoked at the provider and forgotten here"},
    {"unsupported", true, EXIT_DONE,
     "forgotten here; this provider has no revocation, so the tokens end by themselves"},
    {"failed", true, EXIT_FAILED, "forgotten here, but the provider did not confirm; revoke the access in its console"},
    {NULL, false, EXIT_DONE, "there were no tokens"},
};

static bool is_same_text(const char *text, const json_t *value)
{
    return text ? json_is_string(value) && strcmp(text, json_string_value(value)) == 0 : json_is_null(value);
}

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
    struct api_failure failure;
    enum exit_code code = api_call_try_json(arguments, &call, &document, &failure);
    /* Unlike a fetch it is not tried again by itself. */
    if (code == EXIT_PROVIDER_UNAVAILABLE)
        failure.advice = "nothing is forgotten; when the provider is back, run: iclientctl revoke NAME";
    if (code != EXIT_DONE)
        return api_failure_say(arguments, &failure, name);
    if (arguments->options[OPTION_JSON] && !terminal_write_json(document))
        return EXIT_FAILED;

    const char *message = json_read_string(document, "message");
    bool has_message = message && *message;
    bool revoked = json_is_true(json_object_get(document, "revoked"));
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (revoked == outcomes[i].revoked &&
            is_same_text(outcomes[i].provider, json_object_get(document, "provider"))) {
            bool adds_why = has_message && outcomes[i].exit != EXIT_DONE;
            terminal_say("%s: %s%s%s", name, outcomes[i].words, adds_why ? ": " : "", adds_why ? message : "");
            return outcomes[i].exit;
        }
    }
    terminal_say("%s: not revoked%s%s", name, has_message ? ": " : "", has_message ? message : "");
    return EXIT_FAILED;
}
