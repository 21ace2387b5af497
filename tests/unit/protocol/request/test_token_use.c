#include "protocol/fixture.h"
#include "protocol/request/token_use.h"

#define IN(more) HEAD "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT "," URIS more "}}"

static const struct {
    const char *iclient;
    const char *header; /* NULL: not in a header */
    const char *json;
} uses[] = {
    {IN(""), "Authorization: Bearer a\"b",
     "{\"location\":\"header\",\"name\":\"Authorization\",\"value\":\"Bearer a\\\"b\"}"},
    {IN(",\"scheme\":\"Token\",\"accessTokenHeaderName\":\"X-Auth\""), "X-Auth: Token a\"b",
     "{\"location\":\"header\",\"name\":\"X-Auth\",\"value\":\"Token a\\\"b\"}"},
    {IN(",\"scheme\":\"\""), "Authorization: a\"b",
     "{\"location\":\"header\",\"name\":\"Authorization\",\"value\":\"a\\\"b\"}"},
    {IN(",\"accessTokenLocation\":\"url\""), NULL,
     "{\"location\":\"url\",\"name\":\"access_token\",\"value\":\"a\\\"b\"}"},
    {IN(",\"accessTokenLocation\":\"body\",\"accessTokenParamName\":\"tok\""), NULL,
     "{\"location\":\"body\",\"name\":\"tok\",\"value\":\"a\\\"b\"}"},
};

Test(token_use, a_service_is_told_where_and_how_the_api_wants_the_token)
{
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        struct fixture fixture = fixture_create(uses[i].iclient, NULL);
        const struct iclient *iclient = connection_iclient(fixture.connection);
        fixture_set_tokens(&fixture, "a\"b", NULL);
        AUTO_FINISH(text_buffer) header;
        AUTO_FINISH(text_buffer) json;
        text_buffer_init(&header, 1024);
        text_buffer_init(&json, 1024);
        enum status status = token_use_append_header(iclient, fixture.tokens, &header, NULL);
        cr_expect_eq(status, uses[i].header ? OK : ERR_UNSUPPORTED, "case %zu", i);
        cr_expect_str_eq(text_buffer_text(&header), uses[i].header ? uses[i].header : "");
        cr_expect(token_use_append_json(iclient, fixture.tokens, &json));
        cr_expect_str_eq(text_buffer_text(&json), uses[i].json);
        fixture_finish(&fixture);
    }
}

Test(token_use, a_buffer_that_is_too_small_is_told)
{
    struct fixture fixture = fixture_create(IN(""), NULL);
    const struct iclient *iclient = connection_iclient(fixture.connection);
    fixture_set_tokens(&fixture, "token", NULL);
    AUTO_FINISH(text_buffer) small;
    text_buffer_init(&small, 8);
    cr_expect_eq(token_use_append_header(iclient, fixture.tokens, &small, NULL), ERR_TOO_LARGE);
    text_buffer_clear(&small);
    cr_expect_not(token_use_append_json(iclient, fixture.tokens, &small));
    fixture_finish(&fixture);
}
