#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"

Test(url, parts_come_out_normalised)
{
    static const struct {
        const char *text, *scheme, *host;
        int port;
        const char *path, *query;
    } cases[] = {
        {"https://a.example", "https", "a.example", 443, "/", NULL},
        {"https://a.example/", "https", "a.example", 443, "/", NULL},
        {"HTTPS://A.Example:8443/Token?x=1&y", "https", "a.example", 8443, "/Token", "x=1&y"},
        {"http://a.example?x=1", "http", "a.example", 80, "/", "x=1"},
        {"https://a.example./x", "https", "a.example", 443, "/x", NULL},
        {"https://a.example:/x", "https", "a.example", 443, "/x", NULL},
        {"https://a.example/a/../b/./c", "https", "a.example", 443, "/b/c", NULL},
        {"https://a.example/user@host:x", "https", "a.example", 443, "/user@host:x", NULL},
        {"https://a.example/?next=https://b.example/@", "https", "a.example", 443, "/", "next=https://b.example/@"},
        {"https://my_tenant.a-b.example", "https", "my_tenant.a-b.example", 443, "/", NULL},
        {"https://a.example:65535/", "https", "a.example", 65535, "/", NULL},
        {"http://127.0.0.1:8085/cb", "http", "127.0.0.1", 8085, "/cb", NULL},
        {"http://0x7f.1/", "http", "127.0.0.1", 80, "/", NULL},
        {"http://2130706433/", "http", "127.0.0.1", 80, "/", NULL},
        {"http://0177.0.0.01/", "http", "127.0.0.1", 80, "/", NULL},
        {"http://127.1/", "http", "127.0.0.1", 80, "/", NULL},
        {"http://127.0.0.1./", "http", "127.0.0.1", 80, "/", NULL},
        {"https://[::1]:444/", "https", "::1", 444, "/", NULL},
        {"https://[0:0:0:0:0:0:0:1]/", "https", "::1", 443, "/", NULL},
        {"https://[2001:DB8::A]/", "https", "2001:db8::a", 443, "/", NULL},
        {"https://[::ffff:127.0.0.1]/", "https", "::ffff:127.0.0.1", 443, "/", NULL},
        {"https://[::ffff:7f00:1]/", "https", "::ffff:127.0.0.1", 443, "/", NULL},
        {"https://b\xC3\xBC"
         "cher.example/",
         "https", "xn--bcher-kva.example", 443, "/", NULL},
        {"https://B\xC3\x9C"
         "CHER.example/",
         "https", "xn--bcher-kva.example", 443, "/", NULL},
        {"https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example", 443, "/", NULL},
        /* Cyrillic a: looks like apple.com and is another name. */
        {"https://\xD0\xB0pple.com/", "https", "xn--pple-43d.com", 443, "/", NULL},
        /* Full-width digits and ideographic full stops are the ASCII ones to IDN: they must not hide an address. */
        {"https://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1/", "https", "127.0.0.1", 443, "/", NULL},
        {"https://a\xE3\x80\x82"
         "example/",
         "https", "a.example", 443, "/", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(url) url = NULL;
        struct error error = {0};
        cr_assert_eq(url_parse(cases[i].text, &url, &error), OK, "%s: %s", cases[i].text, error.message);
        cr_assert_str_eq(url_scheme(url), cases[i].scheme, "%s", cases[i].text);
        cr_assert_str_eq(url_host(url), cases[i].host, "%s gave %s", cases[i].text, url_host(url));
        cr_assert_eq(url_port(url), cases[i].port, "%s", cases[i].text);
        cr_assert_str_eq(url_path(url), cases[i].path, "%s", cases[i].text);
        if (cases[i].query)
            cr_assert_str_eq(url_query(url), cases[i].query, "%s", cases[i].text);
        else
            cr_assert_null(url_query(url), "%s", cases[i].text);
    }
}

Test(url, hostile_spellings_are_refused)
{
    static const char *const texts[] = {
        "",
        "a.example",
        "/x",
        "//a.example/",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:///x",
        "https:////a.example",
        "https:/a.example",
        "https:a.example",
        "https://?x",
        "https://:443/",
        "://a.example",
        "ftp://a.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "gopher://a.example/",
        "httpss://a.example/",
        "unix:///run/x",
        "https://user@a.example/",
        "https://user:pass@a.example/",
        "https://@a.example/",
        "https://:@a.example/",
        "https://a.example:443@evil.example/",
        "https://a.example%40evil.example/",
        "https://a.com\\@b.com",
        "https:\\\\a.example\\",
        "https://a.example\\.evil.example/",
        "https://a.example/\\x",
        "https://a.example/#fragment",
        "https://a.example#@evil.example/",
        "https://a.example/?x#y",
        " https://a.example/",
        "https://a.example/ ",
        "https://a.example/a b",
        "https://a .example/",
        "https://a.example/\t",
        "https://a\t.example/",
        "https://a.example/\r\nHost: evil",
        "https://a.example/\n",
        "\x01https://a.example/",
        "https://a.example/\x7f",
        "https://a.example%00.evil.example/",
        "https://a%2eexample/",
        "https://a%00/",
        "https://%61.example/",
        "https://a.example:0/",
        "https://a.example:00000/",
        "https://a.example:65536/",
        "https://a.example:99999999999/",
        "https://a.example:-1/",
        "https://a.example:+1/",
        "https://a.example:x/",
        "https://a.example:443x/",
        "https://a.example:443:443/",
        "https://a..example/",
        "https://.a.example/",
        "https://./",
        "https://../",
        "https://a.example../",
        "https://-a.example/",
        "https://a-.example/",
        "https://*.example/",
        "https://a,b.example/",
        "https://a.example;x/",
        "https://a'b.example/",
        "https://a\"b.example/",
        "https://<a>/",
        "https://a|b/",
        "https://{{{host}}}/",
        "https://a$b/",
        "https://a!b/",
        "https://256.1.1.1/",
        "https://1.2.3.4.5/",
        "https://127.1./",
        "https://a.0x7f/",
        "https://a.example.1/",
        "https://0x/",
        "https://4294967296/",
        "https://[::1/",
        "https://::1/",
        "https://[]/",
        "https://[::1]x/",
        "https://[::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[1.2.3.4]/",
        "https://[v1.x]/",
        "https://[::g]/",
        "https://[1:2:3:4:5:6:7:8:9]/",
        /* Full-width solidus: IDN maps it to '/'. */
        "https://a.example\xEF\xBC\x8F"
        "b/",
        /* Full-width number sign and commercial at. */
        "https://a\xEF\xBC\xA0"
        "b.example/",
        "https://a\xFF.example/",
        /* A soft hyphen alone maps to nothing; a right-to-left override is in no label. */
        "https://\xC2\xAD.example/",
        "https://a\xE2\x80\xAE"
        "b.example/",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct url *url = NULL;
        struct error error = {0};
        cr_assert_eq(url_parse(texts[i], &url, &error), ERR_INVALID, "%s", texts[i]);
        cr_assert_null(url);
        cr_assert_neq(error.message[0], '\0');
    }
}

Test(url, errors_do_not_quote_the_url)
{
    static const char *const texts[] = {"https://hunter2@a.example/", "https://a.example/?t=hunter2#x",
                                        "https://a..example/hunter2", "https://a.example:x/hunter2"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct url *url = NULL;
        struct error error = {0};
        cr_assert_eq(url_parse(texts[i], &url, &error), ERR_INVALID);
        cr_assert_null(strstr(error.message, "hunter2"), "%s", error.message);
    }
}

/* https://<length times a>.example/ */
static enum status parse_with_label(size_t length)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 2 * URL_MAX);
    text_buffer_append_text(&text, "https://");
    for (size_t i = 0; i < length; i++)
        text_buffer_append_text(&text, "a");
    text_buffer_append_text(&text, ".example/");
    AUTO(url) url = NULL;
    return url_parse(text.data, &url, NULL);
}

Test(url, labels_and_hosts_have_their_dns_lengths)
{
    cr_assert_eq(parse_with_label(63), OK);
    cr_assert_eq(parse_with_label(64), ERR_INVALID);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, 1000);
    text_buffer_append_text(&text, "https://");
    for (int i = 0; i < 126; i++)
        text_buffer_append_text(&text, "a.");
    text_buffer_append_text(&text, "a");
    AUTO(url) longest = NULL;
    cr_assert_eq(url_parse(text.data, &longest, NULL), OK);
    cr_assert_eq(strlen(url_host(longest)), 253);
    text_buffer_append_text(&text, "a");
    AUTO(url) too_long = NULL;
    cr_assert_eq(url_parse(text.data, &too_long, NULL), ERR_INVALID);
}

Test(url, has_a_maximum_length)
{
    char text[URL_MAX + 2] = "https://a.example/";
    size_t length = strlen(text);
    memset(text + length, 'x', URL_MAX - length);
    text[URL_MAX] = '\0';
    AUTO(url) longest = NULL;
    cr_assert_eq(url_parse(text, &longest, NULL), OK);
    text[URL_MAX] = 'x';
    text[URL_MAX + 1] = '\0';
    AUTO(url) too_long = NULL;
    cr_assert_eq(url_parse(text, &too_long, NULL), ERR_INVALID);
}

Test(url, tells_addresses_and_loopback_from_names)
{
    static const struct {
        const char *text;
        bool address, loopback;
    } cases[] = {
        {"http://127.0.0.1/", true, true},
        {"http://127.255.0.3/", true, true},
        {"http://0x7f.1/", true, true},
        {"http://[::1]/", true, true},
        {"http://localhost/", false, true},
        {"http://LocalHost./", false, true},
        {"http://a.localhost/", false, true},
        {"http://alocalhost/", false, false},
        {"http://localhost.example/", false, false},
        {"http://127.example/", false, false},
        {"http://10.0.0.1/", true, false},
        {"http://[::ffff:127.0.0.1]/", true, false},
        {"http://[::]/", true, false},
        {"http://0.0.0.0/", true, false},
        {"http://a.example/", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(url) url = NULL;
        cr_assert_eq(url_parse(cases[i].text, &url, NULL), OK, "%s", cases[i].text);
        cr_assert_eq(url_host_is_address(url), cases[i].address, "%s", cases[i].text);
        cr_assert_eq(url_host_is_loopback(url), cases[i].loopback, "%s", cases[i].text);
    }
}

Test(url, target_leaves_the_query_out_and_whole_keeps_it)
{
    static const struct {
        const char *text, *target, *whole;
    } cases[] = {
        {"https://A.example/t?secret=1", "https://a.example:443/t", "https://a.example:443/t?secret=1"},
        {"http://[::1]:8085", "http://[::1]:8085/", "http://[::1]:8085/"},
        {"https://b\xC3\xBC"
         "cher.example/",
         "https://xn--bcher-kva.example:443/", "https://xn--bcher-kva.example:443/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(url) url = NULL;
        cr_assert_eq(url_parse(cases[i].text, &url, NULL), OK);
        AUTO_FINISH(text_buffer) target;
        AUTO_FINISH(text_buffer) whole;
        text_buffer_init(&target, URL_MAX);
        text_buffer_init(&whole, URL_MAX);
        cr_assert(url_append_target(url, &target));
        cr_assert(url_append_whole(url, &whole));
        cr_assert_str_eq(target.data, cases[i].target);
        cr_assert_str_eq(whole.data, cases[i].whole);
    }
}

Test(url, whole_reads_back_as_the_same_url)
{
    static const char *const texts[] = {"https://A.example:8443/x/%41?y=%20&z", "http://2130706433",
                                        "http://[::1]/a?b"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(url) first = NULL;
        AUTO(url) second = NULL;
        AUTO_FINISH(text_buffer) whole;
        text_buffer_init(&whole, URL_MAX);
        cr_assert_eq(url_parse(texts[i], &first, NULL), OK);
        cr_assert(url_append_whole(first, &whole));
        cr_assert_eq(url_parse(whole.data, &second, NULL), OK);
        AUTO_FINISH(text_buffer) again;
        text_buffer_init(&again, URL_MAX);
        cr_assert(url_append_whole(second, &again));
        cr_assert_str_eq(whole.data, again.data);
    }
}

Test(url, normalise_host_gives_the_form_of_url_host)
{
    static const struct {
        const char *host;
        const char *expected;
    } cases[] = {
        {"Example.COM", "example.com"},
        {"example.com.", "example.com"},
        {"b\xC3\xBC"
         "cher.example",
         "xn--bcher-kva.example"},
        {"localhost", "localhost"},
        {"127.1", "127.0.0.1"},
        {"::1", "::1"},
        {"[0:0::1]", "::1"},
        {"co.uk", "co.uk"},
        {"", NULL},
        {".", NULL},
        {".example.com", NULL},
        {"a..b", NULL},
        {"example.com:443", NULL},
        {"[::1]:443", NULL},
        {"[::1", NULL},
        {"[]", NULL},
        {"https://example.com", NULL},
        {"example.com/", NULL},
        {"example.com?x", NULL},
        {"user@example.com", NULL},
        {"example.com#", NULL},
        {"*.example.com", NULL},
        {"{{{x}}}.example.com", NULL},
        {"a b", NULL},
        {"a\n", NULL},
        {"a\\b", NULL},
        {"a%2eb", NULL},
        {"1.2.3.4.5", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_TEXT host = NULL;
        enum status status = url_normalise_host(cases[i].host, &host, NULL);
        cr_assert_eq(status, cases[i].expected ? OK : ERR_INVALID, "%s", cases[i].host);
        if (cases[i].expected)
            cr_assert_str_eq(host, cases[i].expected, "%s gave %s", cases[i].host, host);
        else
            cr_assert_null(host);
    }
}
