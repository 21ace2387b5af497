#include "protocol/fixture.h"
#include "protocol/reply/reply_quote.h"

#define ICLIENT                                                                                                        \
    HEAD "\"oauth2\":{\"grantType\":\"authorizecode\",\"encrypted\":{\"deep\":[\"buried\"]},\"clientId\":\"id\","      \
         "\"clientSecret\":\"s/3 cret\"," URIS "}}"
#define CONNECTION                                                                                                     \
    "{\"name\":\"c\",\"iClient\":\"test\",\"password\":\"pw\",\"encrypted\":{\"key\":\"lid\",\"odd\":\"a&'\\\"\\\\<"   \
    "\\u00fc>\"}}"

static const struct {
    const char *text, *quoted; /* NULL: withheld */
} quotes[] = {
    {"", ""},
    {"Token has been expired or revoked.", "Token has been expired or revoked."},
    {"AADSTS70008: expired", "AADSTS70008: expired"},
    {"code 1//0gFU7abcDEF is bad", "code [...] is bad"},
    {"id 7e57d004-2b97-0e7a-b45f-5387367791cd", "id [...]"},
    {"an-even-longer-run-without-digits", "[...]"},
    {"misconfigured client", "misconfigured client"},
    {"tab\tnewline\nescape\x1B[31m \xC3\xA9 \x7F", "tab?newline?escape?[31m ?? ?"},
    {"the secret s/3 cret", NULL},
    {"THE SECRET S/3 CRET", NULL},
    {"secret=s%2F3%20cret", NULL},
    {"secret=s%2F3+cret", NULL},
    {"the pw", NULL},
    {"it is buried there", NULL},
    {"under the lid", NULL},
    {"old-access", NULL},
    {"xold-refreshx", NULL},
    {"fresh", NULL},
    {"idtok", NULL},
    {"xyz123 state", NULL},
    /* as pages, JSON within JSON and frameworks write what they repeat */
    {"AT&amp;T & Q&A 100% \\o/ &#x110000; &#zz; \\u12", "AT&amp;T & Q&A 100% \\o/ &#x110000; &#zz; \\u12"},
    {"the odd a&'\"\\<\xC3\xBC>", NULL},
    {"a&amp;&#39;&quot;\\&lt;&uuml;&gt; it is not", "a&amp;&#39;&quot;\\&lt;&uuml;&gt; it is not"},
    {"a&amp;&#39;&quot;\\&lt;\xC3\xBC&gt;", NULL},
    {"a&amp;&#x27;&#34;&#92;&lt;&#xFC;&gt;", NULL},
    {"a&amp;&apos;&quot;\\&lt;&#252;&gt;", NULL},
    {"{\"odd\":\"a&'\\\"\\\\<\\u00fc>\"}", NULL},
    {"a\\u0026\\u0027\\\"\\\\\\u003c\\u00FC\\u003E", NULL},
    {"a&amp;#x27 is it, but not whole", "a&amp;#x27 is it, but not whole"},
    {"{&quot;odd&quot;:&quot;a&amp;'\\&quot;\\\\&lt;\xC3\xBC&gt;&quot;}", NULL},
    {"cHc=", NULL},
    {"Basic bGlk", NULL},
};

Test(reply_quote, a_providers_words_are_quoted_without_secrets_tokens_and_control_bytes)
{
    struct fixture fixture = fixture_create(ICLIENT, CONNECTION);
    fixture_set_tokens(&fixture, "old-access", "old-refresh");
    fixture.context.state = "xyz123";
    AUTO_FINISH(reply_document) body = {.json = fixture_json("{\"access_token\":\"fresh\",\"id_token\":\"idtok\"}")};
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        char quoted[128] = "before";
        bool allowed = reply_quote(&fixture.context, &body, quotes[i].text, quoted, sizeof quoted);
        cr_expect_eq(allowed, quotes[i].quoted != NULL, "%s", quotes[i].text);
        cr_expect_str_eq(quoted, quotes[i].quoted ? quotes[i].quoted : "", "%s: %s", quotes[i].text, quoted);
    }
    fixture_finish(&fixture);
}

Test(reply_quote, a_long_text_is_cut_to_fit_with_an_ellipsis)
{
    struct fixture fixture = fixture_create(ICLIENT, NULL);
    for (size_t size = 4; size < 40; size++) {
        char quoted[64];
        memset(quoted, 'X', sizeof quoted);
        cr_expect(reply_quote(&fixture.context, NULL, "one two three four five six seven", quoted, size));
        cr_expect_lt(strlen(quoted), size);
        cr_expect_eq(quoted[size], 'X');
        if (size < 30)
            cr_expect_str_eq(quoted + strlen(quoted) - 3, "...");
    }
    fixture_finish(&fixture);
}

static const struct {
    const char *code;
    bool allowed;
} codes[] = {
    {"invalid_grant", true},
    {"incorrect_client_credentials", true},
    {"", false},
    {"a\"b", false},
    {"a\nb", false},
    {"caf\xC3\xA9", false},
    {"s/3 cret", false},
    {"ya29a0AfH6SMBx1c3d5e7f9g1h", false},
    {"0123456789abcdef", true}, /* exactly fits */
};

Test(reply_quote, an_error_code_is_quoted_whole_or_not_at_all)
{
    struct fixture fixture = fixture_create(ICLIENT, NULL);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char quoted[64];
        cr_expect_eq(reply_quote_code(&fixture.context, NULL, codes[i].code, quoted, sizeof quoted), codes[i].allowed,
                     "%s", codes[i].code);
        cr_expect_str_eq(quoted, codes[i].allowed ? codes[i].code : "");
    }
    char small[17];
    cr_expect(reply_quote_code(&fixture.context, NULL, "0123456789abcdef", small, sizeof small));
    cr_expect_not(reply_quote_code(&fixture.context, NULL, "0123456789abcdef0", small, sizeof small));
    fixture_finish(&fixture);
}
