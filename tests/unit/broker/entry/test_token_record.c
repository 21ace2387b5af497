#include "broker/broker_fixture.h"

#include "broker/entry/token_record.h"
#include "model/iclient/legacy_fingerprint.h"

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
    static const char other[] =
        "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":"
        "\"clientcredentials\",\"clientId\":\"other\",\"clientSecret\":\"very-secret\"," ENDPOINTS "}}";
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
    static const char other[] =
        "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":"
        "\"clientcredentials\",\"clientId\":\"other\",\"clientSecret\":\"very-secret\"," ENDPOINTS "}}";
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
    char fingerprint[LEGACY_FINGERPRINT_SIZE];
    cr_assert(legacy_fingerprint(token_entry_connection(fixture_entry("mail")), fingerprint));
    char state[512];
    snprintf(state, sizeof state,
             "{\"fingerprint\":\"%s\",\"configuration\":\"%s\",\"generation\":4,\"state\":\"of_another_version\","
             "\"code\":\"x\","
             "\"message\":\"y\",\"at\":1,\"retry_at\":0,\"failures\":1}",
             fingerprint, fingerprint);
    AUTO(secret) value = secret_from_text(state);
    fixture_apply(&(struct store_change){.table = STORE_STATES, .value = value}, "default/mail");
    fixture_load();
    cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_AUTHORIZATION_REQUIRED);
    cr_expect_eq(fixture_entry("mail")->generation, 4);
}

/* ---- rows of version 0.1 ---- */

/*
 * As version 0.1 (commit ba23653) wrote them: its broker, on this fixture with the documents below, was given these
 * tokens at fixture_now 1800000000, and the rows were printed from the fixture's store. The last one is after a refresh
 * that the provider answered with 400 invalid_grant at 1800004000.
 */
#define OLD_SHOP                                                                                                       \
    "{\"name\":\"shop\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":"      \
    "\"id\","                                                                                                          \
    "\"clientSecret\":\"very-secret\",\"validDomainNames\":[\"example.com\"],"                                         \
    "\"auth\":{\"uri\":\"https://as.example.com/authorize\"},"                                                         \
    "\"token\":{\"uri\":\"https://{{{connection.settings.shop}}}.example.com/token\"}}}"
#define OLD_ROBOT                                                                                                      \
    "{\"name\":\"robot\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"password\",\"clientId\":\"id\","   \
    "\"clientSecret\":\"very-secret\",\"scope\":[\"read\"],\"token\":{\"uri\":\"https://as.example.com/token\"}}}"
#define OLD_TOKENS(refresh_token)                                                                                      \
    "{\"access_token\":\"at\",\"refresh_token\":\"" refresh_token                                                      \
    "\",\"obtained_at\":1800000000,\"expires_at\":1800003600,"                                                         \
    "\"refresh_expires_at\":0,\"refreshes_left\":-1,\"generation\":1}"
#define OLD_STATE(fingerprint, trouble)                                                                                \
    "{\"fingerprint\":\"" fingerprint "\",\"configuration\":\"" fingerprint "\",\"generation\":1" trouble "}"
#define BERLIN_FINGERPRINT "d18bbd7d13ab2196e1825595660bbc85c25991b52a4e000e3d4255ea7aa4b047"
#define ROBOT_FINGERPRINT "d81cd2f2bb4c229eff10f444c0561d46094c1eaf24c97a61c90bc22737e20474"
#define CALENDAR_FINGERPRINT "eae58d704d8f8806809eea22b474dcaf0b01df90847bbb9ecc47dd2040274121"
#define OLD_REFUSAL                                                                                                    \
    ",\"state\":\"authorization_required\",\"code\":\"invalid_grant\",\"message\":\"the token endpoint answered 400 "  \
    "invalid_grant\",\"at\":1800004000,\"retry_at\":0,\"failures\":1"

static const char *const old_iclients[] = {CODE_ICLIENT("mail"), OLD_SHOP, OLD_ROBOT};
#define ROTATED_MAIL                                                                                                   \
    "{\"name\":\"mail\",\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":"      \
    "\"id\","                                                                                                          \
    "\"clientSecret\":\"new\"," ENDPOINTS "}}"
static const char *const changed_iclients[] = {ROTATED_MAIL, OLD_SHOP, OLD_ROBOT};
#define OLD_ROBOT_CONNECTION                                                                                           \
    "{\"name\":\"robot1\",\"iClient\":\"robot\",\"username\":\"u\",\"password\":\"p\",\"scope\":[\"a\",\"b\"],"        \
    "\"audience\":\"api\"}"
static const char *const old_connections[] = {
    "{\"name\":\"berlin\",\"iClient\":\"shop\",\"settings\":{\"shop\":\"berlin\"}}",
    OLD_ROBOT_CONNECTION,
    "{\"name\":\"calendar\",\"iClient\":\"mail\",\"scope\":[\"a\"]}",
};

static void put_row(enum store_table table, const char *key, const char *text)
{
    AUTO(secret) value = secret_from_text(text);
    fixture_apply(&(struct store_change){.table = table, .value = value}, key);
}

static const char *stored(enum store_table table, const char *key)
{
    struct fixture_row *row = fixture_row(table, key);
    return row ? secret_reveal(row->value) : "";
}

static const struct {
    const char *name, *tokens, *state;
    const char *binding; /* a part of the row as it is written anew */
} old_rows[] = {
    {"berlin", OLD_TOKENS("rt-berlin"), OLD_STATE(BERLIN_FINGERPRINT, ""),
     "\"token_origin\":\"https://berlin.example.com\""},
    {"robot1", OLD_TOKENS("rt-robot"), OLD_STATE(ROBOT_FINGERPRINT, ""), "\"username\":\"u\""},
    {"calendar", OLD_TOKENS("rt-cal"), OLD_STATE(CALENDAR_FINGERPRINT, ""), "\"asked_scope\":\"a\""},
};

static void put_old_rows(void)
{
    for (size_t i = 0; i < sizeof old_rows / sizeof old_rows[0]; i++) {
        char key[64];
        snprintf(key, sizeof key, "default/%s", old_rows[i].name);
        put_row(STORE_TOKENS, key, old_rows[i].tokens);
        put_row(STORE_STATES, key, old_rows[i].state);
    }
}

static void start_again(const char *const *iclients, const char *const *connections)
{
    fixture_kill();
    fixture_start();
    fixture_configure(iclients, 3, connections, 3);
    fixture_load();
}

Test(token_record, rows_of_version_0_1_are_read_without_a_login_and_written_anew)
{
    put_old_rows();
    fixture_now = 1800000100;
    start_again(old_iclients, old_connections);
    for (size_t i = 0; i < sizeof old_rows / sizeof old_rows[0]; i++)
        cr_expect_eq(fixture_get(old_rows[i].name), TOKEN_SERVED, "%s", old_rows[i].name);
    fixture_run_store();
    for (size_t i = 0; i < sizeof old_rows / sizeof old_rows[0]; i++) {
        char key[64];
        snprintf(key, sizeof key, "default/%s", old_rows[i].name);
        cr_expect(strstr(stored(STORE_TOKENS, key), old_rows[i].binding), "%s", stored(STORE_TOKENS, key));
        cr_expect_null(strstr(stored(STORE_STATES, key), "fingerprint"), "%s", stored(STORE_STATES, key));
    }
    /* And so a new secret costs no login any more, nor does another restart. */
    start_again(changed_iclients, old_connections);
    cr_expect_eq(fixture_get("calendar"), TOKEN_SERVED);
    cr_expect_eq(fixture_sent, 0);
}

Test(token_record, tokens_of_version_0_1_under_another_configuration_wait_for_theirs)
{
    put_old_rows();
    fixture_now = 1800000100;
    start_again(changed_iclients, old_connections);
    cr_expect_eq(fixture_get("calendar"), TOKEN_AUTHORIZATION_REQUIRED, "never guessed");
    const struct entry_trouble *trouble = token_entry_trouble(fixture_entry("calendar"));
    cr_expect_str_eq(trouble->code, "configuration_changed");
    cr_expect(strstr(trouble->message, "an earlier version"), "%s", trouble->message);
    fixture_run_store();
    cr_expect(strstr(stored(STORE_TOKENS, "default/calendar"), "\"fingerprint\":\"" CALENDAR_FINGERPRINT "\""), "%s",
              stored(STORE_TOKENS, "default/calendar"));
    start_again(changed_iclients, old_connections);
    cr_expect_eq(fixture_get("calendar"), TOKEN_AUTHORIZATION_REQUIRED, "also after another restart");
    fixture_configure(old_iclients, 3, old_connections, 3);
    cr_expect_eq(fixture_get("calendar"), TOKEN_SERVED, "the configuration is back");
    fixture_run_store();
    cr_expect(strstr(stored(STORE_TOKENS, "default/calendar"), "\"client\":\"id\""), "%s",
              stored(STORE_TOKENS, "default/calendar"));
    cr_expect_eq(fixture_sent, 0);
}

Test(token_record, a_refusal_that_version_0_1_stored_is_one)
{
    put_old_rows();
    put_row(STORE_STATES, "default/calendar", OLD_STATE(CALENDAR_FINGERPRINT, OLD_REFUSAL));
    fixture_now = 1800005000;
    for (unsigned i = 0; i < 2; i++) {
        start_again(old_iclients, old_connections);
        cr_expect_eq(fixture_get("calendar"), TOKEN_AUTHORIZATION_REQUIRED);
        cr_expect_str_eq(token_entry_trouble(fixture_entry("calendar"))->code, "invalid_grant");
        fixture_run_store();
    }
}

/* A row that tells nothing of what its tokens belong to, or tells it in a form that is not known. */
Test(token_record, tokens_without_a_binding_that_can_be_read_are_kept_aside)
{
    static const char *const bindings[] = {
        "",
        "\"binding\":1,",
        "\"binding\":2,\"grant\":\"authorizecode\",\"client\":\"id\",",
        "\"binding\":\"1\",\"grant\":\"authorizecode\",",
        "\"binding\":1,\"grant\":7,",
    };
    fixture_now = 1800000100;
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        char tokens[512];
        snprintf(
            tokens, sizeof tokens,
            "{\"access_token\":\"at\",\"refresh_token\":\"rt\",\"obtained_at\":1800000000,\"expires_at\":1800003600,"
            "\"refresh_expires_at\":0,\"refreshes_left\":-1,%s\"generation\":1}",
            bindings[i]);
        put_row(STORE_TOKENS, "default/mail", tokens);
        put_row(STORE_STATES, "default/mail", "{\"generation\":1}");
        restart(CODE_ICLIENT("mail"));
        cr_expect_eq(fixture_get("mail"), TOKEN_AUTHORIZATION_REQUIRED, "%s", bindings[i]);
        const struct entry_trouble *trouble = token_entry_trouble(fixture_entry("mail"));
        cr_expect_str_eq(trouble->code, "configuration_changed", "%s", bindings[i]);
        cr_expect(strstr(trouble->message, "does not tell"), "%s", trouble->message);
        fixture_run_store();
    }
    cr_expect_eq(fixture_sent, 0);
}

Test(token_record, a_new_secret_while_the_daemon_is_down_lets_it_try_again)
{
    fixture_configure_one(CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct token_entry *entry = fixture_entry("mail");
    token_record_write(entry, RECORD_TOKENS | RECORD_STATE, entry->tokens, NULL, NULL);
    fixture_now += 3601;
    fixture_get("mail");
    fixture_run_store();
    fixture_reply(401, "{\"error\":\"invalid_client\"}");
    fixture_run_store();
    restart(CODE_ICLIENT("mail"));
    cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_CLIENT_REJECTED);
    restart(changed_iclients[0]);
    cr_expect_eq(token_entry_state(fixture_entry("mail")), ENTRY_READY);
}
