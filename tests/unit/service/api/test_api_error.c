#include "service/fake_call.h"

#include "base/json/json_read.h"
#include "service/api/api_error.h"

static json_t *parse(const char *text)
{
    json_t *document = NULL;
    cr_assert_eq(json_read_text(text, strlen(text), &document, NULL), OK, "%s", text);
    return document;
}

Test(api_error, document_has_code_message_field_and_retryable)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, API_ERROR_TEXT_MAX);
    struct api_error error = {
        .code = API_ERROR_INVALID_REQUEST, .message = "no \"quotes\"\n", .field = "min_ttl", .members = "\"more\":[1]"};
    cr_assert(api_error_append(&error, &buffer));
    AUTO_JSON document = parse(text_buffer_text(&buffer));
    const json_t *first = json_read_path(document, "errors.0");
    cr_assert_str_eq(json_read_string(first, "code"), "invalid_request");
    cr_assert_str_eq(json_read_string(first, "message"), "no \"quotes\"\n");
    cr_assert_str_eq(json_read_string(first, "field"), "min_ttl");
    cr_assert(json_is_false(json_object_get(document, "retryable")));
    cr_assert_eq(json_integer_value(json_read_path(document, "more.0")), 1);
}

Test(api_error, codes_have_the_statuses_of_the_contract)
{
    static const struct {
        enum api_error_code code;
        const char *word;
        int status;
        bool retryable;
    } cases[] = {
        {API_ERROR_NOT_FOUND, "not_found", 404, false},
        {API_ERROR_NOT_ALLOWED, "not_allowed", 403, false},
        {API_ERROR_AUTHORIZATION_REQUIRED, "authorization_required", 409, false},
        {API_ERROR_INACTIVE, "inactive", 409, false},
        {API_ERROR_CLIENT_REJECTED, "client_rejected", 502, false},
        {API_ERROR_PROVIDER_UNAVAILABLE, "provider_unavailable", 503, true},
        {API_ERROR_PROVIDER_ERROR, "provider_error", 502, true},
        {API_ERROR_INVALID_REQUEST, "invalid_request", 400, false},
        {API_ERROR_INVALID_ICLIENT, "invalid_iclient", 422, false},
        {API_ERROR_BUSY, "busy", 429, true},
        {API_ERROR_OVERLOADED, "busy", 503, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_call call;
        fake_call_init(&call, HTTP_VERB_GET, "/");
        api_error_reply_text(&call, cases[i].code, "x");
        cr_assert_eq(call.status, cases[i].status, "%s", cases[i].word);
        AUTO_JSON document = parse(fake_call_text(&call));
        cr_assert_str_eq(json_read_string(json_read_path(document, "errors.0"), "code"), cases[i].word);
        cr_assert_eq(json_is_true(json_object_get(document, "retryable")), cases[i].retryable, "%s", cases[i].word);
        cr_assert(fake_call_has_header(&call, "Cache-Control: no-store\n"));
        http_call_finish(&call);
    }
}

Test(api_error, headers_say_when_to_retry_and_what_is_allowed)
{
    struct http_call call;
    fake_call_init(&call, HTTP_VERB_GET, "/");
    struct api_error error = {.code = API_ERROR_BUSY, .message = "x", .retry_after = 17};
    api_error_reply(&call, &error);
    cr_assert(fake_call_has_header(&call, "Retry-After: 17\n"));
    cr_assert_not(fake_call_has_header(&call, "Allow"));
    http_call_finish(&call);

    fake_call_init(&call, HTTP_VERB_GET, "/");
    error = (struct api_error){.code = API_ERROR_METHOD_NOT_ALLOWED, .message = "x", .allow = "GET"};
    api_error_reply(&call, &error);
    cr_assert_eq(call.status, 405);
    cr_assert(fake_call_has_header(&call, "Allow: GET\n"));
    cr_assert_not(fake_call_has_header(&call, "Retry-After"));
    http_call_finish(&call);
}

Test(api_error, busy_always_says_when_to_retry)
{
    static const enum api_error_code codes[] = {API_ERROR_BUSY, API_ERROR_OVERLOADED};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct http_call call;
        fake_call_init(&call, HTTP_VERB_GET, "/");
        api_error_reply_text(&call, codes[i], "x");
        cr_assert(fake_call_has_header(&call, "Retry-After: 1\n"));
        http_call_finish(&call);
    }
}

Test(api_error, message_that_does_not_fit_still_is_an_error)
{
    static char message[2 * API_ERROR_TEXT_MAX];
    memset(message, 'x', sizeof message - 1);
    struct http_call call;
    fake_call_init(&call, HTTP_VERB_GET, "/");
    api_error_reply_text(&call, API_ERROR_NOT_FOUND, message);
    cr_assert_eq(call.status, 503);
    cr_assert(fake_call_has_header(&call, "Retry-After: 1\n"));
    AUTO_JSON document = parse(fake_call_text(&call));
    cr_assert(json_is_true(json_object_get(document, "retryable")));
    http_call_finish(&call);
}

Test(api_error, refusal_of_the_server_has_the_words_of_the_contract)
{
    static const struct {
        struct http_refusal refusal;
        const char *path;
        const char *body;
    } cases[] = {
        {{400, "no", 0}, "/v1/x", "{\"errors\":[{\"code\":\"invalid_request\",\"message\":\"no\"}]}"},
        {{408, "no", 0}, "/", "{\"errors\":[{\"code\":\"invalid_request\",\"message\":\"no\"}]}"},
        {{413, "no", 0}, "/v1/x", "{\"errors\":[{\"code\":\"invalid_request\",\"message\":\"no\"}]}"},
        {{505, "no", 0}, "/v2/x", "{\"errors\":[{\"status\":\"505\",\"code\":\"invalid_request\",\"detail\":\"no\"}]}"},
        {{429, "no", 1}, "/", "{\"errors\":[{\"code\":\"busy\",\"message\":\"no\"}],\"retryable\":true}"},
        {{503, "no", 1}, "/", "{\"errors\":[{\"code\":\"busy\",\"message\":\"no\"}],\"retryable\":true}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_call call;
        fake_call_init(&call, HTTP_VERB_GET, cases[i].path);
        api_error_reply_refusal(&call, &cases[i].refusal);
        cr_expect_eq(call.status, cases[i].refusal.status, "%zu", i);
        cr_expect_str_eq(fake_call_text(&call), cases[i].body, "%zu", i);
        cr_expect(fake_call_has_header(&call, "Cache-Control: no-store\n"));
        cr_expect_eq(fake_call_has_header(&call, "Retry-After: 1\n"), cases[i].refusal.retry_after > 0, "%zu", i);
        http_call_finish(&call);
    }
}
