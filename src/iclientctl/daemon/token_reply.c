#include "iclientctl/daemon/token_reply.h"

#include <stdio.h>

#include "base/json/json_read.h"
#include "iclientctl/daemon/api_call.h"
#include "iclientctl/terminal/terminal_text.h"

/* The daemon's own default for ?wait, and what it may take beyond it to answer. */
enum { WAIT_DEFAULT = 30, WAIT_GRACE = 5 };

static enum exit_code make_query(const struct arguments *arguments, char *query, size_t size, long *ret_timeout)
{
    struct error error;
    long min_ttl, wait;
    if (arguments_seconds(arguments, OPTION_MIN_TTL, -1, &min_ttl, &error) != OK ||
        arguments_seconds(arguments, OPTION_WAIT, -1, &wait, &error) != OK) {
        terminal_say("%s", error.message);
        return EXIT_USAGE;
    }
    int length = 0;
    query[0] = '\0';
    if (min_ttl >= 0)
        length = snprintf(query, size, "min_ttl=%ld", min_ttl);
    if (wait >= 0)
        snprintf(query + length, size - (size_t)length, "%swait=%ld", length > 0 ? "&" : "", wait);
    *ret_timeout = (wait >= 0 ? wait : WAIT_DEFAULT) + WAIT_GRACE;
    return EXIT_DONE;
}

const char *token_reply_access_token(const json_t *document)
{
    return json_read_string(document, "access_token");
}

enum exit_code token_reply_fetch(const struct arguments *arguments, json_t **ret_document)
{
    const char *name = arguments->operands[0];
    char query[64];
    struct api_call call = {
        .socket = SOCKET_TOKEN, .method = "GET", .collection = "token", .name = name, .query = query};
    enum exit_code code = make_query(arguments, query, sizeof query, &call.timeout_seconds);
    if (code != EXIT_DONE)
        return code;
    AUTO_JSON document = NULL;
    code = api_call_json(arguments, &call, &document);
    if (code != EXIT_DONE)
        return code;

    const char *token = token_reply_access_token(document);
    if (!token || !*token || !terminal_text_is_plain(token)) {
        terminal_say("%s: the daemon's answer has no usable access token", name);
        return EXIT_FAILED;
    }
    const char *stale = json_read_string(document, "stale_reason");
    if (stale)
        terminal_say("%s: this token is not as fresh as asked for: %s", name, stale);
    *ret_document = TAKE(document);
    return EXIT_DONE;
}
