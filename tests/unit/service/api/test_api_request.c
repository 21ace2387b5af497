#include "service/fake_call.h"

#include "service/api/api_request.h"

/* One request whose helpers are called by hand. */
struct fixture {
    struct http_call call;
    struct api_request request;
};

static void fixture_init(struct fixture *fixture, const char *query, const char *body)
{
    memset(&fixture->request, 0, sizeof fixture->request);
    fake_call_init(&fixture->call, HTTP_VERB_GET, "/v1/token/crm");
    fixture->call.query = query;
    fixture->call.body = body;
    fixture->request.call = &fixture->call;
}

static void fixture_finish(struct fixture *fixture)
{
    http_call_finish(&fixture->call);
}

Test(api_request, seconds_are_digits_within_bounds)
{
    static const struct {
        const char *query;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"", 7},
        {"other=1", 7},
        {"wait=0", 0},
        {"wait=300", 300},
        {"wait=0300", 300},
        {"a=b&wait=12&c", 12},
        {"wait=%31%32", 12},
        {"wait=301", -1},
        {"wait=-1", -1},
        {"wait=", -1},
        {"wait", -1},
        {"wait=1.5", -1},
        {"wait=1e2", -1},
        {"wait=+1", -1},
        {"wait=%201", -1},
        {"wait=99999999999999999999999", -1},
        {"wait=1&wait=1", -1},
        {"wait=%zz", -1},
        {"wait=1%00", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(fixture) fixture;
        fixture_init(&fixture, cases[i].query, NULL);
        int64_t seconds = 7;
        bool is_good = api_request_query_seconds(&fixture.request, "wait", 300, &seconds);
        cr_assert_eq(is_good, cases[i].seconds >= 0, "%s", cases[i].query);
        cr_assert_eq(seconds, is_good ? cases[i].seconds : 7, "%s", cases[i].query);
        cr_assert_eq(fixture.call.status, is_good ? 0 : 400, "%s", cases[i].query);
        cr_assert(is_good || fake_call_has(&fixture.call, "\"field\":\"wait\""), "%s", cases[i].query);
    }
}

Test(api_request, body_is_a_json_object)
{
    static const struct {
        const char *body;
        bool is_good;
    } cases[] = {
        {"{}", true},    {"{\"a\":1}", true},          {" {} \n", true}, {"", false},    {"[]", false},
        {"null", false}, {"{\"a\":1,\"a\":2}", false}, {"{", false},     {"{}x", false}, {"\"{}\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_FINISH(fixture) fixture;
        fixture_init(&fixture, NULL, cases[i].body);
        AUTO_JSON document = NULL;
        cr_assert_eq(api_request_read_body(&fixture.request, false, &document), cases[i].is_good, "%s", cases[i].body);
        cr_assert_eq(json_is_object(document), cases[i].is_good, "%s", cases[i].body);
        cr_assert_eq(fixture.call.status, cases[i].is_good ? 0 : 400, "%s", cases[i].body);
    }
}

Test(api_request, body_may_be_missing_where_it_is_optional)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, NULL, "");
    AUTO_JSON document = NULL;
    cr_assert(api_request_read_body(&fixture.request, true, &document));
    cr_assert_null(document);
    cr_assert_eq(fixture.call.status, 0);
}

Test(api_request, broken_body_is_not_quoted)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, NULL, "{\"body\":\"hush-hush");
    AUTO_JSON document = NULL;
    cr_assert_not(api_request_read_body(&fixture.request, false, &document));
    cr_assert_not(fake_call_has(&fixture.call, "hush"));
}

Test(api_request, failed_document_is_no_half_reply)
{
    AUTO_FINISH(fixture) fixture;
    fixture_init(&fixture, NULL, NULL);
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, 4);
    text_buffer_append_text(&body, "{\"a\"");
    text_buffer_append_text(&body, ":1}");
    api_reply_json(&fixture.call, &body);
    cr_assert_eq(fixture.call.status, 503);
    cr_assert_not(fake_call_has(&fixture.call, "{\"a\""));
}
