#include <criterion/criterion.h>
#include <string.h>

#include "model/reply/token_set.h"

static struct token_set *full_set(void)
{
    struct token_set *tokens = token_set_create();
    tokens->access_token = secret_from_text("access \"quoted\" \\ \xc3\xa9");
    tokens->refresh_token = secret_from_text("refresh");
    tokens->token_type = strdup("Bearer");
    tokens->scope = strdup("a b");
    tokens->metadata = json_pack("{s:s,s:{s:i}}", "instance_url", "https://x.test", "nested", "n", 1);
    tokens->obtained_at = 1795000000;
    tokens->expires_at = 1795003600;
    tokens->refresh_expires_at = 1800000000;
    tokens->refreshes_left = 3;
    tokens->generation = 7;
    tokens->rotation = TOKEN_ROTATION_REPLACED;
    return tokens;
}

static enum status parse(const char *text, struct token_set **ret_tokens)
{
    AUTO(secret) secret = secret_from_text(text);
    struct error error = {0};
    enum status status = token_set_parse(secret, ret_tokens, &error);
    cr_assert(status == OK || strlen(error.message) > 0);
    return status;
}

Test(token_set, serialised_set_reads_back_equal)
{
    AUTO(token_set) written = full_set();
    AUTO(secret) text = token_set_serialise(written);
    AUTO(token_set) read = NULL;
    cr_assert_eq(token_set_parse(text, &read, NULL), OK);
    cr_assert(secret_equal(read->access_token, written->access_token));
    cr_assert(secret_equal(read->refresh_token, written->refresh_token));
    cr_assert_str_eq(read->token_type, "Bearer");
    cr_assert_str_eq(read->scope, "a b");
    cr_assert(json_equal(read->metadata, written->metadata));
    cr_assert_eq(read->obtained_at, 1795000000);
    cr_assert_eq(read->expires_at, 1795003600);
    cr_assert_eq(read->refresh_expires_at, 1800000000);
    cr_assert_eq(read->refreshes_left, 3);
    cr_assert_eq(read->generation, 7);
    cr_assert_eq(read->rotation, TOKEN_ROTATION_REPLACED);
}

Test(token_set, absent_parts_stay_absent)
{
    AUTO(token_set) written = token_set_create();
    written->access_token = secret_from_text("a");
    AUTO(secret) text = token_set_serialise(written);
    AUTO(token_set) read = NULL;
    cr_assert_eq(token_set_parse(text, &read, NULL), OK);
    cr_assert_null(read->refresh_token);
    cr_assert_null(read->token_type);
    cr_assert_null(read->scope);
    cr_assert_null(read->metadata);
    cr_assert_eq(read->refreshes_left, -1);
    cr_assert_eq(read->rotation, TOKEN_ROTATION_UNKNOWN);
    cr_assert_null(strstr(secret_reveal(text), "rotation"));
}

#define WITH_TOKEN(members) "{\"access_token\":\"a\"," members "}"

Test(token_set, text_that_was_not_written_by_us_is_corrupt)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"obtained_at\":0,\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":0,\"generation\":0}",
        "{\"access_token\":\"\",\"obtained_at\":0,\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":0,"
        "\"generation\":0}",
        "{\"access_token\":1,\"obtained_at\":0,\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":0,"
        "\"generation\":0}",
        WITH_TOKEN(
            "\"obtained_at\":\"x\",\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":0,\"generation\":0"),
        WITH_TOKEN(
            "\"obtained_at\":0,\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":0,\"generation\":-1"),
        WITH_TOKEN("\"metadata\":[],\"obtained_at\":0,\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":0,"
                   "\"generation\":1"),
        WITH_TOKEN(
            "\"obtained_at\":0,\"expires_at\":-9223372036854775808,\"refresh_expires_at\":0,\"refreshes_left\":0,"
            "\"generation\":1"),
        WITH_TOKEN("\"obtained_at\":0,\"expires_at\":9223372036854775807,\"refresh_expires_at\":0,\"refreshes_left\":0,"
                   "\"generation\":1"),
        WITH_TOKEN(
            "\"obtained_at\":0,\"expires_at\":0,\"refresh_expires_at\":0,\"refreshes_left\":-2,\"generation\":1"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct token_set *tokens = NULL;
        cr_assert_eq(parse(texts[i], &tokens), ERR_CORRUPT, "text %zu", i);
        cr_assert_null(tokens);
    }
}

Test(token_set, last_hold_frees_it)
{
    struct token_set *tokens = full_set();
    cr_assert_eq(token_set_hold(tokens), tokens);
    token_set_destroy(tokens);
    cr_assert_str_eq(tokens->scope, "a b");
    token_set_destroy(tokens);
    token_set_destroy(NULL);
}

Test(token_set, plain_and_escaped_forms_read_back_alike)
{
    static const char *const texts[] = {"plain", "with \"quotes\"", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(token_set) written = token_set_create();
        written->access_token = secret_from_text(texts[i]);
        written->refresh_token = secret_from_text("r");
        written->scope = strdup(texts[i]);
        written->expires_at = 1795003600;
        written->generation = 9;
        AUTO(secret) text = token_set_serialise(written);
        AUTO(token_set) read = NULL;
        cr_assert_eq(token_set_parse(text, &read, NULL), OK);
        cr_assert(secret_equal(read->access_token, written->access_token));
        cr_assert(secret_equal(read->refresh_token, written->refresh_token));
        cr_assert_str_eq(read->scope, texts[i]);
        cr_assert_null(read->token_type);
        cr_assert_eq(read->expires_at, 1795003600);
        cr_assert_eq(read->refreshes_left, -1);
        cr_assert_eq(read->generation, 9);
    }
}
