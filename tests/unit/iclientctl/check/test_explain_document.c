#include "iclientctl/check/explain_document.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json/json_read.h"

static void expect_document(const json_t *actual, const char *expected)
{
    AUTO_JSON wanted = json_loads(expected, 0, NULL);
    AUTO_TEXT text = json_dumps(actual, JSON_COMPACT);
    cr_expect(json_equal(wanted, actual), "wanted %s\nfound  %s", expected, text);
}

Test(explain_document, an_iclient_loses_its_secrets_and_nothing_else)
{
    static const struct {
        const char *document, *shown;
    } rows[] = {
        {"{}", "{}"},
        {"{\"name\": \"app\", \"oauth2\": {\"clientId\": \"id\", \"clientSecret\": \"s3cret\"}}",
         "{\"name\": \"app\", \"oauth2\": {\"clientId\": \"id\", \"clientSecret\": {\"$env\": \"secret\"}}}"},
        {"{\"oauth2\": {\"clientSecret\": {\"$file\": \"gone\"}}}",
         "{\"oauth2\": {\"clientSecret\": {\"$env\": \"secret\"}}}"},
        {"{\"oauth2\": {\"clientSecret\": 7, \"scope\": null}}",
         "{\"oauth2\": {\"clientSecret\": {\"$env\": \"secret\"}, \"scope\": null}}"},
        {"{\"jwt\": {\"privateKey\": \"PEM\"}}", "{\"jwt\": {\"privateKey\": {\"$env\": \"RS256\"}}}"},
        {"{\"salesforce\": {\"privateKey\": \"PEM\"}}", "{\"salesforce\": {\"privateKey\": {\"$env\": \"RS256\"}}}"},
        {"{\"oauth2\": \"no object\"}", "{\"oauth2\": \"no object\"}"},
        {"{\"oauth2\": {\"encrypted\": {\"a\": \"s\", \"b\": {\"c\": [\"s\", null, {\"$env\": \"X\"}]}, \"d\": null}}}",
         "{\"oauth2\": {\"encrypted\": {\"a\": {\"$env\": \"secret\"}, \"b\": {\"c\": [{\"$env\": \"secret\"}, null,"
         " {\"$env\": \"secret\"}]}, \"d\": null}}}"},
        {"{\"oauth2\": {\"encrypted\": \"no object\"}}", "{\"oauth2\": {\"encrypted\": \"no object\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_JSON document = json_loads(rows[i].document, 0, NULL);
        AUTO_JSON before = json_deep_copy(document);
        AUTO_JSON shown = explain_document_iclient(document, "RS256");
        expect_document(shown, rows[i].shown);
        cr_expect(json_equal(document, before), "the original is left alone: %s", rows[i].document);
    }
}

Test(explain_document, a_key_without_a_method_is_any_secret)
{
    AUTO_JSON document = json_loads("{\"jwt\": {\"privateKey\": \"PEM\"}}", 0, NULL);
    AUTO_JSON shown = explain_document_iclient(document, NULL);
    expect_document(shown, "{\"jwt\": {\"privateKey\": {\"$env\": \"secret\"}}}");
}

Test(explain_document, a_connection_loses_its_secrets)
{
    AUTO_JSON document =
        json_loads("{\"name\": \"crm\", \"iClient\": \"app\", \"username\": \"u\", \"password\": \"p\","
                   " \"encrypted\": {\"pin\": \"1234\"}}",
                   0, NULL);
    AUTO_JSON shown = explain_document_connection(document);
    expect_document(shown, "{\"name\": \"crm\", \"iClient\": \"app\", \"username\": \"u\","
                           " \"password\": {\"$env\": \"secret\"}, \"encrypted\": {\"pin\": {\"$env\": \"secret\"}}}");
}

/* ---- what the references are answered with ---- */

static struct secret *resolve(const struct secret_stand_ins *stand_ins, const char *name)
{
    const struct secret_resolver *resolver = secret_stand_ins_resolver(stand_ins);
    struct secret *secret = NULL;
    cr_assert_eq(resolver->read(resolver->context, "a.json", SECRET_FROM_ENVIRONMENT, name, &secret, NULL), OK);
    return secret;
}

Test(secret_stand_ins, a_secret_is_a_placeholder)
{
    AUTO(placeholders) placeholders = placeholders_create();
    AUTO(secret_stand_ins) stand_ins = secret_stand_ins_create(placeholders);
    cr_assert_eq(placeholders_count(placeholders), 1);
    AUTO(secret) secret = resolve(stand_ins, "secret");
    AUTO_JSON jwts = json_array();
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 100);
    cr_assert(placeholders_show(placeholders, secret_reveal(secret), jwts, &text));
    cr_assert_str_eq(text_buffer_text(&text), "******");
}

Test(secret_stand_ins, a_signature_method_has_one_key_of_its_kind)
{
    static const char *const methods[] = {"RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
    AUTO(placeholders) placeholders = placeholders_create();
    AUTO(secret_stand_ins) stand_ins = secret_stand_ins_create(placeholders);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        AUTO(secret) key = resolve(stand_ins, methods[i]);
        AUTO(secret) again = resolve(stand_ins, methods[i]);
        cr_expect_eq(key, again, "%s", methods[i]);
        cr_expect_not_null(strstr(secret_reveal(key), "BEGIN PRIVATE KEY"), "%s", methods[i]);
    }
}

/* An HMAC's key is any text. */
Test(secret_stand_ins, other_methods_take_the_placeholder)
{
    AUTO(placeholders) placeholders = placeholders_create();
    AUTO(secret_stand_ins) stand_ins = secret_stand_ins_create(placeholders);
    AUTO(secret) secret = resolve(stand_ins, "secret");
    AUTO(secret) hmac = resolve(stand_ins, "HS512");
    cr_assert_str_eq(secret_reveal(hmac), secret_reveal(secret));
    cr_assert_geq(secret_length(hmac), 64, "RFC 7518 §3.2");
}
