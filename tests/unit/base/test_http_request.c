#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/http_request.h"

static struct http_request *post_request(void)
{
    struct http_request *request = http_request_create("POST", secret_from_text("https://a.example/token"));
    cr_assert_not_null(request);
    return request;
}

Test(http_request, keeps_method_url_and_body)
{
    AUTO(http_request) request = post_request();
    cr_assert_str_eq(http_request_method(request), "POST");
    cr_assert_str_eq(secret_reveal(http_request_url(request)), "https://a.example/token");
    cr_assert_null(http_request_body(request));
    http_request_set_body(request, secret_from_text("a=1"));
    http_request_set_body(request, secret_from_text("b=2"));
    cr_assert_str_eq(secret_reveal(http_request_body(request)), "b=2");
    http_request_set_body(request, NULL);
    cr_assert_null(http_request_body(request));
}

Test(http_request, needs_a_url)
{
    cr_assert_null(http_request_create("GET", NULL));
    http_request_destroy(NULL);
}

Test(http_request, header_of_the_same_name_is_replaced)
{
    AUTO(http_request) request = post_request();
    cr_assert_eq(http_request_set_header_text(request, "Accept", "text/plain", NULL), OK);
    cr_assert_eq(http_request_set_header_text(request, "X-Other", "1", NULL), OK);
    cr_assert_eq(http_request_set_header_text(request, "ACCEPT", "application/json", NULL), OK);
    cr_assert_eq(http_request_header_count(request), 2);
    cr_assert_str_eq(http_request_header_name(request, 0), "Accept");
    cr_assert_str_eq(secret_reveal(http_request_header_value(request, 0)), "application/json");
    cr_assert_str_eq(secret_reveal(http_request_find_header(request, "x-other")), "1");
    cr_assert_null(http_request_find_header(request, "absent"));
}

Test(http_request, header_may_be_replaced_by_its_own_value)
{
    AUTO(http_request) request = post_request();
    http_request_set_header_text(request, "Accept", "x", NULL);
    cr_assert_eq(http_request_set_header(request, "Accept", http_request_find_header(request, "Accept"), NULL), OK);
    cr_assert_str_eq(secret_reveal(http_request_find_header(request, "Accept")), "x");
}

Test(http_request, value_outlives_the_callers_hold)
{
    AUTO(http_request) request = post_request();
    struct secret *value = secret_from_text("Bearer hunter2");
    cr_assert_eq(http_request_set_header(request, "Authorization", value, NULL), OK);
    secret_destroy(value);
    cr_assert_str_eq(secret_reveal(http_request_find_header(request, "authorization")), "Bearer hunter2");
}

Test(http_request, names_that_are_no_token_are_refused)
{
    static const char *const names[] = {"",     "a b", "a:",  "a\r\nb", "a\n", "\xC3\xA9",
                                        "a(b)", "a/b", "a\"", "a\t",    "{x}"};
    AUTO(http_request) request = post_request();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct error error = {0};
        cr_assert_eq(http_request_set_header_text(request, names[i], "v", &error), ERR_INVALID, "%s", names[i]);
    }
    cr_assert_eq(http_request_header_count(request), 0);
}

Test(http_request, values_that_would_break_the_line_are_refused_without_being_quoted)
{
    static const struct {
        const char *bytes;
        size_t length;
    } values[] = {{"hunter2\r\nX: y", 13}, {"hunter2\n", 8}, {"\rhunter2", 8}, {"hunter2\0x", 9}};
    AUTO(http_request) request = post_request();
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        AUTO(secret) value = secret_create(values[i].bytes, values[i].length);
        struct error error = {0};
        cr_assert_eq(http_request_set_header(request, "X-Key", value, &error), ERR_INVALID, "case %zu", i);
        cr_assert(strstr(error.message, "X-Key"));
        cr_assert_null(strstr(error.message, "hunter2"));
    }
    cr_assert_eq(http_request_header_count(request), 0);
}

Test(http_request, has_a_maximum_of_headers)
{
    AUTO(http_request) request = post_request();
    char name[16];
    for (int i = 0; i < HTTP_HEADERS_MAX; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        cr_assert_eq(http_request_set_header_text(request, name, "v", NULL), OK);
    }
    cr_assert_eq(http_request_set_header_text(request, "X-More", "v", NULL), ERR_TOO_LARGE);
    cr_assert_eq(http_request_set_header_text(request, "X-0", "replaced", NULL), OK);
}

static struct http_request *make_request(const char *method, const char *url, const char *header, const char *body)
{
    struct http_request *request = http_request_create(method, secret_from_text(url));
    cr_assert_not_null(request);
    cr_assert_eq(http_request_set_header_text(request, "Authorization", header, NULL), OK);
    http_request_set_body(request, body ? secret_from_text(body) : NULL);
    return request;
}

Test(http_request, requests_are_equal_to_the_byte_or_not_at_all)
{
    static const struct {
        const char *method, *url, *header, *body;
        bool equal;
    } cases[] = {
        {"POST", "https://a.example/r", "Bearer x", "token=1", true},
        {"GET", "https://a.example/r", "Bearer x", "token=1", false},
        {"POST", "https://a.example/s", "Bearer x", "token=1", false},
        {"POST", "https://a.example/r", "Bearer y", "token=1", false},
        {"POST", "https://a.example/r", "Bearer x", "token=2", false},
        {"POST", "https://a.example/r", "Bearer x", NULL, false},
    };
    AUTO(http_request) first = make_request("POST", "https://a.example/r", "Bearer x", "token=1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(http_request) other = make_request(cases[i].method, cases[i].url, cases[i].header, cases[i].body);
        cr_expect_eq(http_request_equal(first, other), cases[i].equal, "case %zu", i);
    }
}
