#include "iclientctl/terminal/placeholder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/json/json_read.h"

/* What before, value and after in one text become. Caller frees. */
static char *shown(const struct placeholders *placeholders, const char *before, const char *value, const char *after,
                   json_t *jwts)
{
    char text[512];
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 1024);
    snprintf(text, sizeof text, "%s%s%s", before, value, after);
    cr_assert(placeholders_show(placeholders, text, jwts, &buffer));
    return text_buffer_take(&buffer);
}

static char *shown_header(const struct placeholders *placeholders, const char *value)
{
    AUTO_JSON jwts = json_array();
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 1024);
    cr_assert(placeholders_show_header(placeholders, value, jwts, &buffer));
    return text_buffer_take(&buffer);
}

Test(placeholder, values_are_long_random_and_changed_by_no_encoding)
{
    AUTO(placeholders) placeholders = placeholders_create();
    const char *code = placeholder_add(placeholders, "<code>");
    const char *other = placeholder_add(placeholders, "<code>");
    const char *host = placeholder_add_short(placeholders, "<host>");
    cr_assert_eq(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789"), PLACEHOLDER_LENGTH);
    cr_assert_eq(strlen(code), PLACEHOLDER_LENGTH);
    cr_assert_eq(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789"), PLACEHOLDER_SHORT_LENGTH);
    cr_assert_leq(strlen(host), 63, "RFC 1035: the longest label of a host name");
    cr_assert_str_neq(code, other);
}

Test(placeholder, each_is_shown_as_what_it_stands_for)
{
    static const struct {
        const char *before, *after, *shown;
    } rows[] = {
        {"", "", "<code>"},
        {"code=", "&state=x", "code=<code>&state=x"},
        {"x", "x", "x<code>x"},
    };
    AUTO(placeholders) placeholders = placeholders_create();
    const char *code = placeholder_add(placeholders, "<code>");
    AUTO_JSON jwts = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT text = shown(placeholders, rows[i].before, code, rows[i].after, jwts);
        cr_expect_str_eq(text, rows[i].shown);
    }
    AUTO_TEXT both = shown(placeholders, code, code, "", jwts);
    AUTO_TEXT neither = shown(placeholders, "nothing", "", "", jwts);
    cr_expect_str_eq(both, "<code><code>");
    cr_expect_str_eq(neither, "nothing");
    cr_assert_eq(json_array_size(jwts), 0);
}

Test(placeholder, a_computed_value_is_shown_too)
{
    AUTO(placeholders) placeholders = placeholders_create();
    cr_assert_str_eq(placeholder_add_value(placeholders, "E9Melhoa", "<code_challenge>"), "E9Melhoa");
    AUTO_JSON jwts = json_array();
    AUTO_TEXT text = shown(placeholders, "c=", "E9Melhoa", "", jwts);
    cr_assert_str_eq(text, "c=<code_challenge>");
}

Test(placeholder, there_are_at_most_so_many_and_they_can_be_forgotten)
{
    AUTO(placeholders) placeholders = placeholders_create();
    for (int i = 0; i < PLACEHOLDERS_MAX; i++)
        cr_assert_not_null(placeholder_add(placeholders, "<x>"));
    cr_assert_null(placeholder_add(placeholders, "<x>"));
    cr_assert_null(placeholder_add_short(placeholders, "<x>"));
    cr_assert_null(placeholder_add_value(placeholders, "v", "<x>"));
    cr_assert_eq(placeholders_count(placeholders), PLACEHOLDERS_MAX);
    placeholders_truncate(placeholders, 3);
    cr_assert_eq(placeholders_count(placeholders), 3);
    cr_assert_not_null(placeholder_add_value(placeholders, "v", "<x>"));
}

/* ---- JWTs ---- */

static void append_part(struct text_buffer *jwt, const char *json)
{
    cr_assert(base64url_append(jwt, json, strlen(json)));
}

/* One whose payload names a subject. Caller frees. */
static char *make_jwt(const char *subject)
{
    char text[512];
    AUTO_FINISH(text_buffer) jwt;
    text_buffer_init(&jwt, 1024);
    snprintf(text, sizeof text, "{\"sub\":\"%s\"}", subject);
    append_part(&jwt, "{\"alg\":\"RS256\"}");
    text_buffer_append_text(&jwt, ".");
    append_part(&jwt, text);
    text_buffer_append_text(&jwt, ".c2lnbmF0dXJl");
    return text_buffer_take(&jwt);
}

Test(placeholder, a_jwt_is_numbered_and_its_parts_stand_beside_it)
{
    AUTO(placeholders) placeholders = placeholders_create();
    const char *secret = placeholder_add(placeholders, "******");
    AUTO_TEXT jwt = make_jwt(secret);
    AUTO_JSON jwts = json_array();
    AUTO_TEXT first = shown(placeholders, "assertion=", jwt, "&x=1", jwts);
    AUTO_TEXT second = shown(placeholders, "", jwt, "", jwts);
    cr_expect_str_eq(first, "assertion=<JWT 1>&x=1");
    cr_expect_str_eq(second, "<JWT 2>");
    cr_assert_eq(json_array_size(jwts), 2);
    AUTO_TEXT parts = json_dumps(json_array_get(jwts, 0), JSON_COMPACT | JSON_SORT_KEYS);
    cr_expect_str_eq(parts, "{\"header\":{\"alg\":\"RS256\"},\"payload\":{\"sub\":\"******\"}}");
}

Test(placeholder, what_only_begins_like_a_jwt_stays)
{
    static const char *const texts[] = {
        "eyJ",
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJub25lIn0.",
        "eyJhbGciOiJub25lIn0.e30",
        "eyJhbGciOiJub25lIn0..c2ln",
        "eyJhbGciOiJub25lIn0.bm8ganNvbg.c2ln",
        "eyJhbGciOiJub25lIn0.W10.c2ln",
        "eyJhbGciOiJub25l.e30.c2ln",
    };
    AUTO(placeholders) placeholders = placeholders_create();
    AUTO_JSON jwts = json_array();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_TEXT text = shown(placeholders, "", texts[i], "", jwts);
        cr_expect_str_eq(text, texts[i]);
    }
    cr_assert_eq(json_array_size(jwts), 0);
}

/* ---- headers ---- */

static char *basic(const char *id, const char *secret)
{
    char credentials[256];
    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, 1024);
    snprintf(credentials, sizeof credentials, "%s:%s", id, secret);
    text_buffer_append_text(&value, "Basic ");
    cr_assert(base64_append(&value, credentials, strlen(credentials)));
    return text_buffer_take(&value);
}

Test(placeholder, basic_credentials_are_shown_decoded)
{
    AUTO(placeholders) placeholders = placeholders_create();
    const char *secret = placeholder_add(placeholders, "******");
    static const char *const ids[] = {"id", "an id", "?>?>?>"}; /* with "+" and "/" in Base64 */
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char expected[64];
        AUTO_TEXT value = basic(ids[i], secret);
        AUTO_TEXT text = shown_header(placeholders, value);
        snprintf(expected, sizeof expected, "Basic base64(%s:******)", ids[i]);
        cr_expect_str_eq(text, expected);
    }
}

Test(placeholder, basic_credentials_that_were_written_by_hand_are_masked)
{
    AUTO(placeholders) placeholders = placeholders_create();
    const char *secret = placeholder_add(placeholders, "******");
    AUTO_TEXT by_hand = basic("id", "by hand");
    AUTO_TEXT lower_case = basic("id", "by hand");
    memcpy(lower_case, "basic", 5);
    char bare[PLACEHOLDER_LENGTH + 16], token[PLACEHOLDER_LENGTH + 16], masked[] = "Basic ******";
    snprintf(bare, sizeof bare, "Basic %s", secret);
    snprintf(token, sizeof token, "Bearer %s", secret);
    const struct {
        const char *value, *shown;
    } rows[] = {
        {by_hand, masked},      {lower_case, masked},     {"Basic !!!", masked},
        {bare, "Basic ******"}, {token, "Bearer ******"}, {"text/plain", "text/plain"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT text = shown_header(placeholders, rows[i].value);
        cr_expect_str_eq(text, rows[i].shown, "%s", rows[i].value);
    }
}
