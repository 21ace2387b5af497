#include "service/redirect/redirect_endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "base/text/url.h"
#include "broker/login/authorization_session.h"
#include "service/redirect/pages.h"
#include "service/redirect/redirect_host.h"

enum { PROVIDER_WORDS_MAX = 1000, COOKIE_TEXT_MAX = 512 };

#define CONNECT_PATH "/connect/"

struct redirect_endpoint {
    struct broker *broker;
    struct redirect_hosts hosts;
    bool is_secure; /* the base URI is https: the cookie too */
};

enum status redirect_endpoint_create(struct broker *broker, const struct redirect_endpoint_options *options,
                                     struct redirect_endpoint **ret_endpoint, struct error *ret_error)
{
    AUTO(redirect_endpoint) endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint)
        return error_set(ret_error, ERR_NO_MEMORY, "the redirect endpoint");
    endpoint->broker = broker;
    endpoint->is_secure = strncasecmp(options->base_uri, "https:", 6) == 0;
    enum status status = redirect_hosts_init(&endpoint->hosts, options->base_uri, options->listen_port, ret_error);
    if (status != OK)
        return status;
    *ret_endpoint = TAKE(endpoint);
    return OK;
}

void redirect_endpoint_destroy(struct redirect_endpoint *endpoint)
{
    if (!endpoint)
        return;
    redirect_hosts_finish(&endpoint->hosts);
    free(endpoint);
}

/* ---- replies ---- */

enum { SECURITY_HEADERS = 7, EXTRA_HEADERS_MAX = 2 };

static void reply(struct http_call *call, int status, const struct http_reply_header *extra, size_t extra_count,
                  const struct text_buffer *body)
{
    struct http_reply_header headers[SECURITY_HEADERS + EXTRA_HEADERS_MAX] = {
        {"Content-Security-Policy", page_security_policy()},
        {"Cache-Control", "no-store"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    memcpy(headers + SECURITY_HEADERS, extra, extra_count * sizeof *extra);
    http_call_reply(call, status, body->length > 0 ? "text/html; charset=utf-8" : NULL, headers,
                    SECURITY_HEADERS + extra_count, text_buffer_text(body), body->length);
}

static void reply_page_with(struct http_call *call, const struct page *page, const struct http_reply_header *extra,
                            size_t extra_count)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, PAGE_MAX);
    if (!page_append(page, &body))
        text_buffer_clear(&body);
    reply(call, page_status(page), extra, extra_count, &body);
}

static void reply_page(struct http_call *call, const struct page *page)
{
    static const struct http_reply_header allow[] = {{"Allow", "GET"}};
    reply_page_with(call, page, allow, page->kind == PAGE_WRONG_METHOD);
}

static void reply_kind(struct http_call *call, enum page_kind kind)
{
    reply_page(call, &(struct page){.kind = kind});
}

/* ---- the link ---- */

static void send_to_provider(struct redirect_endpoint *endpoint, struct http_call *call,
                             const struct authorization_session *session, const char *cookie_name, const char *cookie)
{
    AUTO_FINISH(text_buffer) set_cookie;
    AUTO_FINISH(text_buffer) empty;
    text_buffer_init(&empty, 0);
    text_buffer_init(&set_cookie, COOKIE_TEXT_MAX);
    /* Lax: the provider's redirect is a cross-site navigation and has to bring the cookie along. */
    text_buffer_append_format(&set_cookie, "%s=%s; HttpOnly; SameSite=Lax; Path=/; Max-Age=%d%s", cookie_name, cookie,
                              AUTHORIZATION_SESSION_SECONDS, endpoint->is_secure ? "; Secure" : "");
    if (set_cookie.failed) {
        reply_kind(call, PAGE_BUSY);
        return;
    }
    const struct http_reply_header headers[] = {
        {"Location", authorization_session_url(session)},
        {"Set-Cookie", text_buffer_text(&set_cookie)},
    };
    reply(call, 302, headers, 2, &empty);
}

static void take_up_link(struct redirect_endpoint *endpoint, struct http_call *call, struct http_text ticket)
{
    AUTO_TEXT text = strndup(ticket.data, ticket.length);
    AUTO_TEXT cookie_name = NULL;
    AUTO_TEXT cookie = NULL;
    const struct authorization_session *session;
    enum status status = ERR_NO_MEMORY;
    if (text)
        status = authorization_session_take_up(endpoint->broker, text, &session, &cookie_name, &cookie);
    if (status == OK)
        send_to_provider(endpoint, call, session, cookie_name, cookie);
    else
        reply_kind(call, status == ERR_NOT_FOUND ? PAGE_LINK_USED : PAGE_BUSY);
}

/* ---- the answer ---- */

/* A browser that waits for its login's end. */
struct browser_wait {
    struct http_call *call;
    const struct authorization_session *session;
    bool *ended; /* set when the login ends before the broker has returned; NULL afterwards */
    bool was_declined;
    char *provider_words; /* the answer's error, to be believed only once its state was; NULL: none */
};

static void browser_wait_destroy(struct browser_wait *wait)
{
    if (!wait)
        return;
    free(wait->provider_words);
    free(wait);
}
AUTO_DEFINE(browser_wait);

/* What an error answer says (RFC 6749 §4.1.2.1). False when out of memory. */
static bool read_provider_words(struct browser_wait *wait, struct http_text query)
{
    AUTO_TEXT error = NULL;
    AUTO_TEXT description = NULL;
    if (form_find(query.data, query.length, "error", &error) != OK)
        return true;
    form_find(query.data, query.length, "error_description", &description);
    wait->was_declined = strcmp(error, "access_denied") == 0;
    AUTO_FINISH(text_buffer) words;
    text_buffer_init(&words, 2 * PROVIDER_WORDS_MAX + 8);
    text_buffer_append(&words, error, strnlen(error, PROVIDER_WORDS_MAX));
    if (description) {
        text_buffer_append_text(&words, ": ");
        text_buffer_append(&words, description, strnlen(description, PROVIDER_WORDS_MAX));
    }
    wait->provider_words = text_buffer_take(&words);
    return wait->provider_words;
}

static void browser_gone(void *context)
{
    struct browser_wait *wait = context;
    authorization_session_forget_waiter(wait->session, wait);
    browser_wait_destroy(wait);
}

static enum page_kind end_page(const struct browser_wait *wait, const struct authorization_session *session)
{
    enum session_state state = authorization_session_state(session);
    bool is_unsaved = token_entry_is_unsaved(authorization_session_entry(session));
    if (state == SESSION_COMPLETED)
        return is_unsaved ? PAGE_NOT_SAVED : PAGE_CONNECTED;
    if (state == SESSION_EXPIRED)
        return PAGE_ANSWER_UNKNOWN;
    if (!wait->provider_words)
        return PAGE_NOT_FINISHED;
    return wait->was_declined ? PAGE_DECLINED : PAGE_PROVIDER_REFUSED;
}

static void reply_end(const struct browser_wait *wait, const struct authorization_session *session)
{
    struct token_entry *entry = authorization_session_entry(session);
    const struct connection *connection = token_entry_connection(entry);
    struct page page = {.kind = end_page(wait, session)};
    if (connection) {
        const struct iclient *iclient = connection_iclient(connection);
        page.connection = connection_name(connection);
        page.tenant = connection_tenant(connection);
        page.iclient = iclient_name(iclient);
        page.provider = iclient_text(iclient, ICLIENT_PROVIDER);
        page.scope = token_entry_scope(entry);
    }
    if (page.kind == PAGE_NOT_FINISHED)
        page.detail = authorization_session_message(session);
    if (page.kind == PAGE_DECLINED || page.kind == PAGE_PROVIDER_REFUSED)
        page.provider_words = wait->provider_words;
    reply_page(wait->call, &page);
}

static void login_ended(void *context, const struct authorization_session *session)
{
    AUTO(browser_wait) wait = context;
    if (wait->ended)
        *wait->ended = true;
    reply_end(wait, session);
}

static void reply_answer_error(struct http_call *call, enum status status, const struct error *error)
{
    struct page page = {.kind = PAGE_BUSY};
    if (status == ERR_NOT_FOUND)
        page.kind = PAGE_ANSWER_UNKNOWN;
    if (status == ERR_DENIED)
        page.kind = PAGE_NOT_BELIEVED;
    if (status == ERR_INVALID)
        page.kind = PAGE_BAD_ANSWER;
    if (status == ERR_DENIED || status == ERR_INVALID)
        page.detail = error->message;
    reply_page(call, &page);
}

/* Copies: the request's texts have no NUL at their end. */
struct answer_texts {
    char *path;
    char *query;
    char *cookie; /* NULL: the browser sent none */
};

static bool answer_texts_init(struct answer_texts *texts, struct http_call *call)
{
    struct http_text path = http_call_path(call);
    struct http_text query = http_call_query(call);
    struct http_text cookie;
    bool has_cookie = http_call_header(call, "Cookie", &cookie);
    texts->path = strndup(path.data, path.length);
    texts->query = strndup(query.data, query.length);
    texts->cookie = has_cookie ? strndup(cookie.data, cookie.length) : NULL;
    return texts->path && texts->query && (texts->cookie || !has_cookie);
}

static void answer_texts_finish(struct answer_texts *texts)
{
    free(texts->path);
    if (texts->query)
        secret_wipe(texts->query, strlen(texts->query));
    free(texts->query);
    if (texts->cookie)
        secret_wipe(texts->cookie, strlen(texts->cookie));
    free(texts->cookie);
}

static void take_answer(struct redirect_endpoint *endpoint, struct http_call *call)
{
    AUTO_FINISH(answer_texts) texts = {0};
    AUTO(browser_wait) wait = calloc(1, sizeof *wait);
    if (!wait || !answer_texts_init(&texts, call) || !read_provider_words(wait, http_call_query(call))) {
        reply_kind(call, PAGE_BUSY);
        return;
    }
    bool has_ended = false;
    wait->call = call;
    wait->ended = &has_ended;
    struct authorization_answer answer = {.path = texts.path, .query = texts.query, .cookie = texts.cookie};
    const struct authorization_session *session = NULL;
    struct error error = {0};
    enum status status = authorization_session_answer(endpoint->broker, &answer, login_ended, wait, &session, &error);
    if (status != OK) {
        reply_answer_error(call, status, &error);
        return;
    }
    struct browser_wait *kept = TAKE(wait);
    if (has_ended)
        return;
    kept->ended = NULL;
    kept->session = session;
    http_call_on_gone(call, browser_gone, kept);
}

/* ---- the request ---- */

static bool header_is(const struct http_call *call, const char *name, const char *value)
{
    struct http_text text;
    return http_call_header(call, name, &text) && text.length == strlen(value) &&
           strncasecmp(text.data, value, text.length) == 0;
}

/*
 * Fetch Metadata: a person's navigation comes as mode "navigate" of a document, or from a browser that says nothing.
 * Images, scripts, frames and prefetches of another page must not use up a link.
 */
static bool is_opened_by_person(const struct http_call *call)
{
    struct http_text text;
    if (http_call_header(call, "Sec-Fetch-Mode", &text) && !header_is(call, "Sec-Fetch-Mode", "navigate"))
        return false;
    if (http_call_header(call, "Sec-Fetch-Dest", &text) && !header_is(call, "Sec-Fetch-Dest", "document"))
        return false;
    return !http_call_header(call, "Sec-Purpose", &text) && !http_call_header(call, "Purpose", &text);
}

static bool starts_with(struct http_text text, const char *start)
{
    size_t length = strlen(start);
    return text.length >= length && memcmp(text.data, start, length) == 0;
}

static bool text_is(struct http_text text, const char *word)
{
    return text.length == strlen(word) && starts_with(text, word);
}

/* What only shows a page, and so serves HEAD as well; PAGE_COUNT: the path does something. */
static enum page_kind find_plain_page(struct http_text path, struct http_text query)
{
    if (starts_with(path, CONNECT_PATH))
        return PAGE_COUNT;
    if (text_is(path, "/favicon.ico"))
        return PAGE_NOT_FOUND;
    if (query.length > 0)
        return PAGE_COUNT;
    return text_is(path, "/") ? PAGE_FRONT : PAGE_NOT_FOUND;
}

static void take_action(struct redirect_endpoint *endpoint, struct http_call *call, struct http_text path)
{
    if (!is_opened_by_person(call)) {
        reply_kind(call, PAGE_NOT_OPENED);
        return;
    }
    size_t prefix = strlen(CONNECT_PATH);
    if (starts_with(path, CONNECT_PATH))
        take_up_link(endpoint, call, (struct http_text){path.data + prefix, path.length - prefix});
    else
        take_answer(endpoint, call);
}

void redirect_endpoint_handle(struct http_call *call, void *context)
{
    struct redirect_endpoint *endpoint = context;
    enum http_verb verb = http_call_verb(call);
    struct http_text path = http_call_path(call);
    struct http_text host;
    if (!http_call_header(call, "Host", &host) || !redirect_hosts_have(&endpoint->hosts, host)) {
        log_debug("redirect endpoint: refused a request that names another host");
        reply_kind(call, PAGE_WRONG_HOST);
        return;
    }
    enum page_kind plain = find_plain_page(path, http_call_query(call));
    bool is_plain = plain != PAGE_COUNT;
    if (verb == HTTP_VERB_GET && !is_plain)
        take_action(endpoint, call, path);
    else if (is_plain && (verb == HTTP_VERB_GET || verb == HTTP_VERB_HEAD))
        reply_kind(call, plain);
    else
        reply_kind(call, PAGE_WRONG_METHOD);
}

void redirect_endpoint_refuse(struct http_call *call, const struct http_refusal *refusal, void *context)
{
    (void)context;
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%d", refusal->retry_after);
    const struct http_reply_header retry_after[] = {{"Retry-After", seconds}};
    struct page page = {.kind = PAGE_NOT_UNDERSTOOD, .status = refusal->status, .detail = refusal->message};
    if (refusal->retry_after > 0)
        page = (struct page){.kind = refusal->status == 429 ? PAGE_TOO_MANY : PAGE_BUSY};
    reply_page_with(call, &page, retry_after, refusal->retry_after > 0);
}
