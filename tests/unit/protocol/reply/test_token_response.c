#include "protocol/fixture.h"
#include "protocol/reply/token_response.h"

#define PLAIN HEAD "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT "," URIS "}}"
#define WITH(more) HEAD "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT "," URIS "," more "}}"
/* No default rule for 401: the rule asks for another status. */
#define NO_401 WITH("\"failStatusCode\":418")

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define HTML "<!DOCTYPE html><html><body>nginx</body></html>"

static struct token_outcome judge(struct fixture *fixture, enum token_exchange exchange, int status, const char *type,
                                  const char *body)
{
    struct provider_reply reply = {.status = status, .content_type = type, .body = body, .length = strlen(body)};
    struct token_outcome outcome;
    token_response_read(exchange, &fixture->context, &reply, &outcome);
    return outcome;
}

static void fill(struct fixture *fixture)
{
    fixture_set_tokens(fixture, "old-access-token", "old-refresh-token");
    fixture->context.code = "the-code";
}

/* ---- classes ---- */

#define CODE TOKEN_EXCHANGE_CODE
#define REFRESH TOKEN_EXCHANGE_REFRESH
#define PASSWORD TOKEN_EXCHANGE_PASSWORD
#define CREDENTIALS TOKEN_EXCHANGE_CLIENT_CREDENTIALS
#define JWT_BEARER TOKEN_EXCHANGE_JWT_BEARER

static const struct {
    const char *iclient;
    enum token_exchange exchange;
    int status;
    const char *type, *body;
    enum outcome_class outcome;
    const char *code;
    const char *says; /* in the message; NULL: anything */
} cases[] = {
    /* RFC 6749 §5.2, at whatever status they come */
    {PLAIN, REFRESH, 400, "application/json", "{\"error\":\"invalid_grant\"}", OUTCOME_TOKEN_REFUSED, "invalid_grant",
     "400 invalid_grant"},
    {PLAIN, REFRESH, 200, NULL, "{\"error\":\"invalid_grant\"}", OUTCOME_TOKEN_REFUSED, "invalid_grant", NULL},
    {PLAIN, REFRESH, 403, NULL, "{\"error\":\"invalid_grant\"}", OUTCOME_TOKEN_REFUSED, "invalid_grant", NULL},
    {PLAIN, REFRESH, 500, NULL, "{\"error\":\"invalid_grant\"}", OUTCOME_TOKEN_REFUSED, "invalid_grant", NULL},
    {PLAIN, CREDENTIALS, 400, NULL, "{\"error\":\"invalid_grant\"}", OUTCOME_TOKEN_REFUSED, "invalid_grant", NULL},
    {PLAIN, REFRESH, 401, NULL, "{\"error\":\"invalid_client\"}", OUTCOME_CLIENT_REFUSED, "invalid_client", NULL},
    {PLAIN, REFRESH, 400, NULL, "{\"error\":\"unauthorized_client\"}", OUTCOME_CLIENT_REFUSED, "unauthorized_client",
     NULL},
    {PLAIN, REFRESH, 503, NULL, "{\"error\":\"invalid_client\"}", OUTCOME_TRANSIENT, "invalid_client", NULL},
    {PLAIN, REFRESH, 429, NULL, "{\"error\":\"invalid_client\"}", OUTCOME_TRANSIENT, "invalid_client", NULL},
    {PLAIN, REFRESH, 400, NULL, "{\"error\":\"temporarily_unavailable\"}", OUTCOME_TRANSIENT, "temporarily_unavailable",
     NULL},
    {PLAIN, REFRESH, 400, NULL, "{\"error\":\"invalid_scope\"}", OUTCOME_BROKEN, "invalid_scope", NULL},
    {PLAIN, CODE, 400, NULL, "{\"error\":\"invalid_request\",\"error_description\":\"redirect_uri differs\"}",
     OUTCOME_BROKEN, "invalid_request", "redirect_uri differs"},

    /* GitHub: 200 with the error in form text or JSON */
    {PLAIN, CODE, 200, FORM_TYPE,
     "error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.", OUTCOME_TOKEN_REFUSED,
     "bad_verification_code", "The code passed is incorrect or expired."},
    {PLAIN, REFRESH, 200, "application/json", "{\"error\":\"bad_refresh_token\"}", OUTCOME_TOKEN_REFUSED,
     "bad_refresh_token", NULL},
    {PLAIN, CODE, 200, NULL, "{\"error\":\"incorrect_client_credentials\"}", OUTCOME_CLIENT_REFUSED,
     "incorrect_client_credentials", NULL},
    {PLAIN, CODE, 200, NULL, "{\"error\":\"unverified_user_email\"}", OUTCOME_BROKEN, "unverified_user_email",
     "200 unverified_user_email"},
    {PLAIN, CODE, 200, FORM_TYPE, "access_token=gho_16C7e42F292c6912E7&scope=repo%2Cgist&token_type=bearer",
     OUTCOME_GRANTED, "", NULL},

    /* Slack: 200 with "ok": false, by rule and by its own words */
    {WITH("\"failPath\":\"error\",\"failValues\":[\"invalid_auth\",\"token_revoked\"]"), REFRESH, 200,
     "application/json", "{\"ok\":false,\"error\":\"invalid_auth\"}", OUTCOME_TOKEN_REFUSED, "invalid_auth", NULL},
    {PLAIN, REFRESH, 200, "application/json", "{\"ok\":false,\"error\":\"invalid_refresh_token\"}",
     OUTCOME_TOKEN_REFUSED, "invalid_refresh_token", NULL},
    {PLAIN, CODE, 200, "application/json", "{\"ok\":false,\"error\":\"bad_client_secret\"}", OUTCOME_CLIENT_REFUSED,
     "bad_client_secret", NULL},
    {PLAIN, REFRESH, 200, "application/json", "{\"ok\":false,\"error\":\"invalid_auth\"}", OUTCOME_BROKEN,
     "invalid_auth", NULL},
    {WITH("\"tokenFailures\":[{\"path\":\"ok\",\"values\":[\"false\"]}]"), REFRESH, 200, NULL,
     "{\"ok\":false,\"access_token\":\"abc\"}", OUTCOME_TOKEN_REFUSED, "",
     "answered 200 (a failure rule matches: ok is false)"},
    {WITH("\"failPath\":\"e.0.code\",\"failValues\":[\"GONE\"]"), REFRESH, 500, NULL, "{\"e\":[{\"code\":\"GONE\"}]}",
     OUTCOME_TOKEN_REFUSED, "", "e.0.code is \"GONE\""},
    {WITH("\"failPath\":\"echo\""), REFRESH, 200, NULL, "{\"echo\":\"abcdefgh\",\"refresh_token\":\"abcdefgh\"}",
     OUTCOME_TOKEN_REFUSED, "", "echo is withheld"},

    /* failure rules, whatever the status */
    {WITH("\"failStatusCode\":418"), REFRESH, 418, NULL, "", OUTCOME_TOKEN_REFUSED, "", NULL},
    {WITH("\"tokenFailures\":[{\"statusCode\":500}]"), REFRESH, 500, NULL, "<soap/>", OUTCOME_TOKEN_REFUSED, "", NULL},
    {PLAIN, REFRESH, 401, NULL, "", OUTCOME_TOKEN_REFUSED, "", "401 with an empty body"},

    /* glewlwyd: an empty body, so that the status has to tell */
    {PLAIN, REFRESH, 400, NULL, "", OUTCOME_TOKEN_REFUSED, "", "the token endpoint answered 400 with an empty body"},
    {PLAIN, CODE, 400, NULL, " \r\n", OUTCOME_TOKEN_REFUSED, "", NULL},
    {PLAIN, REFRESH, 400, NULL, "{\"status\":\"BAD_REFRESH_TOKEN\"}", OUTCOME_TOKEN_REFUSED, "", NULL},
    {PLAIN, REFRESH, 403, NULL, "", OUTCOME_CLIENT_REFUSED, "", NULL},
    {NO_401, REFRESH, 401, NULL, "", OUTCOME_CLIENT_REFUSED, "", NULL},
    {PLAIN, CREDENTIALS, 401, NULL, "", OUTCOME_CLIENT_REFUSED, "", NULL},
    {PLAIN, CREDENTIALS, 403, NULL, "", OUTCOME_CLIENT_REFUSED, "", NULL},
    {PLAIN, JWT_BEARER, 401, NULL, "{\"error\":\"access_denied\"}", OUTCOME_CLIENT_REFUSED, "access_denied", NULL},
    {PLAIN, CREDENTIALS, 400, NULL, "", OUTCOME_BROKEN, "", NULL},
    {PLAIN, PASSWORD, 400, NULL, "", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 400, "text/html", HTML, OUTCOME_BROKEN, "", "46 bytes of text/html that are not JSON"},
    {PLAIN, REFRESH, 403, "text/html", HTML, OUTCOME_BROKEN, "", NULL},
    {PLAIN, CREDENTIALS, 403, "text/html", HTML, OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 403, NULL, "{\"error\":\"access_denied\"}", OUTCOME_BROKEN, "access_denied", NULL},
    {PLAIN, REFRESH, 400, NULL, "{\"error\":{\"code\":7,\"message\":\"no such app\"}}", OUTCOME_BROKEN, "",
     "no such app"},

    /* transient */
    {PLAIN, REFRESH, 408, NULL, "", OUTCOME_TRANSIENT, "", NULL},
    {PLAIN, REFRESH, 425, NULL, "", OUTCOME_TRANSIENT, "", NULL},
    {PLAIN, REFRESH, 429, NULL, "{}", OUTCOME_TRANSIENT, "", NULL},
    {PLAIN, REFRESH, 500, "text/html", HTML, OUTCOME_TRANSIENT, "", NULL},
    {PLAIN, REFRESH, 503, NULL, "", OUTCOME_TRANSIENT, "", NULL},
    {PLAIN, REFRESH, 599, NULL, "", OUTCOME_TRANSIENT, "", NULL},

    /* broken */
    {PLAIN, REFRESH, 404, NULL, "{}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 302, NULL, "", OUTCOME_BROKEN, "", "answered 302"},
    {PLAIN, REFRESH, 200, NULL, "", OUTCOME_BROKEN, "", "200 with an empty body"},
    {PLAIN, REFRESH, 204, NULL, "", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, "text/html", HTML, OUTCOME_BROKEN, "", "text/html"},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"a", OUTCOME_BROKEN, "", "not JSON"},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"a\",\"access_token\":\"b\"}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "access_token=a&access_token=b", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "access_token=%zz", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "\"access_token\"", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{}", OUTCOME_BROKEN, "", "without an access token at access_token"},
    {PLAIN, REFRESH, 200, NULL, "[]", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":null}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"\"}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":42}", OUTCOME_BROKEN, "", "that is no string"},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":{\"a\":\"b\"}}", OUTCOME_BROKEN, "", "that is no string"},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":[\"a\"]}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":true}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"a b\"}", OUTCOME_BROKEN, "", "no header can carry"},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"a\\r\\nX: y\"}", OUTCOME_BROKEN, "", "no header can carry"},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"a\\u007f\"}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"\xC3\xA9\"}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"\xFF\"}", OUTCOME_BROKEN, "", NULL},
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"a\\u0000b\"}", OUTCOME_BROKEN, "", NULL},

    /* granted */
    {PLAIN, REFRESH, 200, NULL, "{\"access_token\":\"!~a.b-c_d~e+f/g==\",\"error\":null}", OUTCOME_GRANTED, "", NULL},
    {PLAIN, REFRESH, 201, "text/html", "\xEF\xBB\xBF {\"access_token\":\"a\",\"error\":\"\"}\n", OUTCOME_GRANTED, "",
     NULL},
    {WITH("\"accessTokenPath\":\"$.data[*].token\""), CODE, 200, NULL,
     "{\"data\":[{},{\"token\":null},{\"token\":\"a\"}]}", OUTCOME_GRANTED, "", NULL},
    {WITH("\"accessTokenPath\":\"$['data'][0]['token']\""), CODE, 200, NULL, "{\"data\":[{\"token\":\"a\"}]}",
     OUTCOME_GRANTED, "", NULL},
    {WITH("\"failPath\":\"$.errorMessage\""), REFRESH, 200, NULL,
     "{\"access_token\":\"refused\",\"errorMessage\":\"no\"}", OUTCOME_TOKEN_REFUSED, "", NULL},

    /* XML, where the media type is; Salesforce's format=xml has the usual names below the root */
    {WITH("\"accessTokenPath\":\"/OAuth/access_token\""), CODE, 200, "application/xml",
     "<OAuth><access_token>a</access_token></OAuth>", OUTCOME_GRANTED, "", NULL},
    {PLAIN, CODE, 200, "text/xml;charset=UTF-8", "\n<OAuth><access_token>a</access_token><error/></OAuth>",
     OUTCOME_GRANTED, "", NULL},
    {PLAIN, CODE, 200, "application/xml", "{\"access_token\":\"a\"}", OUTCOME_GRANTED, "", NULL},
    {PLAIN, CODE, 200, "text/plain", "<OAuth><access_token>a</access_token></OAuth>", OUTCOME_BROKEN, "", "not JSON"},
    {WITH("\"accessTokenPath\":\"/OAuth/token\""), CODE, 200, "application/xml",
     "<OAuth><access_token>a</access_token></OAuth>", OUTCOME_BROKEN, "", "without an access token at /OAuth/token"},
    {PLAIN, REFRESH, 400, "application/xml",
     "<OAuth><error>invalid_grant</error><error_description>it is over</error_description></OAuth>",
     OUTCOME_TOKEN_REFUSED, "invalid_grant", "invalid_grant: it is over"},
    {PLAIN, REFRESH, 401, "application/xml", "<OAuth><error>invalid_client</error></OAuth>", OUTCOME_CLIENT_REFUSED,
     "invalid_client", NULL},
    {WITH("\"failPath\":\"//code\",\"failValues\":[\"E7\"]"), REFRESH, 200, "application/soap+xml",
     "<e><access_token>refused</access_token><f><code>E7</code></f></e>", OUTCOME_TOKEN_REFUSED, "", NULL},
    {PLAIN, REFRESH, 200, "application/xml", "<!DOCTYPE a [<!ENTITY e 'x'>]><a><access_token>&e;</access_token></a>",
     OUTCOME_BROKEN, "", "not XML that can be read"},
    {PLAIN, REFRESH, 200, "application/xml", "<a><access_token>x", OUTCOME_BROKEN, "", "not XML that can be read"},
    {PLAIN, REFRESH, 400, "application/xhtml+xml", "<html><error>invalid_grant</error></html>", OUTCOME_BROKEN, "",
     NULL},
    {WITH("\"accessTokenPath\":\"data.0.token\""), CODE, 200, NULL, "{\"data\":[{\"token\":\"a\"}]}", OUTCOME_GRANTED,
     "", NULL},
};

Test(token_response, every_reply_has_its_class_code_and_message)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture = fixture_create(cases[i].iclient, NULL);
        fill(&fixture);
        struct token_outcome outcome =
            judge(&fixture, cases[i].exchange, cases[i].status, cases[i].type, cases[i].body);
        cr_expect_str_eq(outcome_class_name(outcome.outcome), outcome_class_name(cases[i].outcome), "%d %s: %s is %s",
                         cases[i].status, cases[i].body, outcome.message, outcome_class_name(outcome.outcome));
        cr_expect_str_eq(outcome.code, cases[i].code, "%d %s", cases[i].status, cases[i].body);
        cr_expect_eq(outcome.status, cases[i].status);
        cr_expect_eq(outcome.tokens != NULL, cases[i].outcome == OUTCOME_GRANTED, "%s", cases[i].body);
        if (cases[i].says)
            cr_expect(strstr(outcome.message, cases[i].says), "%s says: %s", cases[i].body, outcome.message);
        if (cases[i].outcome != OUTCOME_GRANTED)
            cr_expect(*outcome.message, "%d %s says nothing", cases[i].status, cases[i].body);
        token_outcome_finish(&outcome);
        fixture_finish(&fixture);
    }
}

Test(token_response, a_body_that_was_cut_off_is_not_believed)
{
    struct fixture fixture = fixture_create(PLAIN, NULL);
    const char *body = "{\"access_token\":\"a\"}";
    struct provider_reply reply = {.status = 200, .body = body, .length = strlen(body), .too_large = true};
    struct token_outcome outcome;
    token_response_read(REFRESH, &fixture.context, &reply, &outcome);
    cr_expect_eq(outcome.outcome, OUTCOME_BROKEN);
    /* Its headers, perhaps. */
    cr_expect(strstr(outcome.message, "answered 200 with a reply that is too large"));
    reply.status = 503;
    token_response_read(REFRESH, &fixture.context, &reply, &outcome);
    cr_expect_eq(outcome.outcome, OUTCOME_TRANSIENT);
    fixture_finish(&fixture);
}

Test(token_response, a_huge_token_is_refused_and_a_large_one_is_not)
{
    struct fixture fixture = fixture_create(PLAIN, NULL);
    static const size_t sizes[] = {16 * 1024, 64 * 1024 + 1};
    for (size_t i = 0; i < 2; i++) {
        char *token = malloc(sizes[i] + 1);
        memset(token, 'a', sizes[i]);
        token[sizes[i]] = '\0';
        AUTO_JSON body = json_pack("{s:s}", "access_token", token);
        AUTO_TEXT text = json_dumps(body, 0);
        struct token_outcome outcome = judge(&fixture, CODE, 200, NULL, text);
        cr_expect_eq(outcome.outcome, i == 0 ? OUTCOME_GRANTED : OUTCOME_BROKEN);
        token_outcome_finish(&outcome);
        free(token);
    }
    fixture_finish(&fixture);
}

Test(token_response, bytes_without_an_end_are_read_to_their_length_alone)
{
    struct fixture fixture = fixture_create(PLAIN, NULL);
    static const char *const texts[] = {"{\"access_token\":\"a\"}", "access_token=a", "<html>", "a="};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t length = 0; length <= strlen(texts[i]); length++) {
            char *exact = malloc(length ? length : 1); /* so that ASan sees a read beyond it */
            memcpy(exact, texts[i], length);
            struct provider_reply reply = {.status = 200, .body = exact, .length = length};
            struct token_outcome outcome;
            token_response_read(CODE, &fixture.context, &reply, &outcome);
            token_outcome_finish(&outcome);
            free(exact);
        }
    }
    struct provider_reply nothing = {.status = 200, .body = NULL, .length = 0};
    struct token_outcome outcome;
    token_response_read(CODE, &fixture.context, &nothing, &outcome);
    cr_expect_eq(outcome.outcome, OUTCOME_BROKEN);
    fixture_finish(&fixture);
}

/* ---- Retry-After ---- */

Test(token_response, retry_after_is_seconds_from_now_and_at_most_a_day)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } headers[] = {
        {NULL, 0},
        {"", 0},
        {"0", 0},
        {"120", 120},
        {"86400", 86400},
        {"86401", 86400},
        {"99999999999999999999999999", 86400},
        {"-5", 0},
        {"1.5", 0},
        {"soon", 0},
        {"Wed, 18 Nov 2026 11:06:40 GMT", 0},
        {"Wed, 18 Nov 2026 11:08:20 GMT", 100}, /* NOW is 2026-11-18 11:06:40 */
        {"Thu, 18 Nov 2027 00:00:00 GMT", 86400},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    };
    struct fixture fixture = fixture_create(PLAIN, NULL);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct provider_reply reply = {.status = 429, .retry_after = headers[i].text, .body = "", .length = 0};
        struct token_outcome outcome;
        token_response_read(REFRESH, &fixture.context, &reply, &outcome);
        cr_expect_eq(outcome.retry_after, headers[i].seconds, "%s: %lld", headers[i].text,
                     (long long)outcome.retry_after);
    }
    fixture_finish(&fixture);
}

/* ---- what may be said ---- */

Test(token_response, no_message_holds_a_secret_that_was_sent_or_a_token_that_came)
{
    static const char *const secrets[] = {"gX1fBat3bV", "old-refresh-token", "old-access-token", "the-code"};
    struct fixture fixture = fixture_create(PLAIN, NULL);
    fill(&fixture);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        char body[512];
        snprintf(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"bad value %s here\"}", secrets[i],
                 secrets[i]);
        struct token_outcome outcome = judge(&fixture, REFRESH, 400, NULL, body);
        cr_expect_null(strstr(outcome.message, secrets[i]), "%s", outcome.message);
        cr_expect_str_eq(outcome.code, "");
        cr_expect(strstr(outcome.message, "withheld"), "%s", outcome.message);
        token_outcome_finish(&outcome);
    }
    struct token_outcome outcome =
        judge(&fixture, REFRESH, 400, NULL, "{\"access_token\":\"tiny\",\"error\":\"x\",\"message\":\"we gave tiny\"}");
    cr_expect_null(strstr(outcome.message, "tiny"), "%s", outcome.message);
    token_outcome_finish(&outcome);
    fixture_finish(&fixture);
}

Test(token_response, control_bytes_and_endless_texts_are_tamed)
{
    struct fixture fixture = fixture_create(PLAIN, NULL);
    struct token_outcome outcome =
        judge(&fixture, REFRESH, 400, NULL,
              "{\"error\":\"in\\nvalid\",\"error_description\":\"line\\r\\n<6>forged \\u001b[31m \xC3\xA9\"}");
    cr_expect_str_eq(outcome.code, "");
    for (const char *at = outcome.message; *at; at++)
        cr_expect(*at >= ' ' && *at <= '~', "%s", outcome.message);
    token_outcome_finish(&outcome);

    char body[4096] = "{\"error\":\"";
    memset(body + strlen(body), 'e', 200);
    strcat(body, "\",\"error_description\":\"");
    for (int i = 0; i < 200; i++)
        strcat(body, "many words ");
    strcat(body, "\"}");
    outcome = judge(&fixture, REFRESH, 400, NULL, body);
    cr_expect_str_eq(outcome.code, "");
    cr_expect_lt(strlen(outcome.message), OUTCOME_MESSAGE_MAX - 1);
    cr_expect(strstr(outcome.message, "many words"));
    token_outcome_finish(&outcome);
    fixture_finish(&fixture);
}

Test(token_response, an_exchange_without_a_reply_is_transient_with_its_reason)
{
    struct token_outcome outcome;
    token_outcome_set_unanswered(&outcome, "connect to server.example.com:443 failed");
    cr_expect_eq(outcome.outcome, OUTCOME_TRANSIENT);
    cr_expect_eq(outcome.status, 0);
    cr_expect_str_eq(outcome.message, "connect to server.example.com:443 failed");
    cr_expect_null(outcome.tokens);
}

/* ---- revocation ---- */

static const struct {
    const char *iclient;
    int status;
    const char *body;
    enum outcome_class outcome;
} revocations[] = {
    {PLAIN, 200, "", OUTCOME_GRANTED},
    {PLAIN, 204, "", OUTCOME_GRANTED},
    {PLAIN, 200, HTML, OUTCOME_GRANTED},
    {PLAIN, 400, "{\"error\":\"unsupported_token_type\"}", OUTCOME_GRANTED},
    {PLAIN, 401, "{\"error\":\"invalid_client\"}", OUTCOME_CLIENT_REFUSED},
    {PLAIN, 403, "", OUTCOME_CLIENT_REFUSED},
    {PLAIN, 400, "", OUTCOME_BROKEN},
    {PLAIN, 404, "", OUTCOME_BROKEN},
    {PLAIN, 503, "", OUTCOME_TRANSIENT},
    {WITH("\"failPath\":\"ok\",\"failValues\":[\"false\"]"), 200, "{\"ok\":false,\"error\":\"x\"}",
     OUTCOME_TOKEN_REFUSED},
};

Test(token_response, a_revocation_is_judged_by_rfc_7009)
{
    for (size_t i = 0; i < sizeof revocations / sizeof revocations[0]; i++) {
        struct fixture fixture = fixture_create(revocations[i].iclient, NULL);
        fill(&fixture);
        struct provider_reply reply = {
            .status = revocations[i].status, .body = revocations[i].body, .length = strlen(revocations[i].body)};
        struct token_outcome outcome;
        revoke_response_read(&fixture.context, &reply, &outcome);
        cr_expect_str_eq(outcome_class_name(outcome.outcome), outcome_class_name(revocations[i].outcome), "%d %s",
                         revocations[i].status, revocations[i].body);
        cr_expect_null(outcome.tokens);
        if (strstr(revocations[i].body, "unsupported_token_type"))
            cr_expect(strstr(outcome.message, "unsupported_token_type"), "%s", outcome.message);
        token_outcome_finish(&outcome);
        fixture_finish(&fixture);
    }
}
