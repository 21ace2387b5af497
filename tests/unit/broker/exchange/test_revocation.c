#include "broker/broker_fixture.h"

TestSuite(revocation, .init = fixture_start, .fini = fixture_finish);

struct told {
    unsigned times;
    enum revoke_result result;
};

static void on_revoked(void *context, enum revoke_result result, const char *message)
{
    (void)message;
    struct told *told = context;
    told->times++;
    told->result = result;
}

static void revoke(const char *name, struct told *told)
{
    struct error error = {0};
    cr_assert_eq(broker_revoke(fixture_entry(name), on_revoked, told, &error), OK, "%s", error.message);
}

Test(revocation, revokes_refresh_and_access_token_then_forgets_both)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    cr_expect_str_eq(fixture_request_body(), "token=rt-1&token_type_hint=refresh_token");
    fixture_reply(200, "");
    cr_expect_str_eq(fixture_request_body(), "token=at-1&token_type_hint=access_token");
    fixture_reply(200, "");
    cr_expect_eq(told.times, 0, "not before the store has forgotten them");
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_CONFIRMED);
    cr_expect_null(fixture_row(STORE_TOKENS, "default/mail"));
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
}

Test(revocation, tokens_that_the_provider_cannot_revoke_are_not_said_to_be)
{
    static const char unsupported[] = "{\"error\":\"unsupported_token_type\"}";
    static const char refused[] = "{\"error\":\"invalid_request\"}";
    static const struct {
        int status;
        const char *body;
        int second_status;
        const char *second_body;
        enum revoke_result result;
    } rows[] = {
        {400, unsupported, 400, unsupported, REVOKE_UNSUPPORTED},
        {200, "", 400, unsupported, REVOKE_CONFIRMED},
        {400, unsupported, 200, "", REVOKE_CONFIRMED},
        {400, unsupported, 400, refused, REVOKE_REFUSED},
        {400, refused, 400, unsupported, REVOKE_REFUSED},
    };
    fixture_configure_one(CODE_ICLIENT("mail"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_store_tokens("mail", "at-1", "rt-1", 3600);
        struct told told = {0};
        revoke("mail", &told);
        fixture_reply(rows[i].status, rows[i].body);
        fixture_reply(rows[i].second_status, rows[i].second_body);
        fixture_run_store();
        cr_expect_eq(told.result, rows[i].result, "row %zu", i);
        cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED, "row %zu", i);
    }
}

Test(revocation, an_unreached_provider_leaves_everything_to_try_again)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    fixture_no_reply(false);
    cr_expect_eq(told.result, REVOKE_UNREACHED);
    cr_expect_eq(fixture_get("mail"), TOKEN_SERVED);
}

Test(revocation, waits_for_a_refresh_in_flight_and_revokes_what_it_brought)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_now += 3601;
    fixture_get("mail");
    fixture_run_store();
    struct told told = {0};
    revoke("mail", &told);
    cr_expect_eq(fixture_sent, 1);
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}");
    fixture_run_store();
    cr_expect_not_null(strstr(fixture_request_body(), "token=rt-2"));
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_CONFIRMED);
}

Test(revocation, without_a_revoke_uri_forgets_here_and_says_so)
{
    fixture_configure_one(
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\"," CREDENTIALS
        ",\"auth\":{\"uri\":\"https://as.example.com/a\"},"
        "\"token\":{\"uri\":\"https://as.example.com/token\"}}}");
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_UNSUPPORTED);
    cr_expect_null(token_entry_tokens(fixture_entry("mail")));
    cr_expect_eq(fixture_sent, 0);
}

Test(revocation, nothing_to_revoke_is_said)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    struct told told = {0};
    revoke("mail", &told);
    cr_expect_eq(told.result, REVOKE_NOTHING);
}

Test(revocation, a_request_that_is_the_same_for_both_tokens_is_sent_once)
{
    fixture_configure_one(
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\"," CREDENTIALS
        ",\"auth\":{\"uri\":\"https://as.example.com/a\"},"
        "\"token\":{\"uri\":\"https://as.example.com/token\"},"
        "\"revoke\":{\"uri\":\"https://as.example.com/revoke\",\"body\":\"t={{{accessToken}}}\"}}}");
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    cr_expect_str_eq(fixture_request_body(), "t=at-1");
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_CONFIRMED);
    cr_expect_eq(fixture_sent, 1);
}

Test(revocation, a_provider_that_takes_refresh_tokens_alone_has_confirmed)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    fixture_reply(200, "");
    fixture_reply(400, "{\"error\":\"invalid_request\"}");
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_CONFIRMED);
    cr_expect_null(token_entry_tokens(fixture_entry("mail")));
}

Test(revocation, a_provider_that_refuses_both_is_said_to_have_refused)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    fixture_reply(400, "{\"error\":\"invalid_request\"}");
    fixture_reply(400, "{\"error\":\"invalid_request\"}");
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_REFUSED);
    cr_expect_null(token_entry_tokens(fixture_entry("mail")), "forgotten here all the same");
}

Test(revocation, a_template_for_a_token_that_there_is_none_of_is_left_out)
{
    fixture_configure_one(
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\"," CREDENTIALS
        ",\"auth\":{\"uri\":\"https://as.example.com/a\"},"
        "\"token\":{\"uri\":\"https://as.example.com/token\"},"
        "\"revoke\":{\"uri\":\"https://as.example.com/revoke\",\"body\":\"t={{{refreshToken}}}\"}}}");
    fixture_store_tokens("mail", "at-1", NULL, 3600);
    struct told told = {0};
    revoke("mail", &told);
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_REFUSED, "nothing could be sent, and that is said");
    cr_expect_eq(fixture_sent, 0);
}

Test(revocation, a_request_that_cannot_be_made_does_not_keep_the_tokens)
{
    fixture_configure_one(
        "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\","
        "\"responseMetadata\":[\"shop\"]," CREDENTIALS
        ",\"auth\":{\"uri\":\"https://as.example.com/authorize\"},\"token\":{\"uri\":\"https://as.example.com/"
        "token\"},\"revoke\":{\"uri\":\"https://as.example.com/{{{metadata.shop}}}\"}}}");
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    fixture_run_store();
    cr_expect_eq(told.times, 1);
    cr_expect_eq(told.result, REVOKE_REFUSED);
    cr_expect_eq(fixture_sent, 0);
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
}

#define ELSEWHERE                                                                                                      \
    "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\"," CREDENTIALS       \
    ",\"auth\":{\"uri\":\"https://other.example.com/a\"},\"token\":{\"uri\":\"https://other.example.com/token\"},"     \
    "\"revoke\":{\"uri\":\"https://other.example.com/revoke\"}}}"
#define NEW_SECRET                                                                                                     \
    "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":"      \
    "\"id\","                                                                                                          \
    "\"clientSecret\":\"changed\"," ENDPOINTS "}}"

Test(revocation, another_provider_is_not_shown_the_tokens)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one(ELSEWHERE);
    struct told told = {0};
    revoke("mail", &told);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 0);
    cr_expect_eq(told.result, REVOKE_REFUSED);
    fixture_configure_one(CODE_ICLIENT("mail"));
    cr_expect_null(fixture_access_token("mail"), "forgotten here all the same");
}

Test(revocation, tokens_that_a_new_secret_set_aside_are_revoked_with_it)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    fixture_configure_one(NEW_SECRET);
    struct told told = {0};
    revoke("mail", &told);
    cr_expect_not_null(strstr(fixture_request_body(), "token=rt-1"));
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_eq(told.result, REVOKE_CONFIRMED);
}

Test(revocation, two_at_once_are_one_too_many)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct told told = {0};
    revoke("mail", &told);
    struct error error = {0};
    cr_expect_eq(broker_revoke(fixture_entry("mail"), on_revoked, &told, &error), ERR_BUSY);
    broker_revoke_forget_waiter(fixture_entry("mail"), &told);
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_eq(told.times, 0, "who went away hears nothing");
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
}
