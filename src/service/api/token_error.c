/* Why there is no token, and what to do about it. */
#include <string.h>

#include "base/clock.h"
#include "model/catalog/tenant.h"
#include "service/api/api_request.h"

enum { MESSAGE_MAX = 8 * 1024 };

struct token_error_row {
    enum api_error_code code;
    bool has_trouble; /* the entry's trouble tells it better than message does */
    const char *message;
    const char *advice;   /* NULL: none */
    bool names_login;     /* the advice ends with the command for a login */
    bool has_retry_after; /* the message ends with when to ask again */
};

static const struct token_error_row token_errors[] = {
    [TOKEN_AUTHORIZATION_REQUIRED] = {API_ERROR_AUTHORIZATION_REQUIRED, true, "nobody has authorized this connection",
                                      "run: ", true, false},
    [TOKEN_INACTIVE] = {API_ERROR_INACTIVE, false, "the connection or its iClient is switched off",
                        "its configuration says \"active\": false", false, false},
    [TOKEN_CLIENT_REJECTED] = {API_ERROR_CLIENT_REJECTED, true, "the provider refuses the iClient",
                               "check the iClient's client id, secret and grant at the provider", false, true},
    [TOKEN_PROVIDER_UNAVAILABLE] = {API_ERROR_PROVIDER_UNAVAILABLE, true, "the provider has not answered yet", NULL,
                                    false, true},
    [TOKEN_PROVIDER_ERROR] = {API_ERROR_PROVIDER_ERROR, true, "the provider's answer makes no sense", NULL, false,
                              true},
    [TOKEN_STORE_UNAVAILABLE] = {API_ERROR_STORE_UNAVAILABLE, true, "the token store cannot be written",
                                 "the present token is kept; an operator looks at the daemon's log and its disk", false,
                                 true},
    [TOKEN_UNSUPPORTED] = {API_ERROR_UNSUPPORTED, false, "the provider has no OAuth 2.0 grant", NULL, false, false},
    [TOKEN_BUSY] = {API_ERROR_BUSY, false, "your user has its share of the callers that wait and the fetches under way",
                    NULL, false, true},
    [TOKEN_REJECTED] = {API_ERROR_TOKEN_REJECTED, false, "your user reports every new token as refused by the API",
                        "look at scope, audience and the failure rules", false, true},
    [TOKEN_OVERLOADED] = {API_ERROR_OVERLOADED, false, "there is no room for another fetch now", NULL, false, true},
};

void api_append_login_command(const struct connection *connection, struct text_buffer *buffer)
{
    text_buffer_append_text(buffer, "iclientctl login ");
    text_buffer_append_text(buffer, connection_name(connection));
    if (tenant_is_default(connection_tenant(connection)))
        return;
    text_buffer_append_text(buffer, " --tenant ");
    text_buffer_append_text(buffer, connection_tenant(connection));
}

static const char *find_reason(const struct token_error_row *row, const struct token_entry *entry)
{
    const struct entry_trouble *trouble = token_entry_trouble(entry);
    if (row->has_trouble && trouble && trouble->message[0] != '\0')
        return trouble->message;
    if (row->code == API_ERROR_UNSUPPORTED) {
        const char *reason = iclient_no_grant_reason(connection_iclient(token_entry_connection(entry)));
        return reason ? reason : row->message;
    }
    return row->message;
}

static void append_message(const struct token_error_row *row, const struct token_entry *entry, int64_t retry_after,
                           struct text_buffer *message)
{
    const struct iclient *iclient = connection_iclient(token_entry_connection(entry));
    text_buffer_append_text(message, find_reason(row, entry));
    if (row->advice) {
        text_buffer_append_text(message, "; ");
        text_buffer_append_text(message, row->advice);
    }
    /* RFC 6749 §5.2 has one word, invalid_grant, for a wrong account. */
    if (row->code == API_ERROR_CLIENT_REJECTED && iclient_grant(iclient) == GRANT_PASSWORD)
        text_buffer_append_text(message, ", and the user name and password");
    if (row->names_login)
        api_append_login_command(token_entry_connection(entry), message);
    if (retry_after)
        text_buffer_append_format(message, "; ask again in %lld s", (long long)retry_after);
}

/* A second where nothing better is known: a caller that is told nothing asks at once. */
static int64_t find_retry_after(const struct token_error_row *row, const struct token_entry *entry, uid_t caller)
{
    int64_t known = row->code == API_ERROR_TOKEN_REJECTED ? broker_report_pause(entry, caller)
                                                          : broker_retry_after(entry, clock_wall());
    if (!row->has_retry_after)
        return 0;
    return known > 0 ? known : 1;
}

void api_reply_token_error(struct http_call *call, struct token_entry *entry, enum token_answer answer,
                           const char *members)
{
    const struct token_error_row *row = &token_errors[answer];
    AUTO_FINISH(text_buffer) message;
    text_buffer_init(&message, MESSAGE_MAX);
    int64_t retry_after = find_retry_after(row, entry, http_call_peer(call)->uid);
    append_message(row, entry, retry_after, &message);
    struct api_error error = {
        .code = row->code,
        .message = message.failed ? row->message : text_buffer_text(&message),
        .retry_after = retry_after,
        .members = members,
    };
    api_error_reply(call, &error);
}
