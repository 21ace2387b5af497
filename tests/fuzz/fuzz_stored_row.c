/*
 * Three lines, a token set, a state and a journal row: read back into a broker, they are refused or can be served.
 * "FP" stands for the fingerprint that version 0.1 gave the connection, which no mutation would find.
 */
#include "broker/broker_fixture.h"

#include "base/log/log.h"
#include "model/iclient/legacy_fingerprint.h"

static void put_row(enum store_table table, const char *text)
{
    static const char sign[] = "\"FP\"";
    char fingerprint[LEGACY_FINGERPRINT_SIZE];
    REQUIRE(legacy_fingerprint(token_entry_connection(fixture_entry("mail")), fingerprint), "no memory");
    AUTO_FINISH(text_buffer) row;
    text_buffer_init(&row, STORE_VALUE_MAX);
    for (const char *found; (found = strstr(text, sign)); text = found + strlen(sign)) {
        text_buffer_append(&row, text, (size_t)(found - text));
        text_buffer_append_format(&row, "\"%s\"", fingerprint);
    }
    text_buffer_append_text(&row, text);
    AUTO(secret) value = row.length > 0 ? text_buffer_take_secret(&row) : NULL;
    struct store_change change = {.table = table, .value = value};
    fixture_apply(&change, "default/mail");
}

static void require_round_trip(const char *text)
{
    AUTO(secret) stored = secret_from_text(text);
    AUTO(token_set) tokens = NULL;
    AUTO(token_set) again = NULL;
    struct error error = {0};
    enum status status = token_set_parse(stored, &tokens, &error);
    REQUIRE((status == OK) == (tokens != NULL) && (status == OK) == (error.message[0] == '\0'), "half a result");
    REQUIRE(status == OK || status == ERR_CORRUPT, "status %d", (int)status);
    if (status != OK)
        return;
    AUTO(secret) written = token_set_serialise(tokens);
    REQUIRE(written && token_set_parse(written, &again, &error) == OK, "what was written is refused: %s",
            error.message);
    AUTO(secret) written_again = token_set_serialise(again);
    REQUIRE(secret_equal(written, written_again), "what was written comes back otherwise");
}

static void require_json(const char *text, size_t length)
{
    AUTO_JSON document = fuzz_json(text, length);
    REQUIRE(json_is_object(document), "no JSON is served");
}

struct load {
    unsigned told;
    enum status status;
};

static void on_load(void *context, enum status status, const struct error *error)
{
    struct load *load = context;
    load->told++;
    load->status = status;
    REQUIRE((status == OK) == (error == NULL), "half a result");
    REQUIRE(!error || strstr(error->message, "mail"), "no word on which row it was: %s", error->message);
}

static void require_served(struct token_entry *entry)
{
    enum token_answer answer = broker_get(entry, 0, 0, fixture_now);
    const struct token_reply *reply = token_entry_reply(entry);
    REQUIRE(answer != TOKEN_SERVED || reply, "served without a reply");
    if (reply) {
        AUTO_TEXT json = strndup(secret_reveal(reply->json), secret_length(reply->json));
        token_reply_write_expires_in(entry, fixture_now, json + reply->expires_in_offset);
        require_json(json, strlen(json));
    }
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, STORE_VALUE_MAX);
    if (token_entry_append_watch_line(entry, fixture_uid, fixture_now, &line))
        require_json(line.data, line.length);
    if (answer == TOKEN_SERVED)
        REQUIRE(secret_length(token_entry_tokens(entry)->access_token) > 0, "nothing is served");
    fixture_pass(3600);
    broker_get(entry, 0, 0, fixture_now);
    while (fixture_requests)
        fixture_reply(400, "{\"error\":\"invalid_grant\"}");
    fixture_run_store();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT text = fuzz_text(data, size, 0);
    const char *at = text;
    AUTO_TEXT tokens = fuzz_line(&at);
    AUTO_TEXT state = fuzz_line(&at);
    AUTO_TEXT journal = fuzz_line(&at);
    require_round_trip(tokens);
    log_set_level(LOG_LEVEL_ERROR);
    fixture_now = 1800000000;
    fixture_start();
    fixture_configure_one(CODE_ICLIENT("mail"));
    put_row(STORE_TOKENS, tokens);
    put_row(STORE_STATES, state);
    put_row(STORE_JOURNAL, journal);
    struct load load = {0};
    broker_load(fixture_broker, on_load, &load);
    REQUIRE(load.told == 1, "told %u times", load.told);
    if (load.status == OK)
        require_served(fixture_entry("mail"));
    fixture_finish();
    return 0;
}
