#include "protocol/request/authorization_url.h"
#include "protocol/fixture.h"

#define IN(uri, more)                                                                                                  \
    HEAD "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT ",\"auth\":{\"uri\":\"" uri                             \
         "\"},\"token\":{\"uri\":\"" SERVER "/token\"}" more "}}"
#define AUTHORIZE SERVER "/authorize"
#define NO_PKCE ",\"pkceCodeChallengeMethod\":null"

/* RFC 7636 appendix B */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

#define REDIRECT "redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"

static void fill(struct fixture *fixture)
{
    fixture->context.redirect_uri = "https://client.example.com/cb";
    fixture->context.code_verifier = VERIFIER;
    fixture->context.state = "xyz";
}

static const struct {
    const char *about, *iclient, *connection, *url;
} urls[] = {
    {"RFC 6749 section 4.1.1", IN(AUTHORIZE, NO_PKCE), NULL,
     AUTHORIZE "?response_type=code&client_id=s6BhdRkqt3&" REDIRECT "&state=xyz"},
    {"RFC 7636 section 4.3, sent though not asked for", IN(AUTHORIZE, ""), NULL,
     AUTHORIZE "?response_type=code&client_id=s6BhdRkqt3&" REDIRECT "&state=xyz&code_challenge=" CHALLENGE
               "&code_challenge_method=S256"},
    {"plain", IN(AUTHORIZE, ",\"pkceCodeChallengeMethod\":\"plain\""), NULL,
     AUTHORIZE "?response_type=code&client_id=s6BhdRkqt3&" REDIRECT "&state=xyz&code_challenge=" VERIFIER
               "&code_challenge_method=plain"},
    {"the URI's own query is kept, the connection's scope wins", IN(AUTHORIZE "?tenant=7", NO_PKCE ",\"scope\":\"s\""),
     "{\"name\":\"c\",\"iClient\":\"test\",\"scope\":\"a b\"}",
     AUTHORIZE "?tenant=7&response_type=code&client_id=s6BhdRkqt3&" REDIRECT "&scope=a%20b&state=xyz"},
    {"a parameter that the URI has already is not sent twice", IN(AUTHORIZE "?response_type=code", NO_PKCE), NULL,
     AUTHORIZE "?response_type=code&client_id=s6BhdRkqt3&" REDIRECT "&state=xyz"},
    {"authParams rendered, the connection's audience over them",
     IN(AUTHORIZE, NO_PKCE ",\"authParams\":{\"access_type\":\"offline\",\"audience\":\"x\",\"hint\":"
                           "\"{{{connection.username}}}\"}"),
     "{\"name\":\"c\",\"iClient\":\"test\",\"username\":\"a&b\",\"audience\":\"api\"}",
     AUTHORIZE "?response_type=code&client_id=s6BhdRkqt3&" REDIRECT
               "&state=xyz&access_type=offline&audience=api&hint=a%26b"},
};

Test(authorization_url, it_has_every_parameter_once_in_order)
{
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct fixture fixture = fixture_create(urls[i].iclient, urls[i].connection);
        fill(&fixture);
        AUTO_TEXT url = NULL;
        struct error error = {0};
        cr_expect_eq(authorization_url_create(&fixture.context, &url, &error), OK, "%s: %s", urls[i].about,
                     error.message);
        cr_expect_str_eq(url ? url : "", urls[i].url, "%s: %s", urls[i].about, url);
        fixture_finish(&fixture);
    }
}

Test(authorization_url, without_a_chosen_redirect_uri_it_is_the_iclients)
{
    struct fixture fixture = fixture_create(IN(AUTHORIZE, NO_PKCE), NULL);
    fixture.context.state = "xyz";
    AUTO_TEXT url = NULL;
    cr_assert_eq(authorization_url_create(&fixture.context, &url, NULL), OK);
    cr_assert(strstr(url, "redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback%2Ftest"), "%s", url);
    fixture_finish(&fixture);
}

static const struct {
    const char *iclient, *connection;
    enum status status;
    const char *says;
} refused[] = {
    /* A host that no document has: only the login's own can come so far. */
    {IN("https://example.com.{{{state}}}/a", ",\"validDomainNames\":[\"example.com\"]"), NULL, ERR_DENIED,
     "example.com.xyz"},
    {IN(AUTHORIZE "?state=fixed", ""), NULL, ERR_INVALID, "parameter state"},
    {IN(AUTHORIZE, ",\"authParams\":{\"a\":\"{{{metadata.gone}}}\"}"), NULL, ERR_NOT_FOUND, "metadata.gone"},
};

Test(authorization_url, what_the_policy_or_the_protocol_forbids_is_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct fixture fixture = fixture_create(refused[i].iclient, refused[i].connection);
        fill(&fixture);
        char *url = NULL;
        struct error error = {0};
        cr_expect_eq(authorization_url_create(&fixture.context, &url, &error), refused[i].status, "case %zu: %s", i,
                     error.message);
        cr_expect(strstr(error.message, refused[i].says), "case %zu says: %s", i, error.message);
        cr_expect_null(url);
        fixture_finish(&fixture);
    }
}

Test(authorization_url, without_state_or_verifier_there_is_no_login)
{
    struct fixture fixture = fixture_create(IN(AUTHORIZE, ""), NULL);
    fill(&fixture);
    char *url = NULL;
    fixture.context.state = NULL;
    cr_expect_eq(authorization_url_create(&fixture.context, &url, NULL), ERR_INVALID);
    fill(&fixture);
    fixture.context.code_verifier = NULL;
    cr_expect_eq(authorization_url_create(&fixture.context, &url, NULL), ERR_INVALID);
    fixture_finish(&fixture);
}
