/* PATH, COOKIE and QUERY on three lines, from a browser or a paste: a code is sent on for its own login alone. */
#include "broker/broker_fixture.h"

#include "base/log/log.h"
#include "base/random.h"
#include "base/text/url.h"
#include "broker/login/authorization_session_state.h"

/* Stands in for base/random, so that an input can name the login's state and cookie. */
static unsigned tokens_made;

enum status random_bytes(void *ret_bytes, size_t size)
{
    memset(ret_bytes, 7, size);
    return OK;
}

enum status random_token(char ret_text[RANDOM_TOKEN_SIZE])
{
    static const char letters[] = "tsvc"; /* ticket, state, verifier, cookie */
    memset(ret_text, letters[tokens_made++ % (sizeof letters - 1)], RANDOM_TOKEN_SIZE - 1);
    ret_text[RANDOM_TOKEN_SIZE - 1] = '\0';
    return OK;
}

enum status random_uuid(char ret_text[RANDOM_UUID_SIZE])
{
    strcpy(ret_text, "00000000-0000-4000-8000-000000000000");
    return OK;
}

double random_fraction(void)
{
    return 0.5;
}

struct told {
    unsigned times;
    enum session_state end;
};

static void on_end(void *context, const struct authorization_session *session)
{
    struct told *told = context;
    told->times++;
    told->end = authorization_session_state(session);
}

static const struct authorization_session *begin_login(void)
{
    const struct authorization_session *session = NULL;
    char *name = NULL, *cookie = NULL;
    char ticket[RANDOM_TOKEN_SIZE];
    tokens_made = 0;
    struct error error = {0};
    REQUIRE(authorization_session_begin(fixture_broker, fixture_entry("mail"), NULL, &session, &error) == OK, "%s",
            error.message);
    strcpy(ticket, authorization_session_ticket(session));
    REQUIRE(authorization_session_take_up(fixture_broker, ticket, &session, &name, &cookie) == OK, "not taken up");
    free(name);
    free(cookie);
    return session;
}

/* What an independent look says must be there before a code is sent. */
static void require_own(const struct authorization_answer *answer, const struct authorization_session *session)
{
    AUTO_TEXT state = NULL;
    size_t length = strlen(answer->query);
    REQUIRE(form_find(answer->query, length, "state", &state) == OK && strlen(state) == RANDOM_TOKEN_SIZE - 1 &&
                strspn(state, "s") == RANDOM_TOKEN_SIZE - 1,
            "another login's state");
    REQUIRE(strcmp(answer->path, "/callback/mail") == 0, "the path %s", answer->path);
    REQUIRE(answer->paste_entry || (answer->cookie && strstr(answer->cookie, session->cookie)), "another browser");
    AUTO_TEXT issuer = NULL;
    if (form_find(answer->query, length, "iss", &issuer) == OK)
        REQUIRE(strcasestr(issuer, "https://as.example.com"), "the issuer %s", issuer);
    AUTO_TEXT error = NULL;
    REQUIRE(form_find(answer->query, length, "error", &error) == ERR_NOT_FOUND, "an error brings no code");
}

static void require_code_sent(const struct authorization_answer *answer)
{
    AUTO_TEXT code = NULL;
    AUTO_TEXT sent = NULL;
    const char *body = fixture_request_body();
    REQUIRE(form_find(answer->query, strlen(answer->query), "code", &code) == OK && *code, "no code");
    REQUIRE(form_find(body, strlen(body), "code", &sent) == OK && strcmp(sent, code) == 0, "another code is sent");
    AUTO_TEXT redirect_uri = NULL;
    REQUIRE(form_find(body, strlen(body), "redirect_uri", &redirect_uri) == OK &&
                strcmp(redirect_uri, "http://127.0.0.1:8085/callback/mail") == 0,
            "another redirect URI is sent");
}

static void check_answer(const struct authorization_answer *answer, const struct authorization_session *session)
{
    const struct authorization_session *answered = NULL;
    struct told told = {0};
    struct error error = {0};
    enum status status = authorization_session_answer(fixture_broker, answer, on_end, &told, &answered, &error);
    enum session_state state = authorization_session_state(session);
    REQUIRE((status == OK) == (error.message[0] == '\0'), "a refusal has words, and nothing else has");
    REQUIRE(fixture_sent == (state == SESSION_EXCHANGING), "a code is sent once, when the login goes on");
    if (state != SESSION_EXCHANGING) {
        REQUIRE(state == SESSION_STARTED || state == SESSION_FAILED, "%s", session_state_name(state));
        REQUIRE(told.times == (status == OK), "told %u times", told.times);
        return;
    }
    REQUIRE(status == OK && told.times == 0 && answered == session, "half a result");
    require_own(answer, session);
    require_code_sent(answer);
    REQUIRE(authorization_session_answer(fixture_broker, answer, on_end, &told, &answered, NULL) != OK &&
                fixture_sent == 1,
            "a state works twice");
    fixture_reply(200, "{\"access_token\":\"at\",\"refresh_token\":\"rt\"}");
    fixture_run_store();
    REQUIRE(told.times == 1 && told.end == SESSION_COMPLETED, "told %u times", told.times);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT text = fuzz_text(data, size, 0);
    const char *at = text;
    AUTO_TEXT path = fuzz_line(&at);
    AUTO_TEXT cookie = fuzz_line(&at);
    log_set_level(LOG_LEVEL_ERROR);
    fixture_now = 1800000000;
    fixture_sent = 0;
    fixture_start();
    fixture_configure_one(CODE_ICLIENT("mail"));
    struct authorization_answer answer = {.path = path, .query = at};
    if (strcmp(cookie, "paste") == 0)
        answer.paste_entry = fixture_entry("mail");
    else if (*cookie)
        answer.cookie = cookie;
    check_answer(&answer, begin_login());
    fixture_finish();
    return 0;
}
