#include "broker/broker_fixture.h"

#include "broker/login/authorization_session_state.h"
#include "broker/document/document_queue_state.h"
#include "broker/entry/token_record.h"

/* ---- one who waits for a write ---- */

struct writer {
    unsigned answers;
    enum document_result result;
    char message[ERROR_MESSAGE_MAX];
    char key[64];
    char faults[2048];
    enum revoke_result revoke_result;
};

static void on_written(void *context, const struct document_outcome *outcome)
{
    struct writer *writer = context;
    writer->answers++;
    writer->result = outcome->result;
    snprintf(writer->message, sizeof writer->message, "%s", outcome->message);
    snprintf(writer->key, sizeof writer->key, "%s", outcome->key ? outcome->key : "");
    writer->revoke_result = outcome->revoke_result;
    size_t length = 0;
    for (size_t i = 0; outcome->faults && i < fault_list_count(outcome->faults); i++) {
        const struct fault *fault = fault_list_at(outcome->faults, i);
        if (!fault->warning && length < sizeof writer->faults)
            length += (size_t)snprintf(writer->faults + length, sizeof writer->faults - length, "%s: %s\n",
                                       fault->pointer, fault->message);
    }
}

static void submit(struct writer *writer, enum document_kind kind, enum document_action action, const char *key,
                   const char *text)
{
    json_t *document = NULL;
    struct error error;
    *writer = (struct writer){0};
    if (text)
        cr_assert_eq(json_read_text(text, strlen(text), &document, &error), OK, "%s", error.message);
    struct document_request request = {
        .kind = kind,
        .action = action,
        .tenant = action == DOCUMENT_CREATE ? NULL : "default",
        .key = key,
        .take_document = document,
    };
    document_queue_submit(broker_document_queue(fixture_broker), &request, on_written, writer);
}

/* To its end. */
static struct writer written(enum document_kind kind, enum document_action action, const char *key, const char *text)
{
    struct writer writer;
    submit(&writer, kind, action, key, text);
    fixture_run_store();
    return writer;
}

static struct writer made(enum document_kind kind, const char *text)
{
    struct writer writer = written(kind, DOCUMENT_CREATE, NULL, text);
    cr_assert_eq(writer.result, DOCUMENT_DONE, "%s%s", writer.message, writer.faults);
    return writer;
}

#define SALES "{\"name\":\"sales\",\"iClient\":\"mail\"}"

/* What the daemon's start and reload do: files first. */
static enum status load_catalog(const char *file_iclient, struct fault_list *faults)
{
    struct catalog_options options = {.iclient = {.default_redirect_uri = "http://127.0.0.1:8085/callback"}};
    AUTO(catalog) catalog = catalog_create(&options);
    AUTO_JSON preset = json_pack("{s:s}", "provider", "custom_oauth2");
    catalog_add_preset(catalog, "custom_oauth2", preset, "custom_oauth2.json", faults);
    struct error error;
    if (file_iclient) {
        AUTO_JSON document = NULL;
        cr_assert_eq(json_read_text(file_iclient, strlen(file_iclient), &document, &error), OK);
        catalog_add_iclient(catalog, document, "file.json", faults);
    }
    struct catalog_source source = document_store_source(broker_documents(fixture_broker));
    source.add_iclients(source.context, catalog, faults);
    source.add_connections(source.context, catalog, faults);
    catalog_finish(catalog, faults);
    if (fault_list_has_errors(faults))
        return ERR_INVALID;
    return broker_apply_catalog(fixture_broker, TAKE(catalog), &error);
}

static void start(void)
{
    AUTO(fault_list) faults = fault_list_create();
    bool loaded = false;
    fixture_start();
    document_store_load(broker_documents(fixture_broker), fixture_on_loaded, &loaded);
    cr_assert(loaded);
    cr_assert_eq(load_catalog(NULL, faults), OK);
    fixture_load();
}

TestSuite(document_queue, .init = start, .fini = fixture_finish);

Test(document_queue, nothing_is_seen_before_it_is_durable)
{
    struct writer writer;
    submit(&writer, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CLIENT_CREDENTIALS_ICLIENT("mail"));
    cr_assert_eq(writer.answers, 0);
    cr_assert_null(broker_find(fixture_broker, "default", "mail", 4));
    fixture_run_store();
    cr_assert_eq(writer.answers, 1);
    cr_assert_eq(writer.result, DOCUMENT_DONE);
    cr_assert_eq(strlen(writer.key), 24);
    cr_assert_eq(fixture_get("mail"), TOKEN_PENDING);
    const struct fixture_row *row = fixture_row(STORE_ICLIENTS, writer.key);
    cr_assert_not_null(row);
    cr_assert(strstr(secret_reveal(row->value), "very-secret"), "what is stored is whole");
    cr_assert_eq(fixture_metrics.values[METRIC_ICLIENTS_CONFIGURED], 1);
}

Test(document_queue, store_that_refuses_leaves_everything_as_it_was)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    fixture_store_tokens("sales", "at-1", "rt-1", 3600);
    fixture_store_fails = true;
    struct writer writer = written(DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CODE_ICLIENT("other"));
    cr_assert_eq(writer.result, DOCUMENT_UNSAVED);
    cr_assert(strstr(writer.message, "disk full"), "%s", writer.message);
    writer = written(DOCUMENT_CONNECTION, DOCUMENT_REMOVE, "sales", NULL);
    cr_assert_eq(writer.result, DOCUMENT_UNSAVED);
    writer = written(DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, CLIENT_CREDENTIALS_ICLIENT("mail"));
    cr_assert_eq(writer.result, DOCUMENT_UNSAVED);
    cr_assert_null(broker_find(fixture_broker, "default", "other", 5));
    cr_assert_str_eq(fixture_access_token("sales"), "at-1");
    cr_assert_eq(fixture_sent, 0, "nothing was revoked");
    fixture_store_fails = false;
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("other"));
    cr_assert_eq(written(DOCUMENT_CONNECTION, DOCUMENT_REPLACE, "sales", SALES).result, DOCUMENT_DONE);
}

Test(document_queue, second_writer_of_a_document_is_sent_away_and_others_wait)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    struct writer first, second, other, taken, deleted;
    submit(&first, DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, CODE_ICLIENT("mail"));
    submit(&second, DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, CODE_ICLIENT("mail"));
    cr_assert_eq(second.result, DOCUMENT_CONFLICT);
    submit(&deleted, DOCUMENT_ICLIENT, DOCUMENT_REMOVE, mail.key, NULL);
    cr_assert_eq(deleted.result, DOCUMENT_CONFLICT);
    submit(&other, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CODE_ICLIENT("other"));
    submit(&taken, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CODE_ICLIENT("OTHER"));
    cr_assert_eq(first.answers + other.answers + taken.answers, 0);
    fixture_run_store();
    cr_assert_eq(first.result, DOCUMENT_DONE);
    cr_assert_eq(other.result, DOCUMENT_DONE);
    cr_assert_eq(taken.result, DOCUMENT_INVALID, "judged by what the one before it left");
    cr_assert(strstr(taken.faults, "/name"), "%s", taken.faults);
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, CODE_ICLIENT("mail")).result, DOCUMENT_DONE);
}

Test(document_queue, line_of_writes_is_bounded)
{
    static struct writer writers[DOCUMENT_WRITES_MAX + 1];
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    for (size_t i = 0; i <= DOCUMENT_WRITES_MAX; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"name\":\"c%zu\",\"iClient\":\"mail\"}", i);
        submit(&writers[i], DOCUMENT_CONNECTION, DOCUMENT_CREATE, NULL, text);
    }
    cr_assert_eq(writers[DOCUMENT_WRITES_MAX].result, DOCUMENT_BUSY);
    fixture_run_store();
    for (size_t i = 0; i < DOCUMENT_WRITES_MAX; i++)
        cr_assert(writers[i].answers == 1 && writers[i].result == DOCUMENT_DONE);
}

Test(document_queue, writer_who_went_away_is_not_called_and_the_write_goes_on)
{
    struct writer writer;
    submit(&writer, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CODE_ICLIENT("mail"));
    document_queue_forget_waiter(broker_document_queue(fixture_broker), &writer);
    fixture_run_store();
    cr_assert_eq(writer.answers, 0);
    cr_assert_not_null(broker_find(fixture_broker, "default", "mail", 4));
}

Test(document_queue, restart_brings_documents_back)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    struct writer other = made(DOCUMENT_ICLIENT, CODE_ICLIENT("other"));
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_REMOVE, other.key, NULL).result, DOCUMENT_DONE);
    fixture_kill();
    start();
    cr_assert_not_null(catalog_find_iclient_by_id(broker_catalog(fixture_broker), mail.key));
    cr_assert_not_null(broker_find(fixture_broker, "default", "sales", 5));
    cr_assert_null(broker_find(fixture_broker, "default", "other", 5));
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, CODE_ICLIENT("mail")).result, DOCUMENT_DONE);
    const struct iclient *iclient = catalog_find_iclient_by_id(broker_catalog(fixture_broker), mail.key);
    cr_assert_str_eq(secret_reveal(iclient_client_secret(iclient)), "very-secret");
}

/* Earlier versions took an iClient that does not say its provider. */
Test(document_queue, stored_iclient_without_a_provider_goes_on_as_custom_oauth2)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    AUTO_JSON document = NULL;
    struct fixture_row *row = fixture_row(STORE_ICLIENTS, mail.key);
    cr_assert_eq(json_read_text(secret_reveal(row->value), secret_length(row->value), &document, NULL), OK);
    cr_assert_eq(json_object_del(document, "provider"), 0);
    char *text = json_dumps(document, JSON_COMPACT);
    secret_destroy(row->value);
    row->value = secret_from_text(text);
    free(text);
    fixture_kill();
    start();
    const struct iclient *iclient = catalog_find_iclient_by_id(broker_catalog(fixture_broker), mail.key);
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_PROVIDER), "custom_oauth2");
    static const char patch[] = "[{\"op\":\"add\",\"path\":\"/oauth2/failPath\",\"value\":\"error\"}]";
    struct writer patched = written(DOCUMENT_ICLIENT, DOCUMENT_PATCH, mail.key, patch);
    cr_assert_eq(patched.result, DOCUMENT_DONE, "%s%s", patched.message, patched.faults);
}

Test(document_queue, file_that_takes_a_name_is_a_fault_with_both)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    AUTO(fault_list) faults = fault_list_create();
    cr_assert_eq(load_catalog(CODE_ICLIENT("MAIL"), faults), ERR_INVALID);
    AUTO_TEXT text = fault_format(fault_list_at(faults, 0));
    cr_assert(strstr(text, mail.key) && strstr(text, "file.json"), "%s", text);
    AUTO(fault_list) none = fault_list_create();
    cr_assert_eq(load_catalog(CODE_ICLIENT("else"), none), OK);
    cr_assert_not_null(broker_find(fixture_broker, "default", "mail", 4));
    cr_assert_not_null(broker_find(fixture_broker, "default", "else", 4));
}

static void on_ready(void *context)
{
    *(unsigned *)context += 1;
}

Test(document_queue, reload_waits_for_the_write_at_the_disk_and_goes_before_the_next)
{
    struct writer first, second;
    unsigned ready = 0;
    submit(&first, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CODE_ICLIENT("mail"));
    submit(&second, DOCUMENT_ICLIENT, DOCUMENT_CREATE, NULL, CODE_ICLIENT("other"));
    document_queue_when_idle(broker_document_queue(fixture_broker), on_ready, &ready);
    cr_assert_eq(ready, 0);
    struct fixture_write *write = fixture_held;
    DL_DELETE(fixture_held, write);
    fixture_answer_write(write);
    cr_assert_eq(ready, 1);
    cr_assert_eq(first.answers, 1);
    cr_assert_eq(second.answers, 0);
    fixture_run_store();
    cr_assert_eq(second.result, DOCUMENT_DONE);
    document_queue_when_idle(broker_document_queue(fixture_broker), on_ready, &ready);
    cr_assert_eq(ready, 2);
}

Test(document_queue, replaced_iclient_keeps_tokens_of_the_same_identity)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    fixture_store_tokens("sales", "at-1", "rt-1", 3600);
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_PATCH, mail.key,
                         "[{\"op\":\"replace\",\"path\":\"/oauth2/failPath\",\"value\":\"error\"}]")
                     .result,
                 DOCUMENT_DONE);
    cr_assert_str_eq(fixture_access_token("sales"), "at-1");
    const struct iclient *iclient = connection_iclient(token_entry_connection(fixture_entry("sales")));
    cr_assert_str_eq(iclient_text(iclient, ICLIENT_FAIL_PATH), "error");
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key,
                         "{\"provider\":\"custom_oauth2\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":"
                         "\"new\"," ENDPOINTS "}}")
                     .result,
                 DOCUMENT_DONE);
    cr_assert_null(fixture_access_token("sales"), "another client id: kept aside");
}

Test(document_queue, deleted_connection_is_revoked_and_forgotten)
{
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    fixture_store_tokens("sales", "at-1", "rt-1", 3600);
    struct writer writer;
    submit(&writer, DOCUMENT_CONNECTION, DOCUMENT_REMOVE, "sales", NULL);
    fixture_run_store();
    cr_assert_null(broker_find(fixture_broker, "default", "sales", 5), "nobody is served any more");
    cr_assert_eq(writer.answers, 0, "the provider is asked first");
    cr_assert(strstr(fixture_request_body(), "token=rt-1"));
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_run_store();
    cr_assert_eq(writer.answers, 1);
    cr_assert_eq(writer.revoke_result, REVOKE_CONFIRMED);
    for (enum store_table table = STORE_TOKENS; table <= STORE_JOURNAL; table++)
        cr_assert_null(fixture_row(table, "default/sales"));
    cr_assert_null(fixture_row(STORE_CONNECTIONS, "default/sales"));
    made(DOCUMENT_CONNECTION, SALES);
    cr_assert_null(fixture_access_token("sales"));
}

static void on_login_end(void *context, const struct authorization_session *session)
{
    *(enum session_state *)context = authorization_session_state(session);
}

/* Whose tokens would be nobody's. */
Test(document_queue, login_that_waits_for_its_turn_ends_with_its_connection)
{
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    fixture_store_tokens("sales", "at-1", "rt-1", 3600);
    struct token_entry *entry = fixture_entry("sales");
    const struct authorization_session *session;
    struct error error;
    cr_assert_eq(authorization_session_begin(fixture_broker, entry, NULL, &session, &error), OK);
    cr_assert_eq(broker_revoke(entry, NULL, NULL, &error), OK);
    char query[128];
    snprintf(query, sizeof query, "code=c&state=%s", session->state_text);
    const struct authorization_answer answer = {.path = "/callback/mail", .query = query, .paste_entry = entry};
    enum session_state end = SESSION_PENDING;
    cr_assert_eq(authorization_session_answer(fixture_broker, &answer, on_login_end, &end, &session, &error), OK);
    struct writer writer;
    submit(&writer, DOCUMENT_CONNECTION, DOCUMENT_REMOVE, "sales", NULL);
    fixture_run_store();
    cr_expect_eq(end, SESSION_FAILED);
    fixture_reply(200, "");
    fixture_reply(200, "");
    fixture_run_store();
    cr_expect_null(fixture_requests, "its code is not exchanged");
    cr_expect_null(fixture_row(STORE_TOKENS, "default/sales"));
}

Test(document_queue, unreached_provider_does_not_keep_a_deleted_connections_tokens)
{
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    fixture_store_tokens("sales", "at-1", "rt-1", 3600);
    struct writer writer;
    submit(&writer, DOCUMENT_CONNECTION, DOCUMENT_REMOVE, "sales", NULL);
    fixture_run_store();
    fixture_no_reply(true);
    fixture_run_store();
    cr_assert_eq(writer.answers, 1);
    cr_assert_eq(writer.result, DOCUMENT_DONE);
    cr_assert_eq(writer.revoke_result, REVOKE_UNREACHED);
    made(DOCUMENT_CONNECTION, SALES);
    cr_assert_null(fixture_access_token("sales"));
}

/* The operator's revoke would keep the tokens for another try. */
Test(document_queue, connection_deleted_while_its_revocation_waits_keeps_no_tokens)
{
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    made(DOCUMENT_CONNECTION, SALES);
    fixture_store_tokens("sales", "at-1", "rt-1", 3600);
    struct fixture_caller caller = {0};
    fixture_refresh(&caller, "sales", 1000);
    fixture_run_store();
    struct error error;
    cr_assert_eq(broker_revoke(fixture_entry("sales"), NULL, NULL, &error), OK);
    struct writer writer;
    submit(&writer, DOCUMENT_CONNECTION, DOCUMENT_REMOVE, "sales", NULL);
    fixture_run_store();
    fixture_reply(200, "{\"access_token\":\"at-2\",\"expires_in\":3600,\"refresh_token\":\"rt-2\"}");
    fixture_run_store();
    cr_assert(strstr(fixture_request_body(), "token=rt-2"));
    fixture_no_reply(true);
    fixture_run_store();
    cr_expect_null(fixture_row(STORE_TOKENS, "default/sales"));
    made(DOCUMENT_CONNECTION, SALES);
    cr_expect_null(fixture_access_token("sales"));
}

Test(document_queue, switched_off_iclient_forgets_at_once_whatever_the_provider_says)
{
    struct writer mail = made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    static const char off[] =
        "{\"provider\":\"custom_oauth2\",\"active\":false,\"oauth2\":{\"grantType\":\"authorizecode\","
        "\"clientId\":\"id\"," ENDPOINTS "}}";
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, off).result, DOCUMENT_DONE);
    cr_assert_eq(fixture_get("mail"), TOKEN_INACTIVE);
    cr_assert_eq(written(DOCUMENT_ICLIENT, DOCUMENT_REPLACE, mail.key, CODE_ICLIENT("mail")).result, DOCUMENT_DONE);
    cr_assert_null(fixture_access_token("mail"), "on again while the revocation runs");
    fixture_no_reply(true);
    fixture_run_store();
    cr_assert_null(fixture_access_token("mail"));
}

Test(document_queue, tokens_of_what_was_switched_off_before_the_start_are_ended)
{
    made(DOCUMENT_ICLIENT, CODE_ICLIENT("mail"));
    fixture_store_tokens("mail", "at-1", "rt-1", 3600);
    struct token_entry *entry = fixture_entry("mail");
    token_record_write(entry, RECORD_TOKENS | RECORD_STATE, entry->tokens, NULL, NULL);
    fixture_run_store();
    struct fixture_row *row = fixture_rows;
    while (row->table != STORE_ICLIENTS)
        row = row->next;
    const char *text = secret_reveal(row->value);
    char *changed = NULL;
    cr_assert(asprintf(&changed, "{\"active\":false,%s", text + 1) > 0);
    secret_destroy(row->value);
    row->value = secret_from_text(changed);
    free(changed);
    fixture_kill();
    start();
    cr_assert(strstr(fixture_request_body(), "token=rt-1"));
    cr_assert_eq(fixture_get("mail"), TOKEN_INACTIVE);
}
