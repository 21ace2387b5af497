/* A browser login as an operator sees it: begun with a link, finished by the browser or by paste. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json_read.h"
#include "base/text/url.h"
#include "service/admin/api_admin.h"
#include "service/admin/connection_json.h"

static enum api_error_code begin_error(enum status status)
{
    switch (status) {
    case ERR_UNSUPPORTED:
        return API_ERROR_UNSUPPORTED;
    case ERR_CONFLICT:
        return API_ERROR_INACTIVE;
    case ERR_INVALID:
        return API_ERROR_INVALID_REQUEST;
    case ERR_DENIED:    /* the authorization URL cannot be made, or is outside validDomainNames */
    case ERR_NOT_FOUND: /* a template of it leads nowhere */
        return API_ERROR_INVALID_ICLIENT;
    case ERR_NO_MEMORY:
        return API_ERROR_OVERLOADED;
    default:
        return API_ERROR_BUSY;
    }
}

static void reply_begin_error(struct http_call *call, enum status status, const struct error *error)
{
    struct api_error reply = {
        .code = begin_error(status),
        .message = error->message,
        .field = status == ERR_INVALID ? "redirect_uri" : NULL,
    };
    api_error_reply(call, &reply);
}

/*
 * The cookie of a login reaches the host that set it alone: where the redirect URI says "localhost" and the base URI
 * "127.0.0.1", both the same endpoint, the link has to say what the redirect URI says. Appends "http://host:port".
 */
static void append_connect_base(const char *base_uri, const char *redirect_uri, struct text_buffer *text)
{
    AUTO(url) base = NULL;
    AUTO(url) redirect = NULL;
    bool is_same_endpoint = url_parse(base_uri, &base, NULL) == OK && url_parse(redirect_uri, &redirect, NULL) == OK &&
                            url_host_is_loopback(base) && url_host_is_loopback(redirect) &&
                            url_port(base) == url_port(redirect) && strcmp(url_scheme(base), url_scheme(redirect)) == 0;
    if (!is_same_endpoint) {
        text_buffer_append_text(text, base_uri);
        return;
    }
    bool has_colon = strchr(url_host(redirect), ':');
    text_buffer_append_format(text, "%s://%s%s%s:%d", url_scheme(redirect), has_colon ? "[" : "", url_host(redirect),
                              has_colon ? "]" : "", url_port(redirect));
    if (strcmp(url_path(base), "/") != 0)
        text_buffer_append_text(text, url_path(base));
}

static void append_json_text(struct text_buffer *body, const char *name, const char *text)
{
    text_buffer_append_format(body, "\"%s\":", name);
    text_buffer_append_json_string(body, text, strlen(text));
    text_buffer_append_text(body, ",");
}

static void reply_begun(struct api_request *request, const struct authorization_session *session,
                        const char *redirect_uri)
{
    AUTO_FINISH(text_buffer) link;
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&link, URL_MAX);
    text_buffer_init(&body, API_DOCUMENT_MAX);
    append_connect_base(request->api->redirect_base_uri, redirect_uri, &link);
    text_buffer_append_text(&link, "/connect/");
    if (!text_buffer_append_text(&link, authorization_session_ticket(session))) {
        api_error_reply_no_memory(request->call);
        return;
    }
    text_buffer_append_text(&body, "{");
    append_json_text(&body, "connect_url", text_buffer_text(&link));
    append_json_text(&body, "authorization_url", authorization_session_url(session));
    append_json_text(&body, "redirect_uri", redirect_uri);
    text_buffer_append_format(&body, "\"expires_in\":%" PRId64 "}", authorization_session_expires_in(session));
    api_reply_json(request->call, &body);
}

void api_admin_authorize(struct api_request *request)
{
    AUTO_JSON document = NULL;
    if (!api_request_find_entry(request) || !api_request_read_body(request, true, &document))
        return;
    const json_t *member = json_object_get(document, "redirect_uri");
    if (member && !json_is_string(member) && !json_is_null(member)) {
        api_error_reply_field(request->call, "redirect_uri", "redirect_uri is a string");
        return;
    }
    const char *asked = json_string_value(member);
    const struct authorization_session *session;
    struct error error = {0};
    api_request_log_action(request, "login");
    enum status status = authorization_session_begin(request->api->broker, request->entry, asked, &session, &error);
    if (status != OK) {
        reply_begin_error(request->call, status, &error);
        return;
    }
    const struct iclient *iclient = connection_iclient(token_entry_connection(request->entry));
    reply_begun(request, session, asked ? asked : iclient_redirect_uri(iclient));
}

/* ---- finishing by paste ---- */

/* A call that waits for the code's exchange. The broker may call back within authorization_session_answer(). */
struct login_wait {
    struct http_call *call;
    struct token_entry *entry;
};

static void reply_login_failed(struct http_call *call, const struct connection *connection, const char *reason)
{
    AUTO_FINISH(text_buffer) message;
    text_buffer_init(&message, API_ERROR_TEXT_MAX / 2);
    text_buffer_append_text(&message, "the login failed: ");
    text_buffer_append_text(&message, reason);
    text_buffer_append_text(&message, "; begin again: ");
    api_append_login_command(connection, &message);
    api_error_reply_text(call, API_ERROR_AUTHORIZATION_REQUIRED, message.failed ? reason : text_buffer_text(&message));
}

static void login_ended(void *context, const struct authorization_session *session)
{
    struct login_wait *wait = context;
    const struct connection *connection = token_entry_connection(wait->entry);
    if (!connection)
        api_error_reply_text(wait->call, API_ERROR_NOT_FOUND, "the connection left the configuration");
    else if (authorization_session_state(session) == SESSION_COMPLETED)
        connection_json_reply(wait->call, wait->entry);
    else
        reply_login_failed(wait->call, connection, authorization_session_message(session));
    free(wait);
}

static void caller_gone(void *context)
{
    struct login_wait *wait = context;
    /* The session that the call waits for is the entry's own: a login by paste is of no other. */
    const struct authorization_session *session = authorization_session_latest(wait->entry);
    if (session)
        authorization_session_forget_waiter(session, wait);
    free(wait);
}

static void reply_answer_error(struct api_request *request, enum status status, const struct error *error)
{
    struct http_call *call = request->call;
    if (status == ERR_NO_MEMORY)
        api_error_reply_no_memory(call);
    else if (status == ERR_DENIED)
        reply_login_failed(call, token_entry_connection(request->entry), error->message);
    else if (status == ERR_BUSY)
        api_error_reply_text(call, API_ERROR_BUSY, error->message);
    else
        api_error_reply_field(call, "redirect_url", error->message);
}

static void begin_answer(struct api_request *request, const struct url *pasted)
{
    struct login_wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        api_error_reply_no_memory(request->call);
        return;
    }
    *wait = (struct login_wait){.call = request->call, .entry = request->entry};
    struct authorization_answer answer = {
        .path = url_path(pasted),
        .query = url_query(pasted),
        .paste_entry = request->entry,
    };
    const struct authorization_session *session;
    struct error error = {0};
    http_call_on_gone(request->call, caller_gone, wait);
    enum status status =
        authorization_session_answer(request->api->broker, &answer, login_ended, wait, &session, &error);
    if (status == OK)
        return;
    free(wait);
    reply_answer_error(request, status, &error);
}

void api_admin_complete(struct api_request *request)
{
    AUTO_JSON document = NULL;
    if (!api_request_find_entry(request) || !api_request_read_body(request, false, &document))
        return;
    const char *text = json_read_string(document, "redirect_url");
    if (!text) {
        api_error_reply_field(request->call, "redirect_url",
                              "redirect_url is the whole address that the browser was sent to at the end");
        return;
    }
    /* Browsers keep a fragment that some providers add ("#_=_"); it is not part of the answer. */
    AUTO_TEXT address = strndup(text, strcspn(text, "#"));
    AUTO(url) pasted = NULL;
    struct error error = {0};
    if (!address || url_parse(address, &pasted, &error) != OK || !url_query(pasted)) {
        api_error_reply_field(request->call, "redirect_url",
                              "this is no address with the provider's answer in it: copy all of the browser's address "
                              "line");
        return;
    }
    api_request_log_action(request, "finishing a login by paste");
    begin_answer(request, pasted);
}
