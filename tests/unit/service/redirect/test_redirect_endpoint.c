#include "service/fake_call.h"

#include "broker/login/authorization_session.h"
#include "service/redirect/redirect_endpoint.h"

/* ---- the broker's side of a login, in the place of the real one ---- */

struct authorization_session {
    enum session_state state;
    const char *message;
};

struct broker {
    struct authorization_session session;
    enum status take_up;
    enum status answer;
    const char *error;
    bool ends_at_once;
    bool is_unsaved;
    int take_ups;
    int answers;
    int forgotten;
    char path[64];
    char query[256];
    char cookie[64];
    authorization_done *done;
    void *done_context;
};

static struct broker *the_broker;

enum status authorization_session_take_up(struct broker *broker, const char *ticket,
                                          const struct authorization_session **ret_session, char **ret_cookie_name,
                                          char **ret_cookie)
{
    broker->take_ups++;
    if (broker->take_up != OK || strcmp(ticket, "the-ticket") != 0)
        return ERR_NOT_FOUND;
    *ret_session = &broker->session;
    *ret_cookie_name = strdup("login");
    *ret_cookie = strdup("cookie-value");
    return OK;
}

const char *authorization_session_url(const struct authorization_session *session)
{
    (void)session;
    return "https://provider.example/authorize?state=secret-state";
}

enum status authorization_session_answer(struct broker *broker, const struct authorization_answer *answer,
                                         authorization_done *done, void *context,
                                         const struct authorization_session **ret_session, struct error *ret_error)
{
    broker->answers++;
    cr_assert_null(answer->paste_entry);
    snprintf(broker->path, sizeof broker->path, "%s", answer->path);
    snprintf(broker->query, sizeof broker->query, "%s", answer->query);
    snprintf(broker->cookie, sizeof broker->cookie, "%s", answer->cookie ? answer->cookie : "(none)");
    if (broker->answer != OK)
        return error_set(ret_error, broker->answer, "%s", broker->error ? broker->error : "");
    *ret_session = &broker->session;
    broker->done = done;
    broker->done_context = context;
    if (broker->ends_at_once)
        done(context, &broker->session);
    return OK;
}

void authorization_session_forget_waiter(const struct authorization_session *session, void *context)
{
    cr_assert_eq(session, &the_broker->session);
    cr_assert_eq(context, the_broker->done_context);
    the_broker->forgotten++;
}

enum session_state authorization_session_state(const struct authorization_session *session)
{
    return session->state;
}

const char *authorization_session_message(const struct authorization_session *session)
{
    return session->message ? session->message : "";
}

struct token_entry *authorization_session_entry(const struct authorization_session *session)
{
    (void)session;
    return NULL;
}

const struct connection *token_entry_connection(const struct token_entry *entry)
{
    (void)entry;
    return NULL;
}

const char *token_entry_scope(const struct token_entry *entry)
{
    (void)entry;
    return NULL;
}

bool token_entry_is_unsaved(const struct token_entry *entry)
{
    (void)entry;
    return the_broker->is_unsaved;
}

/* ---- one request ---- */

struct fixture {
    struct broker broker;
    struct redirect_endpoint *endpoint;
    struct http_call call;
};

static void fixture_init(struct fixture *fixture, enum http_verb verb, const char *path, const char *query)
{
    memset(fixture, 0, sizeof *fixture);
    the_broker = &fixture->broker;
    struct redirect_endpoint_options options = {.base_uri = "http://127.0.0.1:8085", .listen_port = 8085};
    cr_assert_eq(redirect_endpoint_create(&fixture->broker, &options, &fixture->endpoint, NULL), OK);
    fake_call_init(&fixture->call, verb, path);
    fixture->call.query = query;
    fixture->call.is_tcp = true;
    fixture->call.headers[0] = (struct http_reply_header){"Host", "127.0.0.1:8085"};
}

static void fixture_finish(struct fixture *fixture)
{
    redirect_endpoint_destroy(fixture->endpoint);
    http_call_finish(&fixture->call);
}

static void send_request(struct fixture *fixture)
{
    redirect_endpoint_handle(&fixture->call, fixture->endpoint);
}

static void check_page(const struct fixture *fixture, int status, const char *text)
{
    const struct http_call *call = &fixture->call;
    cr_assert_eq(call->status, status, "%d", call->status);
    cr_assert(fake_call_has(call, text), "%s in %s", text, fake_call_text(call));
    static const char *const headers[] = {"Cache-Control: no-store\n",
                                          "Referrer-Policy: no-referrer\n",
                                          "X-Content-Type-Options: nosniff\n",
                                          "X-Frame-Options: DENY\n",
                                          "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
                                          "Content-Type: text/html; charset=utf-8\n"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        cr_assert(fake_call_has_header(call, headers[i]), "%s", headers[i]);
    static const char *const secrets[] = {"secret-code", "secret-state", "cookie-value"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        cr_assert_not(fake_call_has(call, secrets[i]), "%s", secrets[i]);
}

Test(redirect_endpoint, link_sends_the_browser_to_the_provider_with_a_cookie)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, HTTP_VERB_GET, "/connect/the-ticket", NULL);
    send_request(&fixture);
    cr_assert_eq(fixture.call.status, 302);
    cr_assert(fake_call_has_header(&fixture.call, "Location: https://provider.example/authorize?state=secret-state\n"));
    cr_assert(fake_call_has_header(&fixture.call,
                                   "Set-Cookie: login=cookie-value; HttpOnly; SameSite=Lax; Path=/; Max-Age=600\n"));
    cr_assert(fake_call_has_header(&fixture.call, "Cache-Control: no-store\n"));
    cr_assert(fake_call_has_header(&fixture.call, "Referrer-Policy: no-referrer\n"));
}

Test(redirect_endpoint, used_link_says_so)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, HTTP_VERB_GET, "/connect/another-ticket", NULL);
    send_request(&fixture);
    check_page(&fixture, 410, "iclientctl login");
    cr_assert_not(fake_call_has_header(&fixture.call, "Set-Cookie"));
}

Test(redirect_endpoint, link_is_not_used_up_by_what_is_no_person)
{
    static const struct {
        enum http_verb verb;
        struct http_reply_header header;
        int status;
    } cases[] = {
        {HTTP_VERB_HEAD, {NULL, NULL}, 405},
        {HTTP_VERB_POST, {NULL, NULL}, 405},
        {HTTP_VERB_OTHER, {NULL, NULL}, 405},
        {HTTP_VERB_GET, {"Sec-Fetch-Mode", "no-cors"}, 403},
        {HTTP_VERB_GET, {"Sec-Fetch-Mode", "cors"}, 403},
        {HTTP_VERB_GET, {"Sec-Fetch-Dest", "iframe"}, 403},
        {HTTP_VERB_GET, {"Sec-Purpose", "prefetch;prerender"}, 403},
        {HTTP_VERB_GET, {"Purpose", "prefetch"}, 403},
    };
    static const char *const paths[] = {"/connect/the-ticket", "/callback"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
            AUTO_FINISH(fixture) fixture;
            fixture_init(&fixture, cases[i].verb, paths[k], "code=secret-code");
            fixture.call.headers[1] = cases[i].header;
            send_request(&fixture);
            cr_assert_eq(fixture.broker.take_ups + fixture.broker.answers, 0, "case %zu", i);
            check_page(&fixture, cases[i].status, "</html>");
        }
    }
}

Test(redirect_endpoint, persons_navigation_is_let_through)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, HTTP_VERB_GET, "/connect/the-ticket", NULL);
    fixture.call.headers[1] = (struct http_reply_header){"Sec-Fetch-Mode", "navigate"};
    fixture.call.headers[2] = (struct http_reply_header){"Sec-Fetch-Dest", "document"};
    fixture.call.headers[3] = (struct http_reply_header){"Sec-Fetch-Site", "cross-site"};
    send_request(&fixture);
    cr_assert_eq(fixture.call.status, 302);
}

Test(redirect_endpoint, other_hosts_get_nothing)
{
    static const char *const hosts[] = {"evil.example", "127.0.0.1", "evil.example:8085", NULL};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        AUTO_FINISH(fixture) fixture;
        fixture_init(&fixture, HTTP_VERB_GET, "/connect/the-ticket", NULL);
        fixture.call.headers[0] = (struct http_reply_header){hosts[i] ? "Host" : NULL, hosts[i]};
        send_request(&fixture);
        check_page(&fixture, 421, "Not this address");
        cr_assert_eq(fixture.broker.take_ups, 0);
    }
}

Test(redirect_endpoint, pages_that_do_nothing)
{
    static const struct {
        enum http_verb verb;
        const char *path;
        int status;
    } cases[] = {
        {HTTP_VERB_GET, "/", 200},         {HTTP_VERB_HEAD, "/", 200},
        {HTTP_VERB_POST, "/", 405},        {HTTP_VERB_GET, "/favicon.ico", 404},
        {HTTP_VERB_GET, "/callback", 404}, {HTTP_VERB_HEAD, "/x", 404},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(fixture) fixture;
        fixture_init(&fixture, cases[i].verb, cases[i].path, NULL);
        send_request(&fixture);
        check_page(&fixture, cases[i].status, "</html>");
        cr_assert_eq(fake_call_has_header(&fixture.call, "Allow: GET\n"), cases[i].status == 405);
    }
}

Test(redirect_endpoint, answer_is_handed_over_with_its_cookie_and_waits)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, HTTP_VERB_GET, "/callback", "code=secret-code&state=secret-state");
    fixture.call.headers[1] = (struct http_reply_header){"Cookie", "login=cookie-value"};
    send_request(&fixture);
    cr_assert_eq(fixture.call.status, 0, "it waits for the exchange");
    cr_assert_str_eq(fixture.broker.path, "/callback");
    cr_assert_str_eq(fixture.broker.query, "code=secret-code&state=secret-state");
    cr_assert_str_eq(fixture.broker.cookie, "login=cookie-value");
    fixture.broker.session.state = SESSION_COMPLETED;
    fixture.broker.done(fixture.broker.done_context, &fixture.broker.session);
    check_page(&fixture, 200, "You can close this window");
}

Test(redirect_endpoint, browser_that_goes_away_is_forgotten)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, HTTP_VERB_GET, "/callback", "code=secret-code");
    send_request(&fixture);
    cr_assert(fixture.call.gone);
    fixture.call.gone(fixture.call.gone_context);
    cr_assert_eq(fixture.broker.forgotten, 1);
    cr_assert_eq(fixture.call.status, 0);
}

Test(redirect_endpoint, login_that_ends_at_once_is_answered_once)
{
    static const struct {
        const char *query;
        enum session_state state;
        int status;
        const char *text;
        bool is_unsaved;
    } cases[] = {
        {"code=secret-code", SESSION_COMPLETED, 200, "<title>Connected</title>", false},
        {"code=secret-code", SESSION_COMPLETED, 200, "<title>Connected, but not saved yet</title>", true},
        {"code=secret-code", SESSION_FAILED, 502, "What went wrong: the token endpoint said no", false},
        {"error=access_denied&state=secret-state", SESSION_FAILED, 403, "The login was declined", false},
        {"error=server_error&error_description=%3Cb%3Eoh", SESSION_FAILED, 502,
         "<blockquote>server_error: &lt;b&gt;oh</blockquote>", false},
        {"code=secret-code", SESSION_EXPIRED, 410, "This login is over", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(fixture) fixture;
        fixture_init(&fixture, HTTP_VERB_GET, "/", cases[i].query);
        fixture.broker.ends_at_once = true;
        fixture.broker.session.state = cases[i].state;
        fixture.broker.is_unsaved = cases[i].is_unsaved;
        fixture.broker.session.message = "the token endpoint said no";
        send_request(&fixture);
        check_page(&fixture, cases[i].status, cases[i].text);
        cr_assert_null(fixture.call.gone);
    }
}

Test(redirect_endpoint, answer_that_does_not_fit_shows_none_of_its_words)
{
    static const struct {
        enum status answer;
        int status;
    } cases[] = {{ERR_NOT_FOUND, 410}, {ERR_DENIED, 403}, {ERR_INVALID, 400}, {ERR_NO_MEMORY, 503}, {ERR_BUSY, 503}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(fixture) fixture;
        fixture_init(&fixture, HTTP_VERB_GET, "/callback", "error=call-555-0100&state=secret-state");
        fixture.broker.answer = cases[i].answer;
        fixture.broker.error = "said by us";
        send_request(&fixture);
        check_page(&fixture, cases[i].status, "</html>");
        cr_assert_not(fake_call_has(&fixture.call, "555"), "nobody has vouched for these words");
        bool is_explained = cases[i].answer == ERR_DENIED || cases[i].answer == ERR_INVALID;
        cr_assert_eq(fake_call_has(&fixture.call, "said by us"), is_explained);
    }
}

Test(redirect_endpoint, cookie_is_secure_behind_https)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, HTTP_VERB_GET, "/connect/the-ticket", NULL);
    redirect_endpoint_destroy(TAKE(fixture.endpoint));
    struct redirect_endpoint_options options = {.base_uri = "https://login.example", .listen_port = 8085};
    cr_assert_eq(redirect_endpoint_create(&fixture.broker, &options, &fixture.endpoint, NULL), OK);
    fixture.call.headers[0].value = "login.example";
    send_request(&fixture);
    cr_assert(fake_call_has_header(&fixture.call, "Max-Age=600; Secure\n"));
}

Test(redirect_endpoint, refusal_of_the_server_is_a_page)
{
    static const struct {
        struct http_refusal refusal;
        const char *title;
    } cases[] = {
        {{400, "It is malformed.", 0}, "no request for iclientd"},
        {{414, "Too long.", 0}, "no request for iclientd"},
        {{505, "Unknown.", 0}, "no request for iclientd"},
        {{429, "Many.", 1}, "Too many connections"},
        {{503, "Full.", 1}, "Not now"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        fixture_init(&fixture, HTTP_VERB_GET, "/", "");
        redirect_endpoint_refuse(&fixture.call, &cases[i].refusal, fixture.endpoint);
        check_page(&fixture, cases[i].refusal.status, cases[i].title);
        bool is_final = cases[i].refusal.retry_after == 0;
        cr_expect_eq(fake_call_has(&fixture.call, cases[i].refusal.message), is_final, "%zu", i);
        cr_expect_eq(fake_call_has_header(&fixture.call, "Retry-After: 1\n"), !is_final, "%zu", i);
        fixture_finish(&fixture);
    }
}
