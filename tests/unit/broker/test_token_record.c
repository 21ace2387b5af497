#include "broker_fixture.h"

TestSuite(token_record, .init = fixture_start, .fini = fixture_finish);

static void obtain(const char *name, const char *reply)
{
    fixture_get(name);
    fixture_run_store();
    fixture_reply(200, reply);
    fixture_run_store();
}

static void restart(const char *iclient)
{
    fixture_kill();
    fixture_start();
    fixture_configure_one(iclient);
    fixture_load();
}

Test(token_record, a_restart_serves_the_stored_token_and_asks_nobody)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    obtain("crm", "{\"access_token\":\"at-1\",\"expires_in\":3600}");
    restart(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_expect_eq(fixture_get("crm"), TOKEN_SERVED);
    cr_expect_str_eq(fixture_access_token("crm"), "at-1");
    cr_expect_eq(fixture_sent, 1);
}

Test(token_record, a_back_off_survives_a_restart)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    fixture_get("crm");
    struct http_client_result result = {
        .status = OK, .http_status = 503, .retry_after = "300", .body = "", .content_type = "text/plain"};
    fixture_finish_request(&result);
    fixture_run_store();
    restart(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_expect_eq(fixture_get("crm"), TOKEN_PROVIDER_UNAVAILABLE);
    cr_expect_eq(fixture_sent, 1);
    cr_expect_geq(broker_retry_after(fixture_entry("crm"), fixture_now), 299);
}

Test(token_record, nothing_begins_before_it_is_read_that_a_refresh_was_cut_off)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "mail", 1000);
    fixture_run_store();
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}");
    fixture_run_store();
    fixture_pass(3590);
    fixture_run_store();
    cr_assert_eq(fixture_sent, 2, "the refresh ahead is on its way");
    restart(CODE_ICLIENT("mail"));
    cr_expect_null(fixture_held, "a refresh began while the store was being read");
    fixture_pass(0);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 3, "what is due begins when all is read");
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_run_store();
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "rotation_ambiguous");
}

Test(token_record, a_kill_in_mid_refresh_tries_once_and_then_says_ambiguous)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "mail", 1000);
    fixture_run_store();
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":10,\"refresh_token\":\"rt-2\"}");
    fixture_run_store();
    fixture_now += 11;
    fixture_get("mail");
    fixture_run_store();
    cr_assert_eq(fixture_sent, 2, "the refresh is on its way");
    restart(CODE_ICLIENT("mail"));
    cr_expect_eq(fixture_get("mail"), TOKEN_PENDING);
    fixture_run_store();
    cr_expect_eq(fixture_sent, 3);
    cr_expect_not_null(strstr(fixture_request_body(), "refresh_token=rt-2"));
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_run_store();
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "rotation_ambiguous");
    restart(CODE_ICLIENT("mail"));
    cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED);
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "rotation_ambiguous", "it stays said");
}

Test(token_record, tokens_of_another_identity_stay_aside_through_restarts)
{
    static const char other[] = "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":"
                                "\"clientcredentials\",\"clientId\":\"id\",\"clientSecret\":\"other\"," ENDPOINTS "}}";
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    obtain("crm", "{\"access_token\":\"at-1\",\"expires_in\":3600}");
    restart(other);
    cr_expect_null(fixture_access_token("crm"));
    fixture_get("crm");
    fixture_reply(503, "");
    fixture_run_store();
    restart(other);
    cr_expect_null(fixture_access_token("crm"), "a failure under the new identity does not adopt the old tokens");
    restart(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_expect_str_eq(fixture_access_token("crm"), "at-1");
}

/* The caller is answered when the store has answered, which the test lets it do later. */
static void refresh(const char *name, const char *reply)
{
    static struct fixture_caller caller;
    fixture_refresh(&caller, name, 1000);
    fixture_run_store();
    fixture_reply(200, reply);
}

static void fail_to_save(const char *iclient)
{
    fixture_configure_one(iclient);
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    refresh("mail", "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}");
    fixture_store_fails = true; /* for the commit: the refresh was noted */
    fixture_run_store();
    cr_assert(token_entry_is_unsaved(fixture_entry("mail")));
    fixture_store_fails = false;
}

/* A refresh token that was replaced already, in the place of the one that is still good. */
Test(token_record, what_was_refused_is_not_saved_over_its_successor)
{
    fail_to_save(CODE_ICLIENT("mail"));
    refresh("mail", "{\"access_token\":\"at-3\",\"expires_in\":3600,\"refresh_token\":\"rt-3\"}");
    fixture_pass(5);
    fixture_run_store();
    cr_expect_not(token_entry_is_unsaved(fixture_entry("mail")));
    restart(CODE_ICLIENT("mail"));
    cr_expect_str_eq(fixture_access_token("mail"), "at-3");
}

Test(token_record, the_last_attempt_of_a_daemon_that_ends_is_not_saved_over_a_successor)
{
    fail_to_save(CODE_ICLIENT("mail"));
    refresh("mail", "{\"access_token\":\"at-3\",\"expires_in\":3600,\"refresh_token\":\"rt-3\"}");
    fixture_stop();
    fixture_start();
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_load();
    cr_expect_str_eq(fixture_access_token("mail"), "at-3");
}

/* A refresh without a clear answer while the tokens before it are still unsaved. */
static void lose_answer_unsaved(void)
{
    static struct fixture_caller caller;
    fail_to_save(CODE_ICLIENT("mail"));
    fixture_refresh(&caller, "mail", 1000);
    fixture_run_store();
    fixture_no_reply(true);
}

Test(token_record, the_last_attempt_of_a_daemon_that_ends_leaves_the_journal_of_an_unclear_refresh)
{
    lose_answer_unsaved();
    fixture_stop();
    cr_expect_not_null(strstr(secret_reveal(fixture_row(STORE_TOKENS, "default/mail")->value), "rt-2"));
    cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"));
}

/* Seed 121770 of the random walk. */
Test(token_record, saving_at_last_does_not_end_the_journal_of_an_unclear_refresh)
{
    lose_answer_unsaved();
    fixture_pass(5);
    fixture_run_store();
    cr_assert_not(token_entry_is_unsaved(fixture_entry("mail")));
    cr_expect_not_null(fixture_row(STORE_JOURNAL, "default/mail"));
    static struct fixture_caller caller;
    restart(CODE_ICLIENT("mail"));
    fixture_refresh(&caller, "mail", 1000);
    fixture_run_store();
    fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    cr_expect_str_eq(token_entry_trouble(fixture_entry("mail"))->code, "rotation_ambiguous");
}

Test(token_record, what_is_being_forgotten_is_not_saved)
{
    fail_to_save(CODE_ICLIENT("mail"));
    struct error error;
    broker_revoke(fixture_entry("mail"), NULL, NULL, &error);
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_pass(5);
    fixture_run_store();
    cr_expect_null(fixture_row(STORE_TOKENS, "default/mail"));
    restart(CODE_ICLIENT("mail"));
    cr_expect_null(fixture_access_token("mail"));
}

/* The store refuses at once what it has no room for, while earlier writes still wait in its queue. */
static void refuse_last_write(void)
{
    struct fixture_write *write = fixture_held->prev;
    DL_DELETE(fixture_held, write);
    fixture_store_fails = true;
    fixture_answer_write(write);
    fixture_store_fails = false;
}

Test(token_record, what_is_saved_late_does_not_pass_for_what_was_refused_meanwhile)
{
    fail_to_save(CODE_ICLIENT("mail"));
    struct error error;
    broker_revoke(fixture_entry("mail"), NULL, NULL, &error);
    fixture_pass(5);
    fixture_reply(200, "");
    fixture_reply(200, "");
    refuse_last_write();
    fixture_run_store();
    cr_expect(token_entry_is_unsaved(fixture_entry("mail")));
    fixture_pass(31);
    fixture_run_store();
    cr_expect_not(token_entry_is_unsaved(fixture_entry("mail")));
    cr_expect_null(fixture_row(STORE_TOKENS, "default/mail"));
}

Test(token_record, a_state_is_not_saved_beside_tokens_that_it_is_not_of)
{
    static const char other[] = "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":"
                                "\"clientcredentials\",\"clientId\":\"id\",\"clientSecret\":\"other\"," ENDPOINTS "}}";
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    obtain("crm", "{\"access_token\":\"at-1\",\"expires_in\":3600}");
    fixture_configure_one(other);
    fixture_store_fails = true;
    obtain("crm", "{\"access_token\":\"at-2\",\"expires_in\":3600}");
    cr_assert(token_entry_is_unsaved(fixture_entry("crm")));
    fixture_store_fails = false;
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "crm", 1000);
    fixture_reply(503, "");
    fixture_run_store();
    restart(other);
    cr_expect_null(fixture_access_token("crm"), "the store has the other identity's alone");
}

Test(token_record, the_generation_goes_on_after_tokens_were_forgotten)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    obtain("crm", "{\"access_token\":\"at-1\",\"expires_in\":3600}");
    struct error error;
    broker_revoke(fixture_entry("crm"), NULL, NULL, &error);
    fixture_reply(200, "");
    fixture_run_store();
    restart(CLIENT_CREDENTIALS_ICLIENT("crm"));
    cr_expect_null(fixture_access_token("crm"));
    obtain("crm", "{\"access_token\":\"at-2\",\"expires_in\":3600}");
    cr_expect_eq(token_entry_tokens(fixture_entry("crm"))->generation, 2);
}

struct load {
    unsigned told;
    enum status status;
    char message[ERROR_MESSAGE_MAX];
};

static void on_load(void *context, enum status status, const struct error *error)
{
    struct load *load = context;
    load->told++;
    load->status = status;
    strcpy(load->message, error ? error->message : "");
}

Test(token_record, a_row_that_cannot_be_read_ends_the_loading_and_is_named)
{
    static const struct {
        enum store_table table;
        const char *key;
        const char *value;
        const char *words;
    } cases[] = {
        {STORE_TOKENS, "default/mail", "{\"obtained_at\":0}", "mail"},
        {STORE_TOKENS, "default/mail", "rubbish", "mail"},
        {STORE_STATES, "default/mail", "{\"generation\":", "mail"},
        {STORE_TOKENS, "no-tenant", "{}", "no-tenant"},
    };
    fixture_configure_one(CODE_ICLIENT("mail"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(secret) value = secret_from_text(cases[i].value);
        fixture_apply(&(struct store_change){.table = cases[i].table, .value = value}, cases[i].key);
        struct load load = {0};
        broker_load(fixture_broker, on_load, &load);
        cr_expect_eq(load.told, 1);
        cr_expect_neq(load.status, OK, "%s", cases[i].value);
        cr_expect_not_null(strstr(load.message, cases[i].words), "%s", load.message);
        fixture_apply(&(struct store_change){.table = cases[i].table}, cases[i].key);
    }
}

Test(token_record, a_state_of_an_unknown_word_is_what_the_tokens_say)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    const char *fingerprint = connection_fingerprint(token_entry_connection(fixture_entry("mail")));
    char state[512];
    snprintf(state, sizeof state,
             "{\"fingerprint\":\"%s\",\"configuration\":\"%s\",\"generation\":4,\"state\":\"of_another_version\",\"code\":\"x\","
             "\"message\":\"y\",\"at\":1,\"retry_at\":0,\"failures\":1}",
             fingerprint, fingerprint);
    AUTO(secret) value = secret_from_text(state);
    fixture_apply(&(struct store_change){.table = STORE_STATES, .value = value}, "default/mail");
    fixture_load();
    cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_AUTHORIZATION_REQUIRED);
    cr_expect_eq(fixture_entry("mail")->generation, 4);
}
