#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text/base64.h"
#include "service/redirect/pages.h"

static char *render(const struct page *page)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, PAGE_MAX);
    cr_assert(page_append(page, &buffer));
    char *text = text_buffer_take(&buffer);
    cr_assert(text);
    return text;
}

/* A browser drops a style whose hash is not in the policy, and the page would be bare. */
Test(pages, policy_names_the_hash_of_the_style)
{
    AUTO_TEXT text = render(&(struct page){.kind = PAGE_FRONT});
    const char *start = strstr(text, "<style>") + strlen("<style>");
    const char *end = strstr(start, "</style>");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    cr_assert(EVP_Digest(start, (size_t)(end - start), digest, &size, EVP_sha256(), NULL));
    AUTO_FINISH(text_buffer) hash;
    text_buffer_init(&hash, 200);
    text_buffer_append_text(&hash, "style-src 'sha256-");
    base64_append(&hash, digest, size);
    text_buffer_append_text(&hash, "';");
    cr_assert(strstr(page_security_policy(), text_buffer_text(&hash)), "should be: %s", text_buffer_text(&hash));
}

Test(pages, policy_forbids_everything_else)
{
    static const char *const rules[] = {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'",
                                        "form-action 'none'"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        cr_assert(strstr(page_security_policy(), rules[i]), "%s", rules[i]);
    cr_assert_null(strstr(page_security_policy(), "unsafe"));
}

Test(pages, every_page_is_whole_and_has_no_script)
{
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        AUTO_TEXT text = render(&(struct page){.kind = (enum page_kind)i});
        cr_assert(strstr(text, "<!doctype html>\n<html lang=\"en\">") == text);
        cr_assert(strstr(text, "<title>") && strstr(text, "</h1>") && strstr(text, "name=\"viewport\""));
        cr_assert(strstr(text, "</html>\n"));
        cr_assert_null(strstr(text, "<script"));
        int status = page_status(&(struct page){.kind = (enum page_kind)i});
        cr_assert(status >= 200 && status < 600);
    }
}

Test(pages, success_says_what_was_connected)
{
    AUTO_TEXT text = render(&(struct page){.kind = PAGE_CONNECTED,
                                           .connection = "crm",
                                           .tenant = "default",
                                           .iclient = "our-sales",
                                           .provider = "salesforce",
                                           .scope = "api refresh"});
    static const char *const parts[] = {"<dd>crm</dd>",         "<dd>our-sales</dd>", "<dd>salesforce</dd>",
                                        "<dd>api refresh</dd>", "close this window",  "class=\"good\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        cr_assert(strstr(text, parts[i]), "%s", parts[i]);
    cr_assert_null(strstr(text, "Tenant"), "the default tenant is nothing to tell");
}

Test(pages, failure_names_the_command_for_this_connection)
{
    AUTO_TEXT named = render(&(struct page){.kind = PAGE_DECLINED, .connection = "crm", .tenant = "acme"});
    cr_assert(strstr(named, "<code>iclientctl login crm --tenant acme</code>"));
    AUTO_TEXT unnamed = render(&(struct page){.kind = PAGE_LINK_USED});
    cr_assert(strstr(unnamed, "<code>iclientctl login NAME</code>"));
    cr_assert(strstr(unnamed, "class=\"bad\""));
}

Test(pages, every_value_is_escaped)
{
    static const char evil[] = "<img src=x onerror=\"a\">'&";
    AUTO_TEXT text = render(&(struct page){.kind = PAGE_PROVIDER_REFUSED,
                                           .connection = evil,
                                           .tenant = evil,
                                           .iclient = evil,
                                           .provider = evil,
                                           .scope = evil,
                                           .detail = evil,
                                           .provider_words = evil});
    cr_assert_null(strstr(text, "<img"));
    cr_assert(strstr(text, "<blockquote>&lt;img src=x onerror=&quot;a&quot;&gt;"));
}

/* Every value, as a provider or whoever writes a configuration may say it: the page shows U+FFFD in their place. */
Test(pages, no_value_turns_the_direction_or_hides_in_the_page)
{
    static const char *const evil[] = {"\x1b",         "\xC2\x9B",     "\xE2\x80\xAE",
                                       "\xE2\x81\xA6", "\xE2\x80\x8B", "\xEF\xBB\xBF"};
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        AUTO_TEXT text = render(&(struct page){.kind = PAGE_PROVIDER_REFUSED,
                                               .connection = evil[i],
                                               .tenant = evil[i],
                                               .iclient = evil[i],
                                               .provider = evil[i],
                                               .detail = evil[i],
                                               .provider_words = evil[i]});
        cr_expect_null(strstr(text, evil[i]), "%zu", i);
        cr_expect(strstr(text, "<blockquote>\xEF\xBF\xBD</blockquote>"), "%zu", i);
    }
}

Test(pages, providers_words_are_marked_as_such)
{
    AUTO_TEXT text = render(&(struct page){.kind = PAGE_DECLINED, .provider_words = "call 555-0100 now"});
    cr_assert(strstr(text, "The provider's own words:</p>\n<blockquote>call 555-0100 now</blockquote>"));
    AUTO_TEXT silent = render(&(struct page){.kind = PAGE_DECLINED});
    cr_assert_null(strstr(silent, "<blockquote>"));
}
