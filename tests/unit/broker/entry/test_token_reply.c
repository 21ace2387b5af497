#include "broker/broker_fixture.h"

#include "base/text/text_buffer.h"

TestSuite(token_reply, .init = fixture_start, .fini = fixture_finish);

#define METADATA_ICLIENT                                                                                               \
    "{\"name\":\"crm\",\"provider\":\"custom_oauth2\",\"accessTokenLifetime\":\"never\",\"oauth2\":{"                  \
    "\"responseMetadata\":[\"instance_url\"],\"grantType\":\"clientcredentials\"," CREDENTIALS "," ENDPOINTS "}}"

static void obtain(const char *reply)
{
    cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
    fixture_reply(200, reply);
    fixture_run_store();
}

static json_t *read_json(const char *text, size_t length)
{
    json_t *document = NULL;
    struct error error = {0};
    cr_assert_eq(json_read_text(text, length, &document, &error), OK, "%s in %s", error.message, text);
    return document;
}

static json_t *served_document(void)
{
    struct token_entry *entry = fixture_entry("crm");
    const struct token_reply *reply = token_entry_reply(entry);
    cr_assert_not_null(reply);
    AUTO_TEXT text = strdup(secret_reveal(reply->json));
    token_reply_write_expires_in(entry, fixture_now, text + reply->expires_in_offset);
    return read_json(text, strlen(text));
}

Test(token_reply, a_token_that_never_expires_has_null_for_its_times)
{
    fixture_configure_one(METADATA_ICLIENT);
    obtain("{\"access_token\":\"at-1\"}");
    AUTO_JSON document = served_document();
    cr_expect(json_is_null(json_object_get(document, "expires_in")));
    cr_expect(json_is_null(json_object_get(document, "expires_at")));
    cr_expect(json_is_null(json_object_get(document, "refresh_after")));
    cr_expect_eq(token_entry_refresh_after(fixture_entry("crm")), 0);
}

Test(token_reply, the_kept_metadata_stand_in_the_document)
{
    fixture_configure_one(METADATA_ICLIENT);
    obtain("{\"access_token\":\"at-1\",\"instance_url\":\"https://eu1.example.com\",\"other\":1}");
    AUTO_JSON document = served_document();
    AUTO_JSON expected = json_pack("{s:s}", "instance_url", "https://eu1.example.com");
    cr_expect(json_equal(json_object_get(document, "metadata"), expected));
}

static json_t *watch_line(int64_t now)
{
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, 64 * 1024);
    text_buffer_append_text(&line, "before");
    cr_assert(token_entry_append_watch_line(fixture_entry("crm"), fixture_uid, now, &line));
    cr_assert_null(strchr(text_buffer_text(&line), '\n'));
    return read_json(line.data + strlen("before"), line.length - strlen("before"));
}

Test(token_reply, watchers_get_the_token_while_it_lives)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    obtain("{\"access_token\":\"at-1\",\"expires_in\":3600}");
    AUTO_JSON line = watch_line(fixture_now + 600);
    cr_expect_str_eq(json_read_string(line, "access_token"), "at-1");
    cr_expect_eq(json_integer_value(json_object_get(line, "expires_in")), 3000);
}

Test(token_reply, watchers_get_the_state_when_there_is_no_token)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    AUTO_JSON empty = watch_line(fixture_now);
    AUTO_JSON expected = json_pack("{s:s, s:s, s:n}", "connection", "crm", "state", "empty", "error");
    cr_expect(json_equal(empty, expected));
    cr_assert_eq(fixture_get("crm"), TOKEN_PENDING);
    cr_expect(token_entry_is_refreshing(fixture_entry("crm")));
    fixture_reply(401, "{\"error\":\"invalid_client\"}");
    cr_expect_not(token_entry_is_refreshing(fixture_entry("crm")));
    AUTO_JSON rejected = watch_line(fixture_now);
    cr_expect_str_eq(json_read_string(rejected, "state"), "client_rejected");
    cr_expect_str_eq(json_string_value(json_read_path(rejected, "error.code")), "invalid_client");
    cr_expect_null(json_object_get(rejected, "access_token"));
}

Test(token_reply, a_line_beyond_the_buffers_limit_is_not_cut)
{
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    obtain("{\"access_token\":\"at-1\",\"expires_in\":3600}");
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, 16);
    cr_expect_not(token_entry_append_watch_line(fixture_entry("crm"), fixture_uid, fixture_now, &line));
    cr_expect_eq(line.length, 0);
}

/* A document that cannot be made, as without memory, here because the token is longer than any reply may be. */
Test(token_reply, a_token_that_cannot_be_written_is_no_state_line)
{
    enum { LONG_TOKEN = 300 * 1024 };
    fixture_configure_one(CLIENT_CREDENTIALS_ICLIENT("crm"));
    AUTO_TEXT token = malloc(LONG_TOKEN + 1);
    memset(token, 'a', LONG_TOKEN);
    token[LONG_TOKEN] = '\0';
    fixture_store_tokens("crm", token, NULL, 3600);
    cr_assert_null(token_entry_reply(fixture_entry("crm")));
    AUTO_FINISH(text_buffer) line;
    text_buffer_init(&line, 1024);
    cr_expect_not(token_entry_append_watch_line(fixture_entry("crm"), fixture_uid, fixture_now, &line));
    cr_expect(line.failed);
}
