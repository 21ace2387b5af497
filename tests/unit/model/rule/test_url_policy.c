#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/rule/url_policy.h"

static struct url_policy *make_policy(bool allow_loopback_http, const char *const *domains, size_t count)
{
    struct url_policy *policy = NULL;
    struct error error = {0};
    cr_assert_eq(url_policy_create(allow_loopback_http, &policy, NULL), OK);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(url_policy_add_domain(policy, domains[i], &error), OK, "%s: %s", domains[i], error.message);
    return policy;
}

Test(url_policy, domain_matches_itself_and_its_subdomains_only)
{
    static const char *const domains[] = {"Example.com",
                                          "login.shop.example.org.",
                                          "b\303\274cher.example",
                                          "tenant.github.io",
                                          "192.0.2.7",
                                          "2001:db8::1",
                                          "localhost"};
    static const struct {
        const char *url;
        enum status status;
    } cases[] = {
        {"https://example.com/token", OK},
        {"https://EXAMPLE.COM./token", OK},
        {"https://a.example.com", OK},
        {"https://a.b.c.example.com", OK},
        {"https://example.com:8443/", OK},
        {"https://login.shop.example.org/", OK},
        {"https://x.login.shop.example.org/", OK},
        {"https://xn--bcher-kva.example/", OK},
        {"https://B\xC3\x9C"
         "CHER.example/",
         OK},
        {"https://www.b\xC3\xBC"
         "cher.example/",
         OK},
        {"https://tenant.github.io/", OK},
        {"https://192.0.2.7/", OK},
        {"https://0xc0000207/", OK},
        {"https://[2001:db8:0::1]/", OK},
        {"https://localhost/", OK},
        {"https://app.localhost/", OK},

        {"https://notexample.com/", ERR_DENIED},
        {"https://example.com.evil.example/", ERR_DENIED},
        {"https://example.comevil.example/", ERR_DENIED},
        {"https://example.co/", ERR_DENIED},
        {"https://com/", ERR_DENIED},
        {"https://xample.com/", ERR_DENIED},
        {"https://-example.com/", ERR_INVALID},
        {"https://evil-example.com/", ERR_DENIED},
        {"https://shop.example.org/", ERR_DENIED},
        {"https://xlogin.shop.example.org/", ERR_DENIED},
        {"https://other.github.io/", ERR_DENIED},
        {"https://github.io/", ERR_DENIED},
        {"https://bucher.example/", ERR_DENIED},
        {"https://b\xC3\xBC\xCC\x88"
         "cher.example/",
         ERR_DENIED},
        /* Cyrillic e and o in example.com */
        {"https://\xD0\xB5xample.com/", ERR_DENIED},
        {"https://example.c\xD0\xBEm/", ERR_DENIED},
        {"https://192.0.2.70/", ERR_DENIED},
        {"https://7.192.0.2.7/", ERR_INVALID},
        {"https://192.0.2.7.evil.example/", ERR_DENIED},
        {"https://[2001:db8::2]/", ERR_DENIED},
        {"https://[::ffff:192.0.2.7]/", ERR_DENIED},
        {"https://evil.example/example.com", ERR_DENIED},
        {"https://evil.example/?example.com", ERR_DENIED},
        {"https://evil.example/@example.com", ERR_DENIED},
        {"https://example.com@evil.example/", ERR_INVALID},
        {"https://example.com:443@evil.example/", ERR_INVALID},
        {"https://evil.example\\@example.com/", ERR_INVALID},
        {"https://evil.example#@example.com/", ERR_INVALID},
        {"https://evil.example/#.example.com", ERR_INVALID},
        {"https://evil.example%2f.example.com/", ERR_INVALID},
        {"https://evil.example%00.example.com/", ERR_INVALID},
        {"https://evil.example\xEF\xBC\x8F.example.com/", ERR_INVALID},
        {"https://evil.example;.example.com/", ERR_INVALID},
        {"https://evil.example .example.com/", ERR_INVALID},
        {"https://evil.example\t.example.com/", ERR_INVALID},
        {"https://.example.com/", ERR_INVALID},
        {"https://a..example.com/", ERR_INVALID},
        {"https:///example.com/", ERR_INVALID},
        {"https:example.com/", ERR_INVALID},
        {"//example.com/", ERR_INVALID},
        {"example.com", ERR_INVALID},
        {"", ERR_INVALID},
        {"ftp://example.com/", ERR_INVALID},
        {"file:///example.com", ERR_INVALID},

        {"http://example.com/", ERR_DENIED},
        {"http://192.0.2.7/", ERR_DENIED},
        {"http://localhost/", ERR_DENIED},
        {"HTTP://localhost/", ERR_DENIED},
    };
    AUTO(url_policy) policy = make_policy(false, domains, sizeof domains / sizeof domains[0]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        cr_assert_eq(url_policy_check_text(policy, cases[i].url, &error), cases[i].status, "%s: %s", cases[i].url,
                     error.message);
        cr_assert(cases[i].status == OK || error.message[0] != '\0');
    }
}

Test(url_policy, loopback_http_needs_permission_and_a_listed_host)
{
    static const char *const domains[] = {"localhost", "127.0.0.1", "::1", "10.0.0.1", "example.com"};
    static const struct {
        const char *url;
        enum status status;
    } cases[] = {
        {"http://localhost:8080/", OK},
        {"http://a.localhost/", OK},
        {"http://127.0.0.1/", OK},
        {"http://0x7f.1/", OK},
        {"http://[::1]:9/", OK},
        {"https://127.0.0.1/", OK},
        {"http://127.0.0.2/", ERR_DENIED},
        {"http://10.0.0.1/", ERR_DENIED},
        {"http://example.com/", ERR_DENIED},
        {"http://localhost.example.com/", ERR_DENIED},
        {"http://[::ffff:127.0.0.1]/", ERR_DENIED},
        {"http://0.0.0.0/", ERR_DENIED},
    };
    AUTO(url_policy) policy = make_policy(true, domains, sizeof domains / sizeof domains[0]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(url_policy_check_text(policy, cases[i].url, NULL), cases[i].status, "%s", cases[i].url);
}

Test(url_policy, empty_policy_denies_everything)
{
    AUTO(url_policy) policy = make_policy(true, NULL, 0);
    cr_assert_eq(url_policy_check_text(policy, "https://example.com/", NULL), ERR_DENIED);
    cr_assert_eq(url_policy_check_text(policy, "http://localhost/", NULL), ERR_DENIED);
}

Test(url_policy, domains_that_anybody_could_have_or_that_are_none_are_refused)
{
    static const char *const domains[] = {
        "",
        "com",
        "COM.",
        "co.uk",
        "github.io",
        "GitHub.io",
        "s3.amazonaws.com",
        "herokuapp.com",
        "net",
        "internal",
        "intranet",
        "xn--p1ai",
        "\xD1\x80\xD1\x84",
        "appspot.com",
        "*.example.com",
        "*",
        "*.com",
        "https://example.com",
        "example.com/path",
        "example.com:443",
        "user@example.com",
        "{{{connection.settings.host}}}",
        "{{x}}.example.com",
        ".example.com",
        "example..com",
        "example.com?x",
        "example.com#",
        "example.com ",
        " example.com",
        "exa mple.com",
        "exam\nple.com",
        "exa\\mple.com",
        "[::1",
        "[::1]:443",
        "::g",
        "1.2.3.4.5",
        "10.0.0.0/8",
        "-example.com",
        "example.com%00",
        "a,b.example.com",
        ".",
        "..",
    };
    AUTO(url_policy) policy = make_policy(false, NULL, 0);
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        struct error error = {0};
        cr_assert_eq(url_policy_add_domain(policy, domains[i], &error), ERR_INVALID, "%s", domains[i]);
        cr_assert_neq(error.message[0], '\0');
    }
    cr_assert_eq(url_policy_check_text(policy, "https://example.com/", NULL), ERR_DENIED, "nothing was added");
}

Test(url_policy, refused_domain_says_what_is_wrong)
{
    static const struct {
        const char *domain, *says;
    } cases[] = {
        {"github.io", "public suffix"},      {"*.example.com", "wildcard"},
        {"https://example.com", "scheme"},   {"example.com/token", "path"},
        {"{{{x}}}.example.com", "template"}, {"example.com:443", "no domain name"},
        {"a@example.com", "user"},           {"", "empty"},
    };
    AUTO(url_policy) policy = make_policy(false, NULL, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        url_policy_add_domain(policy, cases[i].domain, &error);
        cr_assert(strstr(error.message, cases[i].says), "%s says %s", cases[i].domain, error.message);
    }
}

Test(url_policy, exact_host_does_not_match_subdomains)
{
    AUTO(url_policy) policy = make_policy(false, NULL, 0);
    cr_assert_eq(url_policy_add_exact_host(policy, "Login.Example.com", NULL), OK);
    cr_assert_eq(url_policy_add_exact_host(policy, "github.io", NULL), OK, "an exact host gives nothing away");
    cr_assert_eq(url_policy_check_text(policy, "https://login.example.com/", NULL), OK);
    cr_assert_eq(url_policy_check_text(policy, "https://github.io/", NULL), OK);
    cr_assert_eq(url_policy_check_text(policy, "https://a.login.example.com/", NULL), ERR_DENIED);
    cr_assert_eq(url_policy_check_text(policy, "https://evil.github.io/", NULL), ERR_DENIED);
    cr_assert_eq(url_policy_check_text(policy, "https://example.com/", NULL), ERR_DENIED);
    cr_assert_eq(url_policy_add_exact_host(policy, "{{{x}}}.example.com", NULL), ERR_INVALID);
}

Test(url_policy, domain_and_exact_host_of_one_name_match_subdomains_in_either_order)
{
    for (int order = 0; order < 2; order++) {
        AUTO(url_policy) policy = make_policy(false, NULL, 0);
        if (order == 0)
            url_policy_add_domain(policy, "example.com", NULL);
        url_policy_add_exact_host(policy, "example.com", NULL);
        if (order == 1)
            url_policy_add_domain(policy, "example.com", NULL);
        cr_assert_eq(url_policy_check_text(policy, "https://a.example.com/", NULL), OK);
    }
}

Test(url_policy, denial_names_host_and_never_path_or_query)
{
    static const char *const domains[] = {"example.com"};
    AUTO(url_policy) policy = make_policy(false, domains, 1);
    static const char *const urls[] = {"https://evil.example/hunter2?t=hunter2", "http://evil.example/hunter2?hunter2"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct error error = {0};
        cr_assert_eq(url_policy_check_text(policy, urls[i], &error), ERR_DENIED);
        cr_assert(strstr(error.message, "evil.example"), "%s", error.message);
        cr_assert_null(strstr(error.message, "hunter2"), "%s", error.message);
    }
}

Test(url_policy, has_a_maximum_of_hosts_and_does_not_count_repetitions)
{
    AUTO(url_policy) policy = make_policy(false, NULL, 0);
    char name[32];
    for (int i = 0; i < URL_POLICY_HOSTS_MAX; i++) {
        snprintf(name, sizeof name, "h%d.example.com", i);
        cr_assert_eq(url_policy_add_domain(policy, name, NULL), OK);
        cr_assert_eq(url_policy_add_domain(policy, name, NULL), OK);
    }
    cr_assert_eq(url_policy_add_domain(policy, "more.example.com", NULL), ERR_TOO_LARGE);
}
